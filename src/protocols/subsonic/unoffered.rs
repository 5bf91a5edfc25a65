//! What this server does not offer: videos. Apps look in anyway, so every reading method answers
//! with nothing in it, and the rest says so.

use super::{
    call::{Answer, Call},
    failure::Failure,
    responses::listed,
};

const NOTHING: &[u8] = &[];

/// `getVideos`.
pub(super) fn no_videos(call: &Call) -> Answer {
    call.reply("videos", &listed("video", NOTHING))
}

/// `getCaptions`.
pub(super) fn no_captions(call: &Call) -> Answer {
    call.params.required("id")?;
    Err(Failure::not_found("Video"))
}

/// `getVideoInfo`.
pub(super) fn no_video(call: &Call) -> Answer {
    call.params.required("id")?;
    Err(Failure::not_found("Video"))
}
