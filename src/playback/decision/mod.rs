//! Original or transcode, and to what: decided purely, from the file, the wish, what is known of
//! the client, and the ceilings. It can explain itself.

mod capabilities;
mod recipe;

pub use capabilities::{
    Capabilities, CodecLimit, Comparison, Direct, Protocol, Quantity, StreamFacts, TranscodeTo,
};
pub(super) use capabilities::{Negotiation, negotiate, source_facts};
pub use recipe::BitrateMode;
pub(super) use recipe::{Recipe, most_kbps};

use super::{Gain, Network, Target, Wish, WishFormat, clients::ClientProfile, gain::level};
use crate::{accounts::Caps, catalog::TrackFacts};

/// What the server turns to when a lossless target does not fit under the limit: every player
/// takes it.
const FALLBACK: Target = Target::Mp3;

/// Everything that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    /// The file.
    pub(super) file: &'a TrackFacts,
    /// The track is a part of a longer file, so there are no original bytes of it.
    pub(super) is_part: bool,
    /// What was asked for.
    pub(super) wish: &'a Wish,
    /// Ceilings of user and plan.
    pub(super) caps: Caps,
    /// What is known of the client.
    pub(super) client: &'a ClientProfile,
    /// The user's own choice, for clients whose profile makes none.
    pub(super) gain: Gain,
}

/// What will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// The bytes as they are.
    Original(Reason),
    /// Something made from them.
    Transcode(Recipe, Reason),
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The client asked for the original.
    Raw,
    /// Nothing was asked, and it fits under the limit.
    Fits,
    /// It has the wanted format already.
    AlreadySo,
    /// The client named a format.
    Asked,
    /// It is over the bitrate limit.
    OverLimit,
    /// The client does not play it as it is.
    NotPlayed,
    /// It is a part of a longer file.
    PartOfImage,
    /// The client asked for even loudness.
    Loudness,
}

/// Decides.
pub(super) fn decide(case: &Case<'_>) -> Decision {
    let Case { file, is_part, wish, client, .. } = *case;
    let limit = case.limit();
    let fits = limit.is_none_or(|limit| file.bitrate_kbps <= limit);
    let transcode = |recipe: Recipe, reason| {
        let level = level(case.gain(), &file.gain);
        let is_variable = client.mode == BitrateMode::Variable
            && recipe.target == Target::Mp3
            && !wish.estimate_length
            && case.hard_limit().is_none();
        let mode = if is_variable { BitrateMode::Variable } else { BitrateMode::Constant };
        let is_rigid = wish.estimate_length && recipe.target == Target::Opus;
        Decision::Transcode(Recipe { level, mode, is_rigid, ..recipe }, reason)
    };
    match wish.format {
        Some(WishFormat::Raw) if !is_part => Decision::Original(Reason::Raw),
        Some(WishFormat::To(target)) => {
            let is_as_wished = !is_part
                && fits
                && wish.offset.is_zero()
                && !case.asks_for_loudness()
                && (wish.is_own_suffix || is_already(file, target));
            if is_as_wished {
                return Decision::Original(Reason::AlreadySo);
            }
            if !target.is_lossless() {
                return transcode(case.lossy(target), Reason::Asked);
            }
            let recipe = Recipe::lossless(file, target);
            if limit.is_some_and(|limit| limit < recipe.kbps(file)) {
                return transcode(case.lossy(FALLBACK), Reason::OverLimit);
            }
            transcode(recipe, Reason::Asked)
        }
        Some(WishFormat::Raw) => {
            transcode(Recipe::lossless(file, Target::Flac), Reason::PartOfImage)
        }
        None if !fits => transcode(case.lossy(case.fallback()), Reason::OverLimit),
        None if !client.plays(&file.container, &file.codec) || client.is_over(file) => {
            transcode(case.playable(), Reason::NotPlayed)
        }
        None if case.asks_for_loudness() => transcode(case.playable(), Reason::Loudness),
        None if is_part && client.plays("flac", "flac") => {
            transcode(Recipe::lossless(file, Target::Flac), Reason::PartOfImage)
        }
        None if is_part => transcode(case.playable(), Reason::PartOfImage),
        None => Decision::Original(Reason::Fits),
    }
}

impl Case<'_> {
    /// The lowest of all bitrate limits, kbit/s.
    fn limit(&self) -> Option<u32> {
        let asked = self.wish.max_bitrate_kbps.filter(|limit| 0 < *limit);
        [asked, self.hard_limit()].into_iter().flatten().min()
    }

    /// The lowest of those that the client did not choose.
    fn hard_limit(&self) -> Option<u32> {
        let network = match self.wish.network {
            Network::Lan => self.client.lan_kbps,
            Network::Outside => self.client.outside_kbps,
        };
        [self.caps.max_bitrate_kbps, network].into_iter().flatten().min()
    }

    /// The loudness correction of whatever is transcoded.
    fn gain(&self) -> Gain {
        self.wish.gain.or(self.client.gain).unwrap_or(self.gain)
    }

    /// Whether this very request asks for loudness that the original does not have.
    fn asks_for_loudness(&self) -> bool {
        self.wish.gain.is_some_and(|gain| level(gain, &self.file.gain).is_some())
    }

    /// What to turn to under a limit: the client's own target, if a bitrate can be chosen for it.
    fn fallback(&self) -> Target {
        Some(self.client.target).filter(|target| !target.is_lossless()).unwrap_or(FALLBACK)
    }

    /// What to turn to without one.
    fn playable(&self) -> Recipe {
        let target = self.client.target;
        let mut recipe = if target.is_lossless() {
            let recipe = Recipe::lossless(self.file, target);
            let is_over = self.limit().is_some_and(|limit| limit < recipe.kbps(self.file));
            if is_over { self.lossy(FALLBACK) } else { recipe }
        } else {
            self.lossy(target)
        };
        let lower = |most: Option<u32>, is: u32| most.filter(|most| *most < is);
        recipe.sample_rate =
            lower(self.client.max_sample_rate, recipe.rate(self.file)).or(recipe.sample_rate);
        recipe.channels =
            lower(self.client.max_channels, recipe.channel_count(self.file)).or(recipe.channels);
        recipe.bit_depth =
            lower(self.client.max_bit_depth, recipe.depth(self.file)).or(recipe.bit_depth);
        recipe
    }

    /// A lossy target: at what was asked for, else at its usual bitrate; never over the limit.
    fn lossy(&self, target: Target) -> Recipe {
        let asked = self.wish.max_bitrate_kbps.filter(|limit| 0 < *limit);
        let limit = self.limit();
        let usual = target.usual_bitrate_kbps().unwrap_or_else(|| most_kbps(target));
        // Who names no format leaves the choice to the limit.
        let is_ours = self.wish.format.is_none() || target == FALLBACK;
        let wanted = asked.unwrap_or(if is_ours { limit.unwrap_or(usual) } else { usual });
        Recipe::lossy(self.file, target, wanted.min(limit.unwrap_or(u32::MAX)))
    }
}

impl Decision {
    /// A sentence for people.
    pub(super) fn explain(&self, case: &Case<'_>) -> String {
        let Case { file, client, .. } = case;
        let (Self::Original(reason) | Self::Transcode(_, reason)) = self;
        let what = format!("{} in {}", file.codec, file.container);
        match reason {
            Reason::Raw => "The client asked for the original".to_owned(),
            Reason::Fits => format!("{} kbit/s fit, and nothing else was asked", file.bitrate_kbps),
            Reason::AlreadySo => format!("It is {what} already"),
            Reason::Asked => "The client asked for this format".to_owned(),
            Reason::OverLimit => format!(
                "{} kbit/s are over the limit of {} kbit/s",
                file.bitrate_kbps,
                case.limit().unwrap_or(0)
            ),
            Reason::NotPlayed if client.plays(&file.container, &file.codec) => format!(
                "{} does not play {} Hz, {} channels, {} bit",
                client.name(),
                file.sample_rate,
                file.channels,
                file.bit_depth
            ),
            Reason::NotPlayed => format!("{} does not play {what}", client.name()),
            Reason::PartOfImage => "It is a part of a longer file".to_owned(),
            Reason::Loudness => "The client asked for even loudness".to_owned(),
        }
    }
}

/// Whether a file is what a target would be.
fn is_already(file: &TrackFacts, target: Target) -> bool {
    match target {
        Target::Mp3 => file.codec == "mp3",
        Target::Opus => file.codec == "opus",
        Target::Aac | Target::M4a => file.codec == "aac",
        Target::Flac => file.codec == "flac" && file.container == "flac",
        Target::Wav => file.container == "wav",
        Target::L16 => false,
    }
}

#[cfg(test)]
mod tests;
