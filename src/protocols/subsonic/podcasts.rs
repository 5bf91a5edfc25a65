//! Podcasts: channels, episodes, and what other methods do with an episode's id.

use std::time::Duration;

use actix_web::http::header;

use super::{
    call::{Answer, Call},
    failure::Failure,
    media_annotation, media_retrieval,
    params::number,
    responses::{Mapped, PodcastChannel, PodcastEpisode, listed},
};
use crate::{
    Error,
    catalog::Starred,
    http::headers::attachment,
    ids::{EpisodeId, PodcastId},
    outside::WithEpisodes,
    playback::{Counting, PlayState, Player, Report, Wish},
};

/// `getPodcasts`: all channels, or one.
pub(super) async fn get_podcasts(call: &Call) -> Answer {
    let with = match call.params.flag("includeEpisodes")? {
        Some(false) => WithEpisodes::No,
        Some(true) | None => WithEpisodes::Yes,
    };
    let podcasts = &call.outside().podcasts;
    let channels = match call.params.get("id") {
        None => podcasts.channels(&call.principal, with).await?,
        Some(text) => {
            let id = PodcastId::parse(text).ok_or_else(|| Failure::not_found("Podcast"))?;
            vec![podcasts.channel(&call.principal, id).await?]
        }
    };
    let list: Vec<_> = channels.iter().map(|channel| PodcastChannel::of(channel, with)).collect();
    call.reply("podcasts", &listed("channel", list))
}

/// `getNewestPodcasts`.
pub(super) async fn get_newest_podcasts(call: &Call) -> Answer {
    let count = call.params.count(&["count", "size", "limit"], 20, 500)?;
    let episodes = call.outside().podcasts.newest(&call.principal, count).await?;
    call.reply("newestPodcasts", &listed("episode", Mapped(&episodes, PodcastEpisode::of)))
}

/// `getPodcastEpisode`.
pub(super) async fn get_podcast_episode(call: &Call) -> Answer {
    let episode = call.outside().podcasts.episode(&call.principal, required(call)?).await?;
    call.reply("podcastEpisode", &PodcastEpisode::of(&episode))
}

/// `refreshPodcasts`.
pub(super) async fn refresh_podcasts(call: &Call) -> Answer {
    call.outside().podcasts.refresh(&call.principal).await?;
    call.done()
}

/// `createPodcastChannel`.
pub(super) async fn create_podcast_channel(call: &Call) -> Answer {
    let url = call.params.required("url")?;
    call.outside().podcasts.subscribe(&call.principal, url).await?;
    call.done()
}

/// `deletePodcastChannel`.
pub(super) async fn delete_podcast_channel(call: &Call) -> Answer {
    let id = PodcastId::parse(call.params.required("id")?);
    let id = id.ok_or_else(|| Failure::not_found("Podcast"))?;
    call.outside().podcasts.unsubscribe(&call.principal, id).await?;
    call.done()
}

/// `deletePodcastEpisode`.
pub(super) async fn delete_podcast_episode(call: &Call) -> Answer {
    call.outside().podcasts.delete_episode(&call.principal, required(call)?).await?;
    call.done()
}

/// `downloadPodcastEpisode`.
pub(super) async fn download_podcast_episode(call: &Call) -> Answer {
    call.outside().podcasts.download(&call.principal, required(call)?).await?;
    call.done()
}

/// The episode that a parameter names, if it names one.
pub(super) fn named(call: &Call, name: &str) -> Option<EpisodeId> {
    EpisodeId::parse(call.params.get(name)?)
}

/// `stream` of an episode.
pub(super) async fn stream(call: &Call, id: EpisodeId) -> Answer {
    if !call.principal.abilities.stream {
        return Err(Failure::forbidden("This user may not play"));
    }
    let params = &call.params;
    let source = call.outside().podcasts.source(&call.principal, id).await?;
    let (format, is_own_suffix) = match params.get("format") {
        None => (None, false),
        Some(name) => media_retrieval::named_format(name, &source.track.suffix)?,
    };
    let offset = params.number::<f64>("timeOffset")?.unwrap_or(0.0);
    let wish = Wish {
        format,
        is_own_suffix,
        max_bitrate_kbps: params.amount("maxBitRate")?.filter(|limit| *limit > 0),
        offset: Duration::try_from_secs_f64(offset.max(0.0)).unwrap_or(Duration::MAX),
        estimate_length: params.flag("estimateContentLength")?.unwrap_or(false),
        gain: params.get("replayGain").map(media_retrieval::gain).transpose()?,
        network: call.network(),
    };
    let opened = call.playback().open_source(&call.principal, &source, &wish, &call.client).await?;
    Ok(media_retrieval::send(call, opened))
}

/// `download` of an episode.
pub(super) async fn download(call: &Call, id: EpisodeId) -> Answer {
    if !call.principal.abilities.download {
        return Err(Failure::forbidden("This user may not download"));
    }
    let source = call.outside().podcasts.source(&call.principal, id).await?;
    let wish = Wish::original();
    let opened = call.playback().open_source(&call.principal, &source, &wish, &call.client).await?;
    let mut response = media_retrieval::send(call, opened);
    let name = format!("{}.{}", source.track.title, source.track.suffix);
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(&name));
    Ok(response)
}

/// Stars an episode, or takes the star away (C34).
pub(super) async fn set_starred(call: &Call, id: EpisodeId, starred: Starred) -> Result<(), Error> {
    call.outside().podcasts.set_starred(&call.principal, id, starred).await
}

/// The episodes among the listens of `scrobble`; songs are the catalogue's.
pub(super) async fn scrobble(call: &Call) -> Result<(), Failure> {
    let ids: Vec<_> = call.params.all("id").map(EpisodeId::parse).collect();
    if ids.iter().all(Option::is_none) {
        return Ok(());
    }
    let times: Vec<&str> = call.params.all("time").collect();
    let mut heard = Vec::new();
    for (at, id) in ids.into_iter().enumerate() {
        let time = match times.get(at) {
            Some(text) => media_annotation::moment(number("time", text)?, call.now()),
            None => None,
        };
        heard.extend(id.map(|id| (id, time)));
    }
    call.outside().podcasts.record_listens(&call.principal, &heard).await?;
    Ok(())
}

/// Shows the episodes among what `scrobble` says is heard now; unknown ones are skipped.
pub(super) async fn set_playing(call: &Call) -> Result<(), Failure> {
    let (who, client) = (&call.principal, &call.client);
    for id in call.params.all("id").filter_map(EpisodeId::parse) {
        match call.outside().podcasts.episode(who, id).await {
            Ok(episode) => {
                let playing = (id, episode.duration_ms);
                call.playback().set_episode_playing(who, playing, client).await?;
            }
            Err(Error::NotFound(_) | Error::Forbidden(_)) => (),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// `reportPlayback` of an episode: it is shown as playing, and its end may be a listen.
pub(super) async fn report(
    call: &Call,
    id: EpisodeId,
    player: Player<'_>,
    report: &Report,
) -> Result<(), Failure> {
    let (who, podcasts) = (&call.principal, &call.outside().podcasts);
    let episode = podcasts.episode(who, id).await?;
    call.playback().report_episode(who, episode.duration_ms, player, report).await?;
    if report.state == PlayState::Stopped && report.counting == Counting::Listens {
        podcasts.stopped(who, id, report.position_ms).await?;
    }
    Ok(())
}

fn required(call: &Call) -> Result<EpisodeId, Failure> {
    let id = EpisodeId::parse(call.params.required("id")?);
    id.ok_or_else(|| Failure::not_found("Episode"))
}
