//! Media annotation: stars, ratings, scrobbles, reports of playback.

use super::{
    call::{Answer, Call},
    failure::Failure,
    id,
    params::{Params, number},
    podcasts,
};
use crate::{
    Error,
    catalog::{Item, Listen, ListenSource, Starred},
    clock::Millis,
    ids::{EpisodeId, TrackId},
    playback::{Counting, Media, PlayState, Player, Report},
};

/// `star`.
pub(super) async fn star(call: &Call) -> Answer {
    set_starred(call, Starred::Yes).await
}

/// `unstar`.
pub(super) async fn unstar(call: &Call) -> Answer {
    set_starred(call, Starred::No).await
}

/// `setRating`: 1 to 5, or 0 to take it away.
pub(super) async fn set_rating(call: &Call) -> Answer {
    call.params.required("id")?;
    let episode = podcasts::named(call, "id");
    let rating = match number::<i64>("rating", call.params.required("rating")?)? {
        0 => None,
        stars @ 1..=5 => Some(stars as u8),
        _ => return Err(Failure::generic("A rating is a number from 0 to 5")),
    };
    match episode {
        Some(id) => call.outside().podcasts.set_rating(&call.principal, id, rating).await?,
        None => {
            let item = id::required(&call.params, "id")?;
            call.catalog().set_rating(&call.principal, item, rating).await?;
        }
    }
    call.done()
}

/// `scrobble`: what is heard now, or what was heard; late and repeated batches count once (C33).
pub(super) async fn scrobble(call: &Call) -> Answer {
    let params = &call.params;
    params.required("id")?;
    if params.flag("submission")? == Some(false) {
        for id in id::tracks(params, "id") {
            skip_missing(call.playback().set_now_playing(&call.principal, id, &call.client).await)?;
        }
        podcasts::set_playing(call).await?;
        return call.done();
    }
    let listens = listens(call)?;
    call.catalog().record_listens(&call.principal, &listens).await?;
    podcasts::scrobble(call).await?;
    call.done()
}

/// `reportPlayback`: how a playback goes, while it goes (OpenSubsonic `playbackReport` 1).
pub(super) async fn report_playback(call: &Call) -> Answer {
    let params = &call.params;
    let media = params.required("mediaId")?;
    let media = match params.required("mediaType")? {
        "song" => Media::Track(id::track(params, "mediaId")?),
        "podcast" => match id::item(media) {
            Some(Item::Track(id)) => Media::Track(id),
            _ => match podcasts::named(call, "mediaId") {
                Some(episode) => Media::Episode(episode),
                None => return Err(Failure::not_found("Episode")),
            },
        },
        _ => return Err(Failure::generic("A mediaType is song or podcast")),
    };
    let position = number::<i64>("positionMs", params.required("positionMs")?)?;
    let state = state(params)?;
    let rate = params.number::<f64>("playbackRate")?.unwrap_or(1.0);
    if !rate.is_finite() || rate <= 0.0 {
        return Err(Failure::generic("A playbackRate is a number above 0"));
    }
    let is_for_show = params.flag("ignoreScrobble")?.unwrap_or(false);
    let report = Report {
        media,
        state,
        position_ms: position.max(0) as u64,
        rate,
        counting: if is_for_show { Counting::Nothing } else { Counting::Listens },
        source: ListenSource::Report,
    };
    let player = Player { client: &call.client, device: "" };
    match media {
        Media::Track(_) => call.playback().report(&call.principal, player, &report).await?,
        Media::Episode(id) => podcasts::report(call, id, player, &report).await?,
    }
    call.done()
}

/// What the player does.
pub(super) fn state(params: &Params) -> Result<PlayState, Failure> {
    PlayState::parse(params.required("state")?)
        .ok_or_else(|| Failure::generic("A state is one of starting, playing, paused and stopped"))
}

/// Songs with their times. Without times all were heard now.
fn listens(call: &Call) -> Result<Vec<Listen>, Failure> {
    let ids: Vec<Option<TrackId>> = call
        .params
        .all("id")
        .map(|text| match id::item(text) {
            Some(Item::Track(id)) => Some(id),
            _ => None,
        })
        .collect();
    let mut times = Vec::new();
    for text in call.params.all("time") {
        times.push(moment(number("time", text)?, call.now()));
    }
    if times.is_empty() {
        times = vec![None; ids.len()];
    }
    if times.len() != ids.len() {
        return Err(Failure::generic("There are not as many times as songs"));
    }
    let heard = ids
        .into_iter()
        .zip(times)
        .filter_map(|(track, at)| Some(Listen::scrobble(track?, at, &call.client)));
    Ok(heard.collect())
}

/// The time that an app means, ms since the epoch. Some sent seconds (C33); what is still before
/// this protocol or more than a day ahead is no time at all.
pub(super) fn moment(sent: Millis, now: Millis) -> Option<Millis> {
    const LIKE_SECONDS: Millis = 100_000_000_000;
    const FIRST: Millis = 1_000_000_000_000;
    const DAY: Millis = 24 * 3600 * 1000;
    let at = if (0..LIKE_SECONDS).contains(&sent) { sent * 1000 } else { sent };
    (FIRST..=now + DAY).contains(&at).then_some(at)
}

/// Any kind of id may stand in any of the three parameters (C34). All known ones are starred; an
/// unknown one is told afterwards.
async fn set_starred(call: &Call, starred: Starred) -> Answer {
    let mut first_missing = None;
    let mut count = 0;
    for name in ["id", "albumId", "artistId"] {
        for text in call.params.all(name) {
            count += 1;
            let result = match id::item(text) {
                Some(item) => call.catalog().set_starred(&call.principal, item, starred).await,
                None => match EpisodeId::parse(text) {
                    Some(episode) => podcasts::set_starred(call, episode, starred).await,
                    None => Err(Error::NotFound("Item")),
                },
            };
            match result {
                Err(Error::NotFound(what)) => first_missing = first_missing.or(Some(what)),
                other => other?,
            }
        }
    }
    match first_missing {
        _ if count == 0 => Err(Failure::missing("id")),
        Some(what) => Err(Error::NotFound(what).into()),
        None => call.done(),
    }
}

fn skip_missing(result: crate::Result<()>) -> Result<(), Failure> {
    match result {
        Err(Error::NotFound(_)) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn seconds_are_understood_and_nonsense_is_no_time() {
        let now = 1_760_000_000_000;
        for (sent, meant) in [
            (1_700_000_000_000, Some(1_700_000_000_000)),
            (1_700_000_000, Some(1_700_000_000_000)),
            (now + 60_000, Some(now + 60_000)),
            (now + 3 * 24 * 3600 * 1000, None),
            (0, None),
            (-5, None),
            (31_536_000, None),
            (i64::MAX, None),
            (i64::MIN, None),
        ] {
            assert_eq!(moment(sent, now), meant, "{sent}");
        }
    }
}
