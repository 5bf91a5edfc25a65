//! Sonic similarity (OpenSubsonic): what sounds like a song, and the way from one to another.

use super::super::{
    call::{Answer, Call},
    id,
    responses::{Mapped, Sonic},
};

/// `getSonicSimilarTracks`.
pub(in super::super) async fn get_sonic_similar_tracks(call: &Call) -> Answer {
    let song = id::track(&call.params, "id")?;
    let count = call.params.count(&["count", "size", "limit"], 10, 500)?;
    let found = call.catalog().sonic_matches(&call.principal, song, count).await?;
    call.reply("sonicMatch", &Mapped(&found, Sonic::of))
}

/// `findSonicPath`.
pub(in super::super) async fn find_sonic_path(call: &Call) -> Answer {
    let start = id::track(&call.params, "startSongId")?;
    let end = id::track(&call.params, "endSongId")?;
    let count = call.params.count(&["count", "size", "limit"], 25, 500)?;
    let way = call.catalog().sonic_path(&call.principal, start, end, count).await?;
    call.reply("sonicMatch", &Mapped(&way, Sonic::of))
}
