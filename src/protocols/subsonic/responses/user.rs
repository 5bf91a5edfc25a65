//! `User`: whose switches tell apps which buttons to show.

use serde::Serialize;

use super::Date;
use crate::accounts::{self, Role};

/// An account as the protocol shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the protocol")]
pub(in super::super) struct User<'a> {
    username: &'a str,
    email: &'a str,
    scrobbling_enabled: bool,
    max_bit_rate: u32,
    admin_role: bool,
    settings_role: bool,
    download_role: bool,
    upload_role: bool,
    playlist_role: bool,
    cover_art_role: bool,
    comment_role: bool,
    podcast_role: bool,
    stream_role: bool,
    jukebox_role: bool,
    share_role: bool,
    video_conversion_role: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_last_changed: Option<Date>,
    folder: Vec<i64>,
}

impl<'a> User<'a> {
    /// From an account.
    pub(in super::super) fn of(user: &'a accounts::User) -> Self {
        let may = &user.abilities;
        let caps = [user.max_bitrate_kbps, user.plan_bitrate_kbps];
        Self {
            username: &user.name,
            email: &user.email,
            scrobbling_enabled: may.scrobbling,
            max_bit_rate: caps.into_iter().flatten().min().unwrap_or(0),
            admin_role: user.role == Role::Admin,
            settings_role: may.settings,
            download_role: may.download,
            upload_role: may.upload,
            playlist_role: may.playlist,
            cover_art_role: may.cover_art,
            comment_role: may.comment,
            podcast_role: may.podcast,
            stream_role: may.stream,
            jukebox_role: may.jukebox,
            share_role: may.share,
            video_conversion_role: false,
            avatar_last_changed: user.avatar_changed_at.map(Date),
            folder: user.libraries.iter().map(|library| library.0).collect(),
        }
    }
}
