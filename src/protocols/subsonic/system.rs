//! System: is it there, what can it do, whose key is this.

use serde::Serialize;

use super::{
    call::{Answer, Call},
    reply::{self, Spelling},
    responses::listed,
};

/// Extensions that work here, with their versions. Apps switch code paths on them, so nothing
/// stands here that does not work.
const EXTENSIONS: &[(&str, &[u8])] = &[
    ("apiKeyAuthentication", &[1]),
    ("formPost", &[1]),
    ("getPodcastEpisode", &[1]),
    ("indexBasedQueue", &[1]),
    ("playbackReport", &[1]),
    ("songLyrics", &[1, 2]),
    ("sonicSimilarity", &[1]),
    ("topSongsByArtistId", &[1]),
    ("transcodeOffset", &[1]),
    ("transcoding", &[1]),
];

/// `ping`.
pub(super) fn ping(call: &Call) -> Answer {
    call.done()
}

/// `getLicense`: free software needs none.
pub(super) fn get_license(call: &Call) -> Answer {
    call.reply("license", &listed("valid", true))
}

/// `getOpenSubsonicExtensions`: for anybody, so that apps know how to sign in.
pub(super) fn get_open_subsonic_extensions(spelling: Spelling<'_>) -> Answer {
    #[derive(Serialize)]
    struct Extension {
        name: &'static str,
        versions: &'static [u8],
    }
    let list: Vec<Extension> =
        EXTENSIONS.iter().map(|(name, versions)| Extension { name, versions }).collect();
    reply::payload(spelling, "openSubsonicExtensions", &list)
}

/// `tokenInfo`: whose key it is.
pub(super) fn token_info(call: &Call) -> Answer {
    call.reply("tokenInfo", &listed("username", &*call.principal.name))
}
