//! Sonic similarity (OpenSubsonic): what sounds like a song, and the way from one to another.

use super::super::{
    call::{Answer, Call},
    id,
    responses::Sonic,
};
use crate::catalog::SonicMatch;

/// `getSonicSimilarTracks`.
pub(in super::super) async fn get_sonic_similar_tracks(call: &Call) -> Answer {
    let song = id::track(&call.params, "id")?;
    let count = call.params.count(&["count", "size", "limit"], 10, 500)?;
    let found = call.catalog().sonic_matches(&call.principal, song, count).await?;
    reply(call, &found)
}

/// `findSonicPath`.
pub(in super::super) async fn find_sonic_path(call: &Call) -> Answer {
    let start = id::track(&call.params, "startSongId")?;
    let end = id::track(&call.params, "endSongId")?;
    let count = call.params.count(&["count", "size", "limit"], 25, 500)?;
    let way = call.catalog().sonic_path(&call.principal, start, end, count).await?;
    reply(call, &way)
}

fn reply(call: &Call, found: &[SonicMatch]) -> Answer {
    let list: Vec<_> = found.iter().map(|found| Sonic::of(found, call.unasked())).collect();
    call.reply("sonicMatch", &list)
}
