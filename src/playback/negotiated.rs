//! The two halves of a negotiation (OpenSubsonic `transcoding`): a proposal for what a client can
//! do, with a ticket for the transcode, and the bytes that the ticket stands for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Capabilities, Network, Opened, Playback, Protocol, StreamFacts,
    decision::{Negotiation, negotiate, source_facts},
    gain::level,
    open::Making,
    tickets::{Version, Written},
};
use crate::{Error, Result, accounts::Principal, catalog::TrackSource, ids::TrackId};

/// Keeps these tickets apart from others.
const PURPOSE: &str = "transcode";

/// What a client is offered.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// It plays the original.
    pub is_direct: bool,
    /// Why not, a sentence for each of its direct-play profiles.
    pub reasons: Vec<String>,
    /// The original.
    pub source: StreamFacts,
    /// The transcode, and the ticket for [`Playback::open_agreed`].
    pub transcode: Option<(StreamFacts, String)>,
}

/// What a ticket stood for.
#[derive(Debug)]
pub enum Agreed {
    /// Bytes.
    Stream(Opened),
    /// An HLS playlist.
    Playlist(String),
}

#[derive(Serialize, Deserialize)]
struct Ticket(Version, Written, bool);

impl Playback {
    /// What a client with these capabilities is offered of a track.
    pub async fn negotiate(
        &self,
        principal: &Principal,
        track: TrackId,
        client: &Capabilities,
        client_name: &str,
        network: Network,
    ) -> Result<Proposal> {
        let source = self.inner.catalog.track_source(principal, track).await?;
        self.negotiate_source(principal, &source, client, client_name, network).await
    }

    /// The same of what is no track of the catalogue, and whose place is known already.
    pub async fn negotiate_source(
        &self,
        principal: &Principal,
        source: &TrackSource,
        client: &Capabilities,
        client_name: &str,
        network: Network,
    ) -> Result<Proposal> {
        let file = &source.track.facts;
        let profile = self.profile_of(client_name).await?;
        let ours = match network {
            Network::Lan => profile.lan_kbps,
            Network::Outside => profile.outside_kbps,
        };
        let cap = [principal.caps.max_bitrate_kbps, ours].into_iter().flatten().min();
        let Negotiation { is_direct, reasons, transcode } =
            negotiate(file, source.range_ms.is_some(), client, cap);
        let transcode = match transcode {
            None => None,
            Some((mut recipe, protocol, facts)) => {
                let gain = match profile.gain {
                    Some(gain) => gain,
                    None => self.gain_of(principal).await?,
                };
                recipe.level = level(gain, &file.gain);
                let is_hls = protocol == Protocol::Hls;
                let ticket = Ticket(Version::of(file), Written::from(&recipe), is_hls);
                Some((facts, self.inner.signer.seal(PURPOSE, &ticket)?))
            }
        };
        tracing::debug!(track = %file.id, client = client_name, is_direct, ?reasons, "negotiated");
        Ok(Proposal { is_direct, reasons, source: source_facts(file), transcode })
    }

    /// Opens what was agreed. `Invalid`: the ticket is not ours, or for another track. `Conflict`:
    /// it is out of date, because the file changed or the principal may have less now.
    pub async fn open_agreed(
        &self,
        principal: &Principal,
        track: TrackId,
        ticket: &str,
        offset: Duration,
        base: &str,
    ) -> Result<Agreed> {
        let ticket = self.agreed(track, ticket)?;
        let source = self.inner.catalog.track_source(principal, track).await?;
        self.keep_to(principal, &source, ticket, offset, base).await
    }

    /// The same of what is no track of the catalogue.
    pub async fn open_agreed_source(
        &self,
        principal: &Principal,
        source: &TrackSource,
        ticket: &str,
        offset: Duration,
        base: &str,
    ) -> Result<Agreed> {
        let ticket = self.agreed(source.track.id, ticket)?;
        self.keep_to(principal, source, ticket, offset, base).await
    }

    fn agreed(&self, track: TrackId, ticket: &str) -> Result<Ticket> {
        self.inner
            .signer
            .open(PURPOSE, ticket)
            .filter(|Ticket(version, ..)| version.track() == track)
            .ok_or_else(|| Error::Invalid("These transcodeParams are not for this".to_owned()))
    }

    async fn keep_to(
        &self,
        principal: &Principal,
        source: &TrackSource,
        Ticket(version, written, is_hls): Ticket,
        offset: Duration,
        base: &str,
    ) -> Result<Agreed> {
        let file = &source.track.facts;
        let stale = |why: &str| Error::Conflict(format!("{why}; ask for a new decision"));
        if version != Version::of(file) {
            return Err(stale("The file has changed"));
        }
        let recipe = written.recipe().ok_or_else(|| stale("The decision is out of date"))?;
        if principal.caps.max_bitrate_kbps.is_some_and(|most| most < recipe.kbps(file)) {
            return Err(stale("This bitrate is not allowed any more"));
        }
        if Duration::from_millis(file.duration_ms) <= offset && !offset.is_zero() {
            return Err(Error::Invalid("This offset is beyond the end".to_owned()));
        }
        if is_hls {
            return Ok(Agreed::Playlist(self.hls_of(principal, source, &recipe, base)?));
        }
        let making = Making { source, recipe, offset, is_estimated: false, cut: None };
        Ok(Agreed::Stream(self.make(principal, &making).await?))
    }
}
