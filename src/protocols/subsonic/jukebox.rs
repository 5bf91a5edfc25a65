//! Jukebox: the speakers of the house, which every client drives. A user sees the queue without
//! what he may not see, and counts in that.

use std::time::Duration;

use serde::Serialize;

use super::{
    call::{Answer, Call},
    failure::Failure,
    id,
    params::number,
    responses::Songs,
};
use crate::{
    catalog::Track,
    ids::TrackId,
    playback::{Command, Snapshot},
};

/// `JukeboxStatus`, and with entries `JukeboxPlaylist`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    current_index: i64,
    playing: bool,
    gain: f32,
    /// Seconds.
    position: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Songs<'a>>,
}

/// `jukeboxControl`: all actions.
pub(super) async fn jukebox_control(call: &Call) -> Answer {
    let params = &call.params;
    let action = params.required("action")?;
    let look = control(call, Command::Look).await?;
    let command = match action {
        "get" | "status" => None,
        "start" => Some(Command::Start),
        "stop" => Some(Command::Stop),
        "skip" => {
            let offset = params.number::<f64>("offset")?.unwrap_or(0.0);
            // Not `max`, which would take what is no number for 0.
            let offset = Duration::try_from_secs_f64(if offset < 0.0 { 0.0 } else { offset })
                .map_err(|_| Failure::generic("The offset is not a time"))?;
            Some(Command::Skip { index: index(call, &look)?, offset })
        }
        "add" => Some(Command::Add(visible(call, id::tracks(params, "id")).await?)),
        "set" => Some(Command::Set(visible(call, id::tracks(params, "id")).await?)),
        "clear" => Some(Command::Clear),
        "remove" => Some(Command::Remove(index(call, &look)?)),
        "shuffle" => Some(Command::Shuffle),
        "setGain" => {
            let gain = number::<f32>("gain", params.required("gain")?)?;
            if !(0.0..=1.0).contains(&gain) {
                return Err(Failure::generic("The gain is a number from 0.0 to 1.0"));
            }
            Some(Command::SetGain(gain))
        }
        _ => return Err(Failure::generic("There is no jukebox action of this name")),
    };
    let now = match command {
        Some(command) => control(call, command).await?,
        None => look,
    };
    let is_list = action == "get";
    let status = Status {
        current_index: now.current.map_or(-1, |at| at as i64),
        playing: now.snapshot.is_playing,
        gain: now.snapshot.gain,
        position: now.snapshot.position_ms / 1000,
        entry: is_list.then_some(call.songs(&now.tracks)),
    };
    call.reply(if is_list { "jukeboxPlaylist" } else { "jukeboxStatus" }, &status)
}

/// The jukebox as this user sees it.
struct Seen {
    snapshot: Snapshot,
    tracks: Vec<Track>,
    /// For each of them its place in the whole queue.
    places: Vec<usize>,
    /// Which of them plays.
    current: Option<usize>,
}

async fn control(call: &Call, command: Command) -> Result<Seen, Failure> {
    let snapshot = call.jukebox().control(&call.principal, command).await?;
    let ids: Vec<TrackId> = snapshot.entries.iter().map(|entry| entry.track).collect();
    let tracks = call.catalog().tracks_by_id(&call.principal, &ids).await?;
    let mut places = Vec::with_capacity(tracks.len());
    let mut seen = tracks.iter().peekable();
    for (place, id) in ids.iter().enumerate() {
        if seen.next_if(|track| track.id == *id).is_some() {
            places.push(place);
        }
    }
    let current = snapshot.current.and_then(|at| places.iter().position(|place| *place == at));
    Ok(Seen { snapshot, tracks, places, current })
}

/// The place that is meant, in the whole queue.
fn index(call: &Call, seen: &Seen) -> Result<usize, Failure> {
    let index = number::<usize>("index", call.params.required("index")?)?;
    seen.places.get(index).copied().ok_or_else(|| Failure::out_of_range("index"))
}

/// Those that the user may see; nobody plays what is somebody else's.
async fn visible(call: &Call, tracks: Vec<TrackId>) -> Result<Vec<TrackId>, Failure> {
    let seen = call.catalog().tracks_by_id(&call.principal, &tracks).await?;
    Ok(seen.into_iter().map(|track| track.id).collect())
}
