//! What a client says it can do (OpenSubsonic `ClientInfo`), and what follows from it: whether it
//! plays the original, why not, and the first of its own targets that can be made. Pure.

use super::{
    super::Target,
    recipe::{Recipe, is_lossy, most_kbps},
};
use crate::catalog::TrackFacts;

/// How bytes travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// One answer.
    #[default]
    Http,
    /// A playlist of segments.
    Hls,
}

/// What a client can do. Empty lists of containers, codecs and protocols mean any.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    /// Most bit/s of an original.
    pub max_bps: Option<u64>,
    /// Most bit/s of a transcode.
    pub max_transcoded_bps: Option<u64>,
    /// What it plays as it is.
    pub direct: Vec<Direct>,
    /// What it wants else, the dearest first.
    pub targets: Vec<TranscodeTo>,
    /// What codecs may have.
    pub limits: Vec<CodecLimit>,
}

/// Forms that a client plays as they are.
#[derive(Debug, Clone, Default)]
pub struct Direct {
    /// Container names.
    pub containers: Vec<String>,
    /// Codec names.
    pub codecs: Vec<String>,
    /// Protocols; unknown ones are left out, and a list of nothing else fits nothing.
    pub protocols: Option<Vec<Protocol>>,
    /// Channels.
    pub max_channels: Option<u32>,
}

/// A form that a client wants to be given.
#[derive(Debug, Clone, Default)]
pub struct TranscodeTo {
    /// Container name.
    pub container: String,
    /// Codec name.
    pub codec: String,
    /// How.
    pub protocol: Protocol,
    /// Channels.
    pub max_channels: Option<u32>,
}

/// A property of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Channels.
    Channels,
    /// bit/s.
    Bitrate,
    /// The codec's profile, as text.
    Profile,
    /// Hz.
    SampleRate,
    /// Bits a sample.
    BitDepth,
}

/// How a property is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// One of the values.
    Equals,
    /// None of the values.
    NotEquals,
    /// At most the first value.
    LessThanEqual,
    /// At least the first value.
    GreaterThanEqual,
}

/// A limit of a codec.
#[derive(Debug, Clone)]
pub struct CodecLimit {
    /// Codec name.
    pub codec: String,
    /// Of what.
    pub quantity: Quantity,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub values: Vec<String>,
    /// Without it the client does not play; others are wishes.
    pub is_required: bool,
}

/// What a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFacts {
    /// How it travels.
    pub protocol: Protocol,
    /// Container name.
    pub container: String,
    /// Codec name.
    pub codec: String,
    /// Channels.
    pub channels: u32,
    /// bit/s.
    pub bitrate_bps: u64,
    /// Hz.
    pub sample_rate: u32,
    /// Bits a sample; 0 for lossy ones.
    pub bit_depth: u32,
    /// The codec's profile; '' where it has none or nobody knows.
    pub profile: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::playback) struct Negotiation {
    /// The client plays the original.
    pub(in crate::playback) is_direct: bool,
    /// Why not: a sentence for each of its direct-play profiles, or for what stands above them.
    pub(in crate::playback) reasons: Vec<String>,
    /// What it is given instead.
    pub(in crate::playback) transcode: Option<(Recipe, Protocol, StreamFacts)>,
}

/// Finds out. `cap_kbps`: what user, plan and network allow. `is_part`: there is no original.
pub(in crate::playback) fn negotiate(
    file: &TrackFacts,
    is_part: bool,
    client: &Capabilities,
    cap_kbps: Option<u32>,
) -> Negotiation {
    let reasons = refusals(file, is_part, client, cap_kbps);
    let is_direct = reasons.is_empty();
    // From lossy to lossless only where nothing else is wanted.
    let makes_sense = |target: Target| !(is_lossy(file) && target.is_lossless());
    let made = |with_waste: bool| {
        client.targets.iter().find_map(|wanted| {
            let target = target_of(wanted)?;
            if makes_sense(target) == with_waste {
                return None;
            }
            let recipe = recipe(file, target, wanted, client, cap_kbps)?;
            let facts = facts_of(&recipe, wanted, file);
            Some((recipe, wanted.protocol, facts))
        })
    };
    let transcode = made(false).or_else(|| made(true));
    Negotiation { is_direct, reasons, transcode }
}

/// The original, as a stream.
pub(in crate::playback) fn source_facts(file: &TrackFacts) -> StreamFacts {
    StreamFacts {
        protocol: Protocol::Http,
        container: file.container.clone(),
        codec: file.codec.clone(),
        channels: file.channels,
        bitrate_bps: u64::from(file.bitrate_kbps) * 1000,
        sample_rate: file.sample_rate,
        bit_depth: file.bit_depth,
        profile: file.extra.profile.clone(),
    }
}

fn refusals(
    file: &TrackFacts,
    is_part: bool,
    client: &Capabilities,
    cap_kbps: Option<u32>,
) -> Vec<String> {
    let source = source_facts(file);
    let over = |most: u64, whose: &str| {
        format!("AudioBitrateTooHigh: {} bit/s over {whose} {most}", source.bitrate_bps)
    };
    if is_part {
        return vec!["PartOfImage: the track is a part of a longer file".to_owned()];
    }
    if let Some(most) = client.max_bps.filter(|most| *most < source.bitrate_bps) {
        return vec![over(most, "the client's")];
    }
    let cap = cap_kbps.map(|kbps| u64::from(kbps) * 1000);
    if let Some(most) = cap.filter(|most| *most < source.bitrate_bps) {
        return vec![over(most, "the allowed")];
    }
    if client.direct.is_empty() {
        return vec!["NoDirectPlayProfile: the client plays nothing as it is".to_owned()];
    }
    let found: Vec<Option<String>> =
        client.direct.iter().map(|direct| refusal(&source, direct, client)).collect();
    if found.iter().any(Option::is_none) {
        Vec::new()
    } else {
        found.into_iter().flatten().collect()
    }
}

/// Why one direct-play profile does not fit.
fn refusal(source: &StreamFacts, direct: &Direct, client: &Capabilities) -> Option<String> {
    let listed = |list: &[String], name: &str, plain: fn(&str) -> String| {
        list.is_empty() || list.iter().any(|each| plain(each) == plain(name))
    };
    if !listed(&direct.containers, &source.container, container) {
        return Some(format!("ContainerNotSupported: {}", source.container));
    }
    if !listed(&direct.codecs, &source.codec, codec) {
        return Some(format!("AudioCodecNotSupported: {}", source.codec));
    }
    let is_http = direct.protocols.as_ref().is_none_or(|list| list.contains(&Protocol::Http));
    if !is_http {
        return Some("ProtocolNotSupported: http".to_owned());
    }
    if direct.max_channels.is_some_and(|most| most < source.channels) {
        return Some(format!("AudioChannelsNotSupported: {}", source.channels));
    }
    let broken = client.limits.iter().find(|limit| {
        limit.is_required && codec(&limit.codec) == codec(&source.codec) && !limit.holds(source)
    })?;
    Some(match broken.quantity {
        Quantity::Channels => format!("AudioChannelsNotSupported: {}", source.channels),
        Quantity::Bitrate => format!("AudioBitrateNotSupported: {}", source.bitrate_bps),
        Quantity::Profile => format!("AudioProfileNotSupported: {}", source.profile),
        Quantity::SampleRate => format!("AudioSampleRateNotSupported: {}", source.sample_rate),
        Quantity::BitDepth => format!("AudioBitdepthNotSupported: {}", source.bit_depth),
    })
}

/// Our target for a wanted form.
fn target_of(wanted: &TranscodeTo) -> Option<Target> {
    let (container, codec) = (container(&wanted.container), codec(&wanted.codec));
    if wanted.protocol == Protocol::Hls {
        // Segments of fragmented MP4; whoever names no container takes them.
        let is_mp4 = ["mp4", "", "hls", "fmp4", "m4s", "cmaf"].contains(&container.as_str());
        return (codec == "aac" && is_mp4).then_some(Target::M4a);
    }
    Target::ALL.into_iter().filter(|target| *target != Target::L16).find(|target| {
        let (its_container, its_codec) = target.names();
        codec == its_codec && (container == its_container || container.is_empty())
    })
}

/// A recipe that keeps within everything; `None` where that cannot be.
fn recipe(
    file: &TrackFacts,
    target: Target,
    wanted: &TranscodeTo,
    client: &Capabilities,
    cap_kbps: Option<u32>,
) -> Option<Recipe> {
    let (_, name) = target.names();
    let limits: Vec<&CodecLimit> =
        client.limits.iter().filter(|limit| codec(&limit.codec) == name).collect();
    let cap = client.max_transcoded_bps.map(|bps| (bps / 1000).try_into().unwrap_or(u32::MAX));
    let cap = [cap, cap_kbps].into_iter().flatten().min();
    let mut made = if target.is_lossless() {
        Recipe::lossless(file, target)
    } else {
        let usual = target.usual_bitrate_kbps().unwrap_or_else(|| most_kbps(target));
        Recipe::lossy(file, target, usual.min(cap.unwrap_or(u32::MAX)))
    };
    let channels = made.channel_count(file).min(wanted.max_channels.unwrap_or(u32::MAX));
    let chosen = choose(&limits, Quantity::Channels, channels.max(1), 1..=channels.max(1))?;
    made.channels = Some(chosen);
    let rate = made.rate(file);
    let rates = if target == Target::Opus { vec![48_000] } else { rates_near(rate) };
    made.sample_rate = Some(choose(&limits, Quantity::SampleRate, rate, rates)?);
    if target.is_lossless() {
        let depth = made.depth(file);
        made.bit_depth = Some(choose(&limits, Quantity::BitDepth, depth, [16])?);
    } else {
        let kbps = made.bitrate_kbps?;
        let lower = (8..kbps).rev().map(|kbps| kbps * 1000);
        let bps = choose(&limits, Quantity::Bitrate, kbps * 1000, lower)?;
        made.bitrate_kbps = Some(bps / 1000);
    }
    let facts = facts_of(&made, wanted, file);
    let is_kept = limits.iter().all(|limit| !limit.is_required || limit.holds(&facts));
    let is_within = cap.is_none_or(|cap| made.kbps(file) <= cap);
    (is_kept && is_within).then_some(made)
}

/// The natural value, or the first other one within all limits of this quantity. Limits that are
/// mere wishes give way.
fn choose(
    limits: &[&CodecLimit],
    quantity: Quantity,
    natural: u32,
    others: impl IntoIterator<Item = u32>,
) -> Option<u32> {
    let of_it: Vec<_> = limits.iter().filter(|limit| limit.quantity == quantity).collect();
    let mut candidates = vec![natural];
    candidates.extend(others);
    let best = |only_required: bool| {
        candidates.iter().copied().find(|value| {
            of_it
                .iter()
                .filter(|limit| limit.is_required || !only_required)
                .all(|limit| limit.allows(u64::from(*value)))
        })
    };
    best(false).or_else(|| best(true))
}

/// Other rates, those above first, for nothing is lost in them, then the nearest below.
fn rates_near(rate: u32) -> Vec<u32> {
    const RATES: [u32; 8] = [192_000, 96_000, 88_200, 48_000, 44_100, 32_000, 24_000, 22_050];
    let below = RATES.into_iter().filter(|other| *other < rate);
    let above = RATES.into_iter().rev().filter(|other| rate < *other && *other <= 48_000);
    above.chain(below).collect()
}

fn facts_of(recipe: &Recipe, wanted: &TranscodeTo, file: &TrackFacts) -> StreamFacts {
    let (container, codec) = recipe.target.names();
    StreamFacts {
        protocol: wanted.protocol,
        container: container.to_owned(),
        codec: codec.to_owned(),
        channels: recipe.channel_count(file),
        bitrate_bps: u64::from(recipe.kbps(file)) * 1000,
        sample_rate: recipe.rate(file),
        bit_depth: recipe.depth(file),
        // What our encoder makes.
        profile: if codec == "aac" { "LC".to_owned() } else { String::new() },
    }
}

impl CodecLimit {
    fn holds(&self, facts: &StreamFacts) -> bool {
        match self.quantity {
            Quantity::Channels => self.allows(facts.channels.into()),
            Quantity::Bitrate => self.allows(facts.bitrate_bps),
            Quantity::SampleRate => self.allows(facts.sample_rate.into()),
            // Lossy codecs have none.
            Quantity::BitDepth => facts.bit_depth == 0 || self.allows(facts.bit_depth.into()),
            // Where nobody knows the profile nothing is held against it.
            Quantity::Profile => facts.profile.is_empty() || self.names(&facts.profile),
        }
    }

    /// Whether this profile is one that is allowed. Profiles have no order.
    fn names(&self, is: &str) -> bool {
        let is_named = self.values.iter().any(|value| profile(value) == profile(is));
        match self.comparison {
            Comparison::Equals => is_named || self.values.is_empty(),
            Comparison::NotEquals => !is_named,
            Comparison::LessThanEqual | Comparison::GreaterThanEqual => true,
        }
    }

    /// Values that are no numbers are not compared.
    fn allows(&self, value: u64) -> bool {
        let numbers: Vec<u64> =
            self.values.iter().filter_map(|value| value.trim().parse().ok()).collect();
        let Some(first) = numbers.first() else { return true };
        match self.comparison {
            Comparison::Equals => numbers.contains(&value),
            Comparison::NotEquals => !numbers.contains(&value),
            Comparison::LessThanEqual => value <= *first,
            Comparison::GreaterThanEqual => *first <= value,
        }
    }
}

/// One name for a container, whatever clients call it.
fn container(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "m4a" | "m4b" | "mov" | "mpeg4" => "mp4",
        "oga" | "opus" => "ogg",
        "wave" => "wav",
        "aif" | "aifc" => "aiff",
        "adts" => "aac",
        "wv" => "wavpack",
        "mpc" => "musepack",
        "wma" => "asf",
        "mka" | "webm" => "matroska",
        "mpeg" => "mp3",
        _ => return name,
    }
    .to_owned()
}

/// One name for a profile of AAC, whatever clients call it.
fn profile(name: &str) -> String {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    match plain.as_str() {
        "aaclc" | "lowcomplexity" | "mp4a402" => "lc",
        "he" | "heaacv1" | "aache" | "aacplus" | "sbr" | "mp4a405" => "heaac",
        "hev2" | "aachev2" | "eaacplus" | "ps" | "mp4a4029" => "heaacv2",
        "aacmain" | "mp4a401" => "main",
        "aacltp" | "mp4a404" => "ltp",
        "aacssr" | "mp4a403" => "ssr",
        "xhe" | "usac" | "mp4a4042" => "xheaac",
        "aacld" | "mp4a4023" => "ld",
        _ => return plain,
    }
    .to_owned()
}

/// One name for a codec, whatever clients call it.
fn codec(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "mp4a" | "aac-lc" | "aac_lc" | "mp4a.40.2" => "aac",
        "wav" | "lpcm" => "pcm",
        "wv" => "wavpack",
        "mpeg" => "mp3",
        other if other.starts_with("pcm_") => "pcm",
        _ => return name,
    }
    .to_owned()
}

#[cfg(test)]
#[path = "capabilities_tests.rs"]
mod tests;
