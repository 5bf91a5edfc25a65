//! The chat of the house: one room, the latest messages.

use super::{Accounts, Principal};
use crate::{Error, Result, clock::Millis, events::Event};

/// Messages that are kept.
const KEPT: i64 = 500;
/// Letters of one.
const LONGEST: usize = 1000;

/// Something that somebody said.
#[derive(Debug, Clone)]
pub struct ChatMessage {
    /// Login name.
    pub user_name: String,
    /// When; no two are at the same time.
    pub at: Millis,
    /// What.
    pub message: String,
    /// When the speaker's picture last changed, if there is one.
    pub avatar_changed_at: Option<Millis>,
}

impl Accounts {
    /// What was said after `since`, latest first.
    pub async fn chat(&self, principal: &Principal, since: Millis) -> Result<Vec<ChatMessage>> {
        require_person(principal)?;
        Ok(sqlx::query_as!(
            ChatMessage,
            r#"select u.name as user_name, c.at, c.message, a.changed_at as "avatar_changed_at?"
               from chat_message c join user u using (user_id) left join avatar a using (user_id)
               where c.at > ? order by c.at desc limit ?"#,
            since,
            KEPT
        )
        .fetch_all(self.db.read())
        .await?)
    }

    /// Says something.
    pub async fn say(&self, principal: &Principal, message: &str) -> Result<()> {
        require_person(principal)?;
        let message = super::one_line(message, LONGEST);
        if message.is_empty() {
            return Err(Error::Invalid("There is nothing to say".to_owned()));
        }
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into chat_message (user_id, at, message)
             select ?1, max(?2, 1 + coalesce((select max(at) from chat_message), 0)), ?3",
            principal.user,
            now,
            message
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "delete from chat_message where chat_message_id <= (select max(chat_message_id) from chat_message) - ?",
            KEPT
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.events.publish(Event::ChatChanged);
        Ok(())
    }
}

fn require_person(principal: &Principal) -> Result<()> {
    if principal.is_person() {
        Ok(())
    } else {
        Err(Error::Forbidden("A device has nothing to say".to_owned()))
    }
}
