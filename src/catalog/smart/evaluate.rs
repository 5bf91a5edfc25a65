//! Working out a smart playlist: one statement for the ids, kept for a minute.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sqlx::AssertSqlSafe;

use super::rules::{Limit, Order, Rules};
use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, Criteria,
        find::{Asker, condition, marked},
        memory::{Forget as _, Recent},
        smart::fields::Source,
        visible::within,
    },
    clock::Millis,
    ids::{PlaylistId, TrackId, UserId},
};

/// How long what was found stays good: marks and days move on.
const KEPT: Duration = Duration::from_secs(60);
/// Lists that speak of lists: so many below each other.
const MOST_NESTED: usize = 4;
/// No list is longer.
const MOST_TRACKS: u32 = 100_000;

/// What a smart playlist came to.
#[derive(Debug)]
pub(in crate::catalog) struct Found {
    /// In order.
    pub(in crate::catalog) tracks: Vec<TrackId>,
    /// Until when it is not looked at again.
    pub(in crate::catalog) valid_until: Millis,
}

/// What was worked out lately, by playlist, moment of its last change, revision and reader.
#[derive(Debug)]
pub(in crate::catalog) struct Memory(Recent<String, Arc<Found>>);

impl Default for Memory {
    fn default() -> Self {
        Self(Recent::with_room(1_000_000))
    }
}

impl Memory {
    /// Lets go of what nobody asks for.
    pub(in crate::catalog) fn tidy(&self) {
        self.0.forget_idle();
    }
}

impl Catalog {
    /// The tracks of a smart playlist that the principal may see, by the marks of its owner.
    pub(in crate::catalog) async fn smart_tracks(
        &self,
        principal: &Principal,
        list: PlaylistId,
        owner: UserId,
        changed_at: Millis,
        rules: &str,
    ) -> Result<Arc<Found>> {
        let libraries = within("", principal, None);
        let marks = self.inner.marks.generation();
        let revision = self.revision().number;
        let key = format!("{} {changed_at} {marks} {libraries}", list.0);
        if let Some(found) = self.inner.smart.0.get(revision, key.as_str())
            && self.clock.now() < found.valid_until
        {
            return Ok(found);
        }
        let rules = Rules::from_text(rules)?;
        let tracks = self.fitting(principal, owner, rules, vec![list]).await?;
        let valid_until = self.clock.now().saturating_add(KEPT.as_millis() as Millis);
        let found = Arc::new(Found { tracks, valid_until });
        let weight = key.len() + found.tracks.len();
        self.inner.smart.0.insert(revision, key, found.clone(), weight);
        Ok(found)
    }

    /// Fails as invalid when the rules cannot be worked out: unknown playlists, circles. `list` is
    /// the playlist that will have them, if there is one already.
    pub(in crate::catalog) async fn try_rules(
        &self,
        principal: &Principal,
        list: Option<PlaylistId>,
        rules: &Rules,
    ) -> Result<Vec<TrackId>> {
        for list in rules.playlists() {
            self.playlist(principal, list).await?;
        }
        self.fitting(principal, principal.user, rules.clone(), list.into_iter().collect()).await
    }

    /// `above`: the lists that led here. Boxed, because lists may speak of lists.
    fn fitting<'a>(
        &'a self,
        principal: &'a Principal,
        owner: UserId,
        rules: Rules,
        above: Vec<PlaylistId>,
    ) -> BoxFuture<'a, Result<Vec<TrackId>>> {
        Box::pin(async move {
            let mut others = BTreeMap::new();
            for list in rules.playlists() {
                others.insert(list, self.membership(principal, owner, list, &above).await?);
            }
            let of = |list| others.get(&list).cloned().unwrap_or(Criteria::Never);
            let criteria = rules.criteria(owner, self.clock.now(), &of);
            let from = format!(
                "from track t where t.missing_at is null and {} and {}",
                within("t.library_id", principal, None),
                condition(&criteria, &|test| Asker(owner).of_track(test))
            );
            let limit = match rules.limit {
                Some(Limit::Tracks(limit)) => limit.to_string(),
                Some(Limit::Percent(percent)) => {
                    format!("(select (count(*) * {percent} + 99) / 100 {from})")
                }
                None => MOST_TRACKS.to_string(),
            };
            let sql = format!(
                "select json_group_array(id) from
                   (select t.track_id as id {from} order by {} limit min({MOST_TRACKS}, {limit}))",
                order_by(&rules.order, owner)
            );
            let ids: String =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.db.read()).await?;
            Ok(serde_json::from_str::<Vec<i64>>(&ids)?.into_iter().map(TrackId).collect())
        })
    }

    /// What being in another playlist means. One that the owner may not see holds nothing.
    async fn membership(
        &self,
        principal: &Principal,
        owner: UserId,
        list: PlaylistId,
        above: &[PlaylistId],
    ) -> Result<Criteria> {
        let row = sqlx::query!(
            r#"select user_id, rules from playlist l
               where playlist_id = ?1 and (user_id = ?2 or is_public = 1 or exists
                 (select 1 from playlist_member m where m.playlist_id = l.playlist_id and m.user_id = ?2))"#,
            list,
            owner
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(row) = row else { return Ok(Criteria::Never) };
        let Some(rules) = row.rules else { return Ok(Criteria::InPlaylist(list)) };
        if above.contains(&list) || MOST_NESTED < above.len() {
            return Err(Error::Invalid(
                "Smart playlists refer to each other in a circle, or too deep".to_owned(),
            ));
        }
        let mut path = above.to_vec();
        path.push(list);
        let rules = Rules::from_text(&rules)?;
        let tracks = self.fitting(principal, UserId(row.user_id), rules, path).await?;
        Ok(Criteria::OneOf(tracks))
    }
}

fn order_by(order: &Order, owner: UserId) -> String {
    let keys = match order {
        Order::Random => return "random()".to_owned(),
        Order::By(keys) => keys,
    };
    let mut by = String::new();
    for (field, is_descending) in keys {
        let column = match field.source {
            Source::Of(field) => Asker(owner).track_column(field).into_owned(),
            Source::Marked(mark) => marked(owner, mark),
            Source::Entry => continue,
        };
        let _ = write!(by, "{column}{}, ", if *is_descending { " desc" } else { "" });
    }
    by + "t.order_key, t.track_id"
}
