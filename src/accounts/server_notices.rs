//! Notices about the server itself: a disk that fails, a backup that cannot be read. To every
//! administrator, once while they hold.

use super::{Accounts, notices::insert};
use crate::{Result, events::Event, ids::UserId};

impl Accounts {
    /// Tells every administrator something of the server under a key of its own. `None`: it no
    /// longer holds, and should it come again, it is told again.
    pub(crate) async fn tell_administrators(&self, key: &str, text: Option<&str>) -> Result<()> {
        let open = sqlx::query_scalar!(
            r#"select user_id as "user_id!: i64" from notice where key = ? and closed_at is null"#,
            key
        )
        .fetch_all(self.db.read())
        .await?;
        let moved: Vec<i64> = match text {
            None => open,
            Some(_) => {
                self.administrators().await?.into_iter().filter(|it| !open.contains(it)).collect()
            }
        };
        if moved.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        for user in &moved {
            match text {
                Some(text) => insert(&mut tx, UserId(*user), key, text, now).await?,
                None => {
                    sqlx::query!(
                        "update notice set closed_at = ? where user_id = ? and key = ? and closed_at is null",
                        now,
                        user,
                        key
                    )
                    .execute(&mut *tx)
                    .await?;
                }
            }
        }
        tx.commit().await?;
        for user in moved {
            self.events.publish(Event::AccountChanged { user: UserId(user) });
        }
        Ok(())
    }

    async fn administrators(&self) -> Result<Vec<i64>> {
        Ok(sqlx::query_scalar!(
            r#"select user_id as "user_id!: i64" from user where role = 'admin' and disabled_at is null"#
        )
        .fetch_all(self.db.read())
        .await?)
    }
}
