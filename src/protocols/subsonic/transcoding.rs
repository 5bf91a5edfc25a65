//! The extension `transcoding`: a decision for what a client can do, and the stream it was about.
//! The stream alone, as its page says, tells of failures by HTTP's own status.

use std::time::Duration;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
};
use serde::{Deserialize, Serialize};

use super::{
    call::{Answer, Call},
    failure::Failure,
    hls, id, podcasts,
};
use crate::{
    Error,
    playback::{
        Agreed, Capabilities, CodecLimit, Comparison, Direct, Opened, Protocol, Quantity,
        StreamFacts, TranscodeTo,
    },
};

/// Profiles and limits of one client, of each kind.
const MOST: usize = 200;

/// `getTranscodeDecision`: by POST, with the client's capabilities as JSON.
pub(super) async fn get_transcode_decision(call: &Call) -> Answer {
    call.params.required("mediaId")?;
    check_type(call)?;
    let episode = podcasts::named(call, "mediaId");
    if episode.is_none() {
        id::track(&call.params, "mediaId")?;
    }
    if call.json.is_empty() {
        return Err(Failure::generic("The client's capabilities are missing: POST them as JSON"));
    }
    // A list would be read as an object whose members have no names.
    if call.json.trim_ascii_start().first() != Some(&b'{') {
        return Err(Failure::generic("The client's capabilities are an object of JSON"));
    }
    let client: ClientInfo = serde_json::from_slice(&call.json)
        .map_err(|error| Failure::generic(format!("The client's capabilities: {error}")))?;
    let client = client.capabilities()?;
    let (who, playback) = (&call.principal, call.playback());
    let (name, network) = (&call.client, call.network());
    let found = match episode {
        Some(episode) => {
            let source = call.outside().podcasts.source(who, episode).await?;
            playback.negotiate_source(who, &source, &client, name, network).await?
        }
        None => {
            let id = id::track(&call.params, "mediaId")?;
            playback.negotiate(who, id, &client, name, network).await?
        }
    };
    let can_do_anything = found.is_direct || found.transcode.is_some();
    let answer = TranscodeDecision {
        can_direct_play: found.is_direct,
        can_transcode: found.transcode.is_some(),
        error_reason: if can_do_anything { "" } else { "None of the client's targets can be made" },
        transcode_params: found.transcode.as_ref().map(|(_, ticket)| ticket.as_str()),
        transcode_reason: &found.reasons,
        source_stream: StreamDetails::of(&found.source),
        transcode_stream: found.transcode.as_ref().map(|(facts, _)| StreamDetails::of(facts)),
    };
    call.reply("transcodeDecision", &answer)
}

/// `getTranscodeStream`: what was decided. 400: the parameters make no sense; 404: there is no
/// such song (any more); 410: the decision is out of date.
pub(super) async fn get_transcode_stream(call: &Call) -> Answer {
    Ok(match transcode_stream(call).await {
        Ok(response) => response,
        Err(error) => refuse(&error),
    })
}

async fn transcode_stream(call: &Call) -> Result<HttpResponse, Error> {
    let invalid = |failure: Failure| Error::Invalid(failure.message.into_owned());
    let params = &call.params;
    params.required("mediaId").map_err(invalid)?;
    let ticket = params.required("transcodeParams").map_err(invalid)?;
    check_type(call).map_err(invalid)?;
    let episode = podcasts::named(call, "mediaId");
    let song = id::track(params, "mediaId");
    if !call.principal.abilities.stream {
        return Err(Error::Forbidden("This user may not play".to_owned()));
    }
    let offset = params.number::<f64>("offset").map_err(invalid)?.unwrap_or(0.0);
    let offset = Duration::try_from_secs_f64(offset)
        .map_err(|_| Error::Invalid("Parameter offset is not a time".to_owned()))?;
    let (who, playback, base) = (&call.principal, call.playback(), hls::BASE);
    let agreed = match (episode, song) {
        (Some(episode), _) => {
            let source = call.outside().podcasts.source(who, episode).await?;
            playback.open_agreed_source(who, &source, ticket, offset, base).await?
        }
        (None, Ok(song)) => playback.open_agreed(who, song, ticket, offset, base).await?,
        (None, Err(_)) => return Err(Error::NotFound("Song")),
    };
    Ok(match agreed {
        Agreed::Playlist(text) => hls::playlist(text),
        Agreed::Stream(Opened::File(body)) => crate::http::file::respond(&call.request, body),
        Agreed::Stream(Opened::Live(body)) => crate::http::live::respond(&call.request, body),
    })
}

/// A failure where clients look at HTTP's status. Never 401: apps would ask for a password (C3).
pub(super) fn refuse(error: &Error) -> HttpResponse {
    let (status, wait) = match error {
        Error::Invalid(_)
        | Error::TooLarge(_)
        | Error::NameInvalid { .. }
        | Error::UnsupportedArchive(_) => (StatusCode::BAD_REQUEST, None),
        Error::NotFound(_) => (StatusCode::NOT_FOUND, None),
        Error::Conflict(_)
        | Error::Exists { .. }
        | Error::PreconditionFailed { .. }
        | Error::OffsetConflict { .. }
        | Error::Expired(_) => (StatusCode::GONE, None),
        Error::Unauthenticated(_) | Error::Forbidden(_) | Error::SourceForbidden(_) => {
            (StatusCode::FORBIDDEN, None)
        }
        Error::Locked { .. } => (StatusCode::LOCKED, None),
        Error::TooMany { retry_after, .. } => {
            (StatusCode::TOO_MANY_REQUESTS, Some(retry_after.as_secs().max(1)))
        }
        Error::StorageDegraded(_) | Error::Unavailable(_) | Error::SourceUnreachable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, None)
        }
        Error::QuotaExceeded { .. } | Error::GraceOver { .. } | Error::StorageFull => {
            (StatusCode::INSUFFICIENT_STORAGE, None)
        }
        Error::Internal(cause) => {
            tracing::error!(error = format!("{cause:#}"), "a Subsonic stream failed");
            (StatusCode::INTERNAL_SERVER_ERROR, None)
        }
    };
    let mut response = HttpResponseBuilder::new(status);
    response.insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"));
    if let Some(seconds) = wait {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    response.body(error.to_string())
}

/// Songs, and the episodes that are stored as such.
fn check_type(call: &Call) -> Result<(), Failure> {
    match call.params.required("mediaType")? {
        "song" | "podcast" => Ok(()),
        _ => Err(Failure::generic("The media type is one of song and podcast")),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TranscodeDecision<'a> {
    can_direct_play: bool,
    can_transcode: bool,
    error_reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transcode_params: Option<&'a str>,
    // In XML the reasons are elements, which come behind all attributes.
    transcode_reason: &'a [String],
    source_stream: StreamDetails<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transcode_stream: Option<StreamDetails<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StreamDetails<'a> {
    protocol: &'static str,
    container: &'a str,
    codec: &'a str,
    audio_channels: u32,
    audio_bitrate: u64,
    audio_profile: &'a str,
    audio_samplerate: u32,
    audio_bitdepth: u32,
}

impl<'a> StreamDetails<'a> {
    fn of(facts: &'a StreamFacts) -> Self {
        Self {
            protocol: match facts.protocol {
                Protocol::Http => "http",
                Protocol::Hls => "hls",
            },
            container: &facts.container,
            codec: &facts.codec,
            audio_channels: facts.channels,
            audio_bitrate: facts.bitrate_bps,
            audio_profile: &facts.profile,
            audio_samplerate: facts.sample_rate,
            audio_bitdepth: facts.bit_depth,
        }
    }
}

/// `ClientInfo`. Members that are missing or null are as good as empty.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ClientInfo {
    max_audio_bitrate: Option<u64>,
    max_transcoding_audio_bitrate: Option<u64>,
    direct_play_profiles: Option<Vec<DirectPlayProfile>>,
    transcoding_profiles: Option<Vec<TranscodingProfile>>,
    codec_profiles: Option<Vec<CodecProfile>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct DirectPlayProfile {
    containers: Option<Vec<String>>,
    audio_codecs: Option<Vec<String>>,
    protocols: Option<Vec<String>>,
    max_audio_channels: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct TranscodingProfile {
    container: String,
    audio_codec: String,
    protocol: Option<String>,
    max_audio_channels: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CodecProfile {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    limitations: Option<Vec<Limitation>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Limitation {
    name: String,
    comparison: String,
    values: Option<Values>,
    required: Option<bool>,
}

/// The page says a text, its examples a list of them; some send numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(Value),
    Many(Vec<Value>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Number(serde_json::Number),
}

impl ClientInfo {
    fn capabilities(self) -> Result<Capabilities, Failure> {
        let limit = |bps: Option<u64>| bps.filter(|bps| 0 < *bps);
        let channels = |most: Option<u32>| most.filter(|most| 0 < *most);
        let direct = self.direct_play_profiles.unwrap_or_default();
        let targets = self.transcoding_profiles.unwrap_or_default();
        let codecs = self.codec_profiles.unwrap_or_default();
        let of_codec = |codec: &CodecProfile| codec.limitations.as_ref().map_or(0, Vec::len);
        let limits: usize = codecs.iter().map(of_codec).sum();
        if MOST < direct.len() || MOST < targets.len() || MOST < codecs.len() || MOST < limits {
            return Err(Failure::generic(format!("A client has {MOST} profiles at most")));
        }
        Ok(Capabilities {
            max_bps: limit(self.max_audio_bitrate),
            max_transcoded_bps: limit(self.max_transcoding_audio_bitrate),
            direct: direct
                .into_iter()
                .map(|profile| Direct {
                    containers: profile.containers.unwrap_or_default(),
                    codecs: profile.audio_codecs.unwrap_or_default(),
                    protocols: profile
                        .protocols
                        .filter(|list| !list.is_empty())
                        .map(|list| list.iter().filter_map(|name| protocol(name)).collect()),
                    max_channels: channels(profile.max_audio_channels),
                })
                .collect(),
            targets: targets
                .into_iter()
                .filter_map(|profile| {
                    Some(TranscodeTo {
                        protocol: protocol(profile.protocol.as_deref().unwrap_or("http"))?,
                        container: profile.container,
                        codec: profile.audio_codec,
                        max_channels: channels(profile.max_audio_channels),
                    })
                })
                .collect(),
            limits: codecs
                .into_iter()
                .filter(|codec| codec.kind.is_empty() || codec.kind == "AudioCodec")
                .flat_map(|codec| {
                    let name = codec.name;
                    let limits = codec.limitations.unwrap_or_default();
                    limits.into_iter().filter_map(move |limit| limit.of(&name))
                })
                .collect(),
        })
    }
}

impl Limitation {
    /// `None` for what we do not know: a limit that nobody understands limits nothing.
    fn of(self, codec: &str) -> Option<CodecLimit> {
        let text = |value| match value {
            Value::Text(text) => text,
            Value::Number(number) => number.to_string(),
        };
        Some(CodecLimit {
            codec: codec.to_owned(),
            quantity: match self.name.as_str() {
                "audioChannels" => Quantity::Channels,
                "audioBitrate" => Quantity::Bitrate,
                "audioProfile" => Quantity::Profile,
                "audioSamplerate" => Quantity::SampleRate,
                "audioBitdepth" => Quantity::BitDepth,
                _ => return None,
            },
            comparison: match self.comparison.as_str() {
                "Equals" => Comparison::Equals,
                "NotEquals" => Comparison::NotEquals,
                "LessThanEqual" => Comparison::LessThanEqual,
                "GreaterThanEqual" => Comparison::GreaterThanEqual,
                _ => return None,
            },
            values: match self.values? {
                Values::One(value) => vec![text(value)],
                Values::Many(values) => values.into_iter().map(text).collect(),
            },
            is_required: self.required.unwrap_or(true),
        })
    }
}

fn protocol(name: &str) -> Option<Protocol> {
    match name.to_ascii_lowercase().as_str() {
        "http" | "" => Some(Protocol::Http),
        "hls" => Some(Protocol::Hls),
        _ => None,
    }
}
