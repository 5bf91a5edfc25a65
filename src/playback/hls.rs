//! HTTP Live Streaming (RFC 8216) of tracks: AAC in fragmented MP4, cut at packets of the encoder,
//! so that segments fit each other to the sample and each can be made by itself. Addresses carry a
//! signed ticket that says whose, what and until when; no credential stands in a playlist.

use std::{fmt::Write as _, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Network, Opened, Playback, Target,
    decision::Recipe,
    gain::level,
    open::Making,
    tickets::{Version, Written},
};
use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{TrackFacts, TrackSource},
    clock::Millis,
    ids::{TrackId, UserId},
    media::{
        decode::{Cut, common_rate},
        fragments::{self, PACKET, Sound},
    },
};

/// Keeps these tickets apart from others.
const PURPOSE: &str = "hls";

/// About how long a segment is.
const SEGMENT_SECONDS: u64 = 6;

/// Variants of a master playlist.
const MOST_VARIANTS: usize = 8;

/// A ticket lives as long as the track takes, and this long beyond.
const PAUSES: Duration = Duration::from_hours(6);

/// Whose, what and until when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HlsTicket {
    #[serde(rename = "u")]
    user: UserId,
    #[serde(rename = "v")]
    version: Version,
    #[serde(rename = "r")]
    recipe: Written,
    #[serde(rename = "e")]
    expires_at: Millis,
}

/// What is behind an address of a playlist.
#[derive(Debug)]
pub enum HlsPart {
    /// A media playlist.
    Playlist(String),
    /// The header of the segments.
    Header(Vec<u8>),
    /// A segment.
    Segment(Opened),
}

/// How a track is cut. All numbers follow from what the catalogue knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grid {
    rate: u32,
    /// Samples a channel.
    total: u64,
    /// Packets a segment.
    packets: u64,
}

impl HlsTicket {
    /// Whom its bearer stands for.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// What it is about.
    #[must_use]
    pub fn track(&self) -> TrackId {
        self.version.track()
    }

    fn alive_at(self, now: Millis) -> Result<Self> {
        if self.expires_at < now {
            return Err(Error::Conflict("This address is over; ask for a new playlist".to_owned()));
        }
        Ok(self)
    }
}

impl Playback {
    /// The playlist of a track. One bitrate or none: its segments; several: a master playlist of
    /// them. Bitrates are held to what the principal may have. `base` stands before addresses.
    pub async fn hls(
        &self,
        principal: &Principal,
        track: TrackId,
        kbps: &[u32],
        client: &str,
        network: Network,
        base: &str,
    ) -> Result<String> {
        let source = self.inner.catalog.track_source(principal, track).await?;
        self.hls_source(principal, &source, kbps, client, network, base).await
    }

    /// The same of what is no track of the catalogue, and whose place is known already.
    pub async fn hls_source(
        &self,
        principal: &Principal,
        source: &TrackSource,
        kbps: &[u32],
        client: &str,
        network: Network,
        base: &str,
    ) -> Result<String> {
        let file = &source.track.facts;
        let profile = self.profile_of(client).await?;
        let ours = match network {
            Network::Lan => profile.lan_kbps,
            Network::Outside => profile.outside_kbps,
        };
        let cap = [principal.caps.max_bitrate_kbps, ours].into_iter().flatten().min();
        let gain = match profile.gain {
            Some(gain) => gain,
            None => self.gain_of(principal).await?,
        };
        let usual = Target::M4a.usual_bitrate_kbps().unwrap_or(192);
        let wanted = if kbps.is_empty() { &[usual][..] } else { kbps };
        let mut recipes: Vec<Recipe> = Vec::new();
        for kbps in wanted.iter().take(MOST_VARIANTS) {
            let mut recipe = Recipe::lossy(file, Target::M4a, (*kbps).min(cap.unwrap_or(u32::MAX)));
            recipe.level = level(gain, &file.gain);
            if !recipes.contains(&recipe) {
                recipes.push(recipe);
            }
        }
        if let [only] = &recipes[..] {
            return self.hls_of(principal, source, only, base);
        }
        let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        for recipe in &recipes {
            let bits = recipe.bitrate_kbps.unwrap_or(usual) * 1000;
            let ticket = self.hls_ticket(principal, file, recipe)?;
            // A tenth more for containers and for the encoder's freedom.
            let _ = writeln!(
                text,
                "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={bits},CODECS=\"mp4a.40.2\"\n{base}{ticket}/index.m3u8",
                bits + bits / 10
            );
        }
        Ok(text)
    }

    /// The media playlist of one recipe.
    pub(super) fn hls_of(
        &self,
        principal: &Principal,
        source: &TrackSource,
        recipe: &Recipe,
        base: &str,
    ) -> Result<String> {
        let file = &source.track.facts;
        let ticket = self.hls_ticket(principal, file, recipe)?;
        Ok(Grid::of(file, recipe)?.playlist(&format!("{base}{ticket}/")))
    }

    /// Reads a ticket. `NotFound`: it is not ours; `Conflict`: it is over.
    pub fn hls_ticket_of(&self, text: &str) -> Result<HlsTicket> {
        let ticket: HlsTicket =
            self.inner.signer.open(PURPOSE, text).ok_or(Error::NotFound("Stream"))?;
        ticket.alive_at(self.inner.clock.now())
    }

    /// What is behind an address: `index.m3u8`, `init.mp4`, `0.m4s` and on.
    pub async fn hls_part(
        &self,
        principal: &Principal,
        ticket: &HlsTicket,
        name: &str,
    ) -> Result<HlsPart> {
        let source = self.inner.catalog.track_source(principal, ticket.track()).await?;
        self.hls_part_of(principal, &source, ticket, name).await
    }

    /// The same of what is no track of the catalogue.
    pub async fn hls_part_of(
        &self,
        principal: &Principal,
        source: &TrackSource,
        ticket: &HlsTicket,
        name: &str,
    ) -> Result<HlsPart> {
        let file = &source.track.facts;
        if ticket.version != Version::of(file) {
            return Err(Error::Conflict("The file has changed".to_owned()));
        }
        let mut recipe = ticket.recipe.recipe().ok_or(Error::NotFound("Stream"))?;
        let grid = Grid::of(file, &recipe)?;
        match name {
            "index.m3u8" => return Ok(HlsPart::Playlist(grid.playlist(""))),
            "init.mp4" => {
                return Ok(HlsPart::Header(fragments::header(&Sound {
                    rate: grid.rate,
                    channels: recipe.channel_count(file),
                    bitrate_kbps: recipe.bitrate_kbps.unwrap_or(0),
                    total: Some(grid.total),
                })));
            }
            _ => (),
        }
        let number = name.strip_suffix(".m4s").and_then(|number| number.parse::<u32>().ok());
        let cut = number.and_then(|number| grid.cut(number)).ok_or(Error::NotFound("Segment"))?;
        recipe.sample_rate = Some(grid.rate);
        recipe.channels = Some(recipe.channel_count(file));
        let making =
            Making { source, recipe, offset: Duration::ZERO, is_estimated: false, cut: Some(cut) };
        Ok(HlsPart::Segment(self.make(principal, &making).await?))
    }

    fn hls_ticket(
        &self,
        principal: &Principal,
        file: &TrackFacts,
        recipe: &Recipe,
    ) -> Result<String> {
        let pauses = i64::try_from(PAUSES.as_millis()).unwrap_or(i64::MAX);
        let lives = pauses.saturating_add_unsigned(file.duration_ms);
        let ticket = HlsTicket {
            user: principal.user,
            version: Version::of(file),
            recipe: Written::from(recipe),
            expires_at: self.inner.clock.now().saturating_add(lives),
        };
        self.inner.signer.seal(PURPOSE, &ticket)
    }
}

impl Grid {
    fn of(file: &TrackFacts, recipe: &Recipe) -> Result<Self> {
        let rate = common_rate(recipe.rate(file));
        let total = file.duration_ms.saturating_mul(rate.into()) / 1000;
        if total == 0 {
            return Err(Error::Unavailable("Nobody knows how long this track is".to_owned()));
        }
        Ok(Self { rate, total, packets: (SEGMENT_SECONDS * u64::from(rate)).div_ceil(PACKET) })
    }

    fn segments(&self) -> u64 {
        self.total.div_ceil(self.packets * PACKET)
    }

    /// Samples of a segment, the encoder's start-up not counted.
    fn samples(&self, number: u64) -> u64 {
        let whole = self.packets * PACKET;
        self.total.saturating_sub(number * whole).min(whole)
    }

    /// Which packets make a segment; `None` behind the last. The packet before a sample's own is
    /// played with it, so the first segment has one more.
    fn cut(&self, number: u32) -> Option<Cut> {
        let at = u64::from(number);
        if self.segments() <= at {
            return None;
        }
        let first = if at == 0 { 0 } else { at * self.packets + 1 };
        let end = at * self.packets + self.samples(at).div_ceil(PACKET) + 1;
        let packets = u32::try_from(end - first).ok()?;
        Some(Cut { number, first, packets, total: self.total })
    }

    fn playlist(&self, base: &str) -> String {
        let longest = (self.samples(0)).div_ceil(u64::from(self.rate));
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{longest}\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"{base}init.mp4\"\n"
        );
        for number in 0..self.segments() {
            let seconds = self.samples(number) as f64 / f64::from(self.rate);
            let _ = write!(text, "#EXTINF:{seconds:.8},\n{base}{number}.m4s\n");
        }
        text += "#EXT-X-ENDLIST\n";
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_end() {
        let file = TrackFacts { duration_ms: 200_000, ..TrackFacts::default() };
        let ticket = HlsTicket {
            user: UserId(3),
            version: Version::of(&file),
            recipe: Written::from(&Recipe::lossy(&file, Target::M4a, 128)),
            expires_at: 5_000,
        };
        assert_eq!(ticket.clone().alive_at(5_000).unwrap().user(), UserId(3));
        assert!(matches!(ticket.alive_at(5_001), Err(Error::Conflict(_))));
    }

    #[test]
    fn segments_cover_every_packet_once() {
        for (rate, duration_ms) in
            [(44_100, 1), (44_100, 5_990), (48_000, 6_016), (44_100, 240_123), (22_050, 61_000)]
        {
            let file = TrackFacts { sample_rate: rate, duration_ms, ..TrackFacts::default() };
            let grid = Grid::of(&file, &Recipe::lossy(&file, Target::M4a, 128)).unwrap();
            let cuts: Vec<Cut> = (0..).map_while(|number| grid.cut(number)).collect();
            assert_eq!(cuts.len() as u64, grid.segments());
            let mut next = 0;
            for cut in &cuts {
                assert_eq!(cut.first, next);
                next += u64::from(cut.packets);
            }
            assert_eq!(next, fragments::packets(grid.total), "{rate} {duration_ms}");
            let sum: u64 = (0..grid.segments()).map(|number| grid.samples(number)).sum();
            assert_eq!(sum, grid.total);
            let text = grid.playlist("x/");
            let durations = text.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
            let seconds: f64 =
                durations.map(|line| line.trim_end_matches(',').parse::<f64>().unwrap()).sum();
            assert!((seconds - grid.total as f64 / f64::from(rate)).abs() < 1e-6);
            assert!(text.ends_with("#EXT-X-ENDLIST\n") && text.contains("\nx/0.m4s\n"));
        }
        assert!(
            Grid::of(
                &TrackFacts::default(),
                &Recipe::lossy(&TrackFacts::default(), Target::M4a, 128)
            )
            .is_err()
        );
    }
}
