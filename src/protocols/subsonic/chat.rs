//! Chat: one room for the house.

use serde::Serialize;

use super::{
    call::{Answer, Call},
    responses::{Mapped, listed},
};
use crate::accounts::ChatMessage;

/// `ChatMessage`.
#[derive(Serialize)]
struct Said<'a> {
    username: &'a str,
    time: i64,
    message: &'a str,
}

impl<'a> Said<'a> {
    fn of(one: &'a ChatMessage) -> Self {
        Self { username: &one.user_name, time: one.at, message: &one.message }
    }
}

/// `getChatMessages`: what was said since then, latest first, as apps expect it.
pub(super) async fn get_chat_messages(call: &Call) -> Answer {
    let since = call.params.whole("since")?.unwrap_or(0);
    let messages = call.accounts().chat(&call.principal, since).await?;
    call.reply("chatMessages", &listed("chatMessage", Mapped(&messages, Said::of)))
}

/// `addChatMessage`.
pub(super) async fn add_chat_message(call: &Call) -> Answer {
    let message = call.params.required("message")?;
    call.accounts().say(&call.principal, message).await?;
    call.done()
}
