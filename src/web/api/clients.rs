//! What is known of apps, for administrators; one's own wish of loudness; and why a track comes
//! as it does.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json, Path},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    caller::Caller,
    lists::{all, done},
};
use crate::{
    Error, Result,
    http::origin,
    ids::TrackId,
    playback::{BitrateMode, ClientProfile, Gain, Network, Target, Wish, WishFormat},
    web::{Handles, failure::Answer, query::Query},
};

/// A profile without its name.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Profile {
    #[serde(default)]
    note: String,
    /// `codec` or `container/codec`; nothing = everything.
    #[serde(default)]
    plays: Vec<String>,
    max_sample_rate: Option<u32>,
    max_channels: Option<u32>,
    max_bit_depth: Option<u32>,
    /// A suffix.
    target: String,
    #[serde(default)]
    mode: BitrateMode,
    /// kbit/s.
    lan_limit: Option<u32>,
    /// kbit/s.
    outside_limit: Option<u32>,
    gain: Option<Gain>,
}

#[derive(Serialize)]
struct Named<'a> {
    client: &'a str,
    #[serde(flatten)]
    profile: Profile,
}

/// One's own wishes of listening.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listening {
    gain: Gain,
}

/// A stream as an app would ask for it.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    client: String,
    format: Option<String>,
    /// kbit/s.
    bitrate: Option<u32>,
    gain: Option<Gain>,
}

/// GET /clients
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let profiles = of.playback.client_profiles(&caller.principal).await?;
    Ok(all(profiles.iter().map(|known| Named {
        client: &known.client,
        profile: Profile {
            note: known.note.clone(),
            plays: known.plays.clone(),
            max_sample_rate: known.max_sample_rate,
            max_channels: known.max_channels,
            max_bit_depth: known.max_bit_depth,
            target: known.target.suffix().to_owned(),
            mode: known.mode,
            lan_limit: known.lan_kbps,
            outside_limit: known.outside_kbps,
            gain: known.gain,
        },
    })))
}

/// PUT /clients/NAME
pub(super) async fn set(
    caller: Caller,
    of: Data<Handles>,
    client: Path<String>,
    wanted: Json<Profile>,
) -> Answer {
    caller.principal.require_admin()?;
    let wanted = wanted.into_inner();
    let profile = ClientProfile {
        client: client.into_inner(),
        target: target(&wanted.target)?,
        note: wanted.note,
        plays: wanted.plays,
        max_sample_rate: wanted.max_sample_rate,
        max_channels: wanted.max_channels,
        max_bit_depth: wanted.max_bit_depth,
        mode: wanted.mode,
        lan_kbps: wanted.lan_limit,
        outside_kbps: wanted.outside_limit,
        gain: wanted.gain,
    };
    of.playback.set_client_profile(&caller.principal, &profile).await?;
    Ok(done())
}

/// DELETE /clients/NAME
pub(super) async fn remove(caller: Caller, of: Data<Handles>, client: Path<String>) -> Answer {
    of.playback.remove_client_profile(&caller.principal, &client).await?;
    Ok(done())
}

/// GET /listening
pub(super) async fn listening(caller: Caller, of: Data<Handles>) -> Answer {
    let gain = of.playback.gain_of(&caller.principal).await?;
    Ok(HttpResponse::Ok().json(Listening { gain }))
}

/// PUT /listening
pub(super) async fn set_listening(
    caller: Caller,
    of: Data<Handles>,
    wanted: Json<Listening>,
) -> Answer {
    of.playback.set_gain(&caller.principal, wanted.gain).await?;
    Ok(done())
}

/// GET /tracks/ID/decision
pub(super) async fn decision(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    asked: Query<Asked>,
) -> Answer {
    let id = TrackId::parse(&id).ok_or(Error::NotFound("Track"))?;
    let unknown = |name: &str| Error::Invalid(format!("{name:?} is not a format"));
    let format = match asked.format.as_deref() {
        None => None,
        Some(name) => Some(WishFormat::parse(name).ok_or_else(|| unknown(name))?),
    };
    let wish = Wish {
        format,
        max_bitrate_kbps: asked.bitrate,
        gain: asked.gain,
        network: Network::of(origin(&request).address),
        ..Wish::default()
    };
    let (form, why) = of.playback.explain(&caller.principal, id, &wish, &asked.client).await?;
    let form = match form {
        WishFormat::Raw => "original",
        WishFormat::To(target) => target.suffix(),
    };
    Ok(HttpResponse::Ok().json(json!({ "form": form, "reason": why })))
}

fn target(name: &str) -> Result<Target> {
    Target::parse(name).ok_or_else(|| Error::Invalid(format!("{name:?} is not a format")))
}
