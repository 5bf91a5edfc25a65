//! What users are told about their room, kept once each: in the panel, and for whoever sends it on.

use super::{
    Accounts, Principal,
    grants::{day, size},
    quota::{Term, is_over_with, nears_end, per_cent, share},
};
use crate::{
    Error, Result,
    clock::Millis,
    db::Tx,
    events::Event,
    ids::{LockerId, UserId},
};

/// Something that a user is told.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its row.
    pub id: i64,
    /// A sentence or two.
    pub text: String,
    /// Since when.
    pub at: Millis,
    /// When the user put it away.
    pub seen_at: Option<Millis>,
}

/// A notice that is to be sent on.
#[derive(Debug, Clone)]
pub(crate) struct Unsent {
    pub(crate) id: i64,
    pub(crate) user: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) at: Millis,
    pub(crate) is_mailed: bool,
    pub(crate) is_posted: bool,
    pub(crate) tries: i64,
}

impl Accounts {
    /// Looks at every user's room and writes what is to be told. Done once a minute; whoever
    /// cannot wait may ask for it.
    pub async fn look_for_notices(&self) -> Result<()> {
        let lockers = sqlx::query!(
            r#"select locker_id as "locker!: i64", user_id as "user!: i64" from locker
               where user_id is not null and (used_bytes > 0
                 or exists (select 1 from quota_grant g where g.user_id = locker.user_id)
                 or exists (select 1 from notice n where n.user_id = locker.user_id and n.closed_at is null))"#
        )
        .fetch_all(self.db.read())
        .await?;
        for row in lockers {
            let (locker, user) = (LockerId(row.locker), UserId(row.user));
            if self.look_at(locker, user).await? {
                self.events.publish(Event::AccountChanged { user });
            }
        }
        self.look_at_household().await
    }

    /// What the principal is told, the latest first; what was put away only with `all`.
    pub async fn notices(&self, principal: &Principal, all: bool) -> Result<Vec<Notice>> {
        let user = principal.user.0;
        Ok(sqlx::query_as!(
            Notice,
            r#"select notice_id as "id!: i64", text, at, seen_at from notice
               where user_id = ?1 and (?2 or (seen_at is null and closed_at is null))
               order by notice_id desc limit 100"#,
            user,
            all
        )
        .fetch_all(self.db.read())
        .await?)
    }

    /// Puts a notice away.
    pub async fn see_notice(&self, principal: &Principal, id: i64) -> Result<()> {
        let (user, now) = (principal.user.0, self.clock.now());
        let mut tx = self.db.write().await?;
        let seen = sqlx::query!(
            "update notice set seen_at = coalesce(seen_at, ?) where notice_id = ? and user_id = ?",
            now,
            id,
            user
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        if seen == 0 {
            return Err(Error::NotFound("Notice"));
        }
        self.events.publish(Event::AccountChanged { user: principal.user });
        Ok(())
    }

    /// Tells the owner of a locker something (of the household's: every administrator).
    pub(crate) async fn tell_of_locker(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        key: &str,
        text: &str,
    ) -> Result<()> {
        let now = self.clock.now();
        let users = sqlx::query_scalar!(
            r#"select u.user_id as "user_id!: i64" from locker l join user u
                 on u.user_id = l.user_id or (l.user_id is null and u.role = 'admin')
               where l.locker_id = ?"#,
            locker.0
        )
        .fetch_all(&mut **tx)
        .await?;
        for user in users {
            insert(tx, UserId(user), key, text, now).await?;
        }
        Ok(())
    }

    /// Of the notices whose keys begin so, those whose key is none of these no longer hold.
    pub(crate) async fn close_others(
        &self,
        tx: &mut Tx,
        prefix: &str,
        keys: &[String],
    ) -> Result<()> {
        let (now, keys) = (self.clock.now(), serde_json::to_string(keys)?);
        sqlx::query!(
            "update notice set closed_at = ?1 where closed_at is null and substr(key, 1, length(?2)) = ?2
               and key not in (select value from json_each(?3))",
            now,
            prefix,
            keys
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What is to be sent on now, by e-mail or to the webhook.
    pub(crate) async fn unsent_notices(&self, mail: bool, post: bool) -> Result<Vec<Unsent>> {
        let now = self.clock.now();
        let rows = sqlx::query!(
            r#"select n.notice_id as "id!: i64", u.name, u.display_name, u.email, n.key, n.text, n.at,
                      n.mailed_at, n.posted_at, n.tries
               from notice n join user u using (user_id)
               where ((?1 and n.mailed_at is null and u.email <> '') or (?2 and n.posted_at is null))
                 and n.try_at <= ?3 and n.closed_at is null
               order by n.notice_id limit 50"#,
            mail,
            post,
            now
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Unsent {
                id: row.id,
                user: row.name,
                display_name: row.display_name,
                email: row.email,
                key: row.key,
                text: row.text,
                at: row.at,
                is_mailed: row.mailed_at.is_some(),
                is_posted: row.posted_at.is_some(),
                tries: row.tries,
            })
            .collect())
    }

    /// How sending went: by which ways it is out now, and when to try the others again.
    pub(crate) async fn notice_sent(
        &self,
        id: i64,
        (mailed, posted): (bool, bool),
        try_at: Option<Millis>,
    ) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update notice set
                 mailed_at = iif(?1, coalesce(mailed_at, ?2), mailed_at),
                 posted_at = iif(?3, coalesce(posted_at, ?2), posted_at),
                 tries = tries + iif(?4 is null, 0, 1), try_at = coalesce(?4, try_at)
             where notice_id = ?5",
            mailed,
            now,
            posted,
            try_at,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether anything new was told.
    async fn look_at(&self, locker: LockerId, user: UserId) -> Result<bool> {
        let figures = self.figures_of(locker).await?;
        let (now, state) = (self.clock.now(), figures.state);
        let open = sqlx::query_scalar!(
            "select key from notice where user_id = ? and closed_at is null",
            user.0
        )
        .fetch_all(self.db.read())
        .await?;
        let told = |key: &str| open.iter().any(|other| other == key);
        let running = self.running_grants(user, now).await?;
        let over = |key: &String| match key.split_once(':') {
            Some(("ends", rest)) => {
                let grant = rest.rsplit(':').next().and_then(|id| id.parse::<i64>().ok());
                !grant.is_some_and(|id| running.contains(&id))
            }
            Some(("used", share)) => {
                share.parse().is_ok_and(|share| is_over_with(state.used, state.quota, share))
            }
            None if key == "over" => !state.is_over(),
            _ => false,
        };
        let closed: Vec<&String> = open.iter().filter(|key| over(key)).collect();
        let mut news: Vec<(String, String)> = Vec::new();
        if let Some(share) = share(state.used, state.quota) {
            let is_told = open
                .iter()
                .filter_map(|key| key.strip_prefix("used:"))
                .any(|known| known.parse::<u8>().is_ok_and(|known| share <= known));
            if !is_told {
                let quota = state.quota.unwrap_or(0);
                let text = format!(
                    "Your locker holds {} of {} ({} %).",
                    size(state.used),
                    size(quota),
                    per_cent(state.used, quota)
                );
                news.push((format!("used:{share}"), text));
            }
        }
        if let Some(ends) = figures.grace_ends.filter(|_| state.is_over() && !told("over")) {
            let text = format!(
                "Your locker holds more than it may. Everything in it can be played, fetched and \
                 deleted; nothing can be added until it fits again. From {} on that is final.",
                day(ends)
            );
            news.push(("over".to_owned(), text));
        }
        news.extend(self.endings(user, &figures.terms, figures.plan, now, &open).await?);
        if closed.is_empty() && news.is_empty() {
            return Ok(false);
        }
        let mut tx = self.db.write().await?;
        for key in closed {
            sqlx::query!(
                "update notice set closed_at = ? where user_id = ? and key = ? and closed_at is null",
                now,
                user.0,
                key
            )
            .execute(&mut *tx)
            .await?;
        }
        for (key, text) in &news {
            insert(&mut tx, user, key, text, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Grants whose end is still to come.
    async fn running_grants(&self, user: UserId, now: Millis) -> Result<Vec<i64>> {
        Ok(sqlx::query_scalar!(
            r#"select quota_grant_id as "id!: i64" from quota_grant
               where user_id = ? and removed_at is null and ? < ends_at"#,
            user.0,
            now
        )
        .fetch_all(self.db.read())
        .await?)
    }

    /// Grants whose end comes near and was not told of from so near.
    async fn endings(
        &self,
        user: UserId,
        terms: &[Term],
        plan: Option<u64>,
        now: Millis,
        open: &[String],
    ) -> Result<Vec<(String, String)>> {
        let rows = sqlx::query!(
            r#"select quota_grant_id as "id!: i64", starts_at, ends_at as "ends_at!: i64", reason
               from quota_grant where user_id = ? and removed_at is null and ends_at is not null"#,
            user.0
        )
        .fetch_all(self.db.read())
        .await?;
        let mut news = Vec::new();
        for row in rows {
            let gift = super::quota::Gift::Bytes(0);
            let term = Term { gift, starts: row.starts_at, ends: Some(row.ends_at) };
            let Some(days) = nears_end(&term, now) else { continue };
            let suffix = format!(":{}", row.id);
            let is_told = open
                .iter()
                .filter_map(|key| key.strip_prefix("ends:")?.strip_suffix(&suffix))
                .any(|known| known.parse::<u8>().is_ok_and(|known| known <= days));
            if is_told {
                continue;
            }
            let after = super::quota::quota_at(plan, terms, row.ends_at);
            let after = after.map_or_else(|| "no limit".to_owned(), size);
            let what = if row.reason.is_empty() { "granted to you" } else { &row.reason };
            let text = format!(
                "What you have by \"{what}\" ends on {}; your locker may hold {after} then. Nothing is lost.",
                day(row.ends_at)
            );
            news.push((format!("ends:{days}{suffix}"), text));
        }
        Ok(news)
    }
}

/// What was told of the end of a grant no longer holds: it ends at another time, or is gone.
pub(super) async fn close_ending(tx: &mut Tx, user: UserId, grant: i64, now: Millis) -> Result<()> {
    sqlx::query!(
        "update notice set closed_at = ?1
         where user_id = ?2 and closed_at is null and key glob 'ends:*:' || ?3",
        now,
        user.0,
        grant
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn insert(
    tx: &mut Tx,
    user: UserId,
    key: &str,
    text: &str,
    now: Millis,
) -> Result<()> {
    sqlx::query!(
        "insert into notice (user_id, key, text, at) values (?, ?, ?, ?) on conflict do nothing",
        user.0,
        key,
        text,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
