//! What this server does not offer: podcasts, internet radio, videos. Apps
//! look in anyway, so every reading method answers with nothing in it, and the rest says so.

use super::{
    call::{Answer, Call},
    failure::Failure,
    responses::listed,
};

const NOTHING: &[u8] = &[];

/// Any method that would change or deliver what there is not.
pub(super) fn refuse(_: &Call) -> Answer {
    Err(Failure::generic("This server does not offer that"))
}

/// `getPodcasts`.
pub(super) fn no_podcasts(call: &Call) -> Answer {
    call.reply("podcasts", &listed("channel", NOTHING))
}

/// `getNewestPodcasts`.
pub(super) fn no_newest_podcasts(call: &Call) -> Answer {
    call.reply("newestPodcasts", &listed("episode", NOTHING))
}

/// `getPodcastEpisode`.
pub(super) fn no_podcast_episode(call: &Call) -> Answer {
    call.params.required("id")?;
    Err(Failure::not_found("Episode"))
}

/// `getInternetRadioStations`.
pub(super) fn no_internet_radio_stations(call: &Call) -> Answer {
    call.reply("internetRadioStations", &listed("internetRadioStation", NOTHING))
}

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
