//! Shares: what somebody shows to people without an account.

use super::{Item, Track};
use crate::{accounts::Principal, clock::Millis, ids::ShareId};

/// A share as its owner sees it.
#[derive(Debug, Clone)]
pub struct Share {
    /// Its id; opens nothing.
    pub id: ShareId,
    /// What the address carries; opens it.
    pub token: String,
    /// Login name of the owner.
    pub owner: String,
    /// What visitors read; may be empty.
    pub description: String,
    /// What is shown, in order.
    pub items: Vec<Item>,
    /// Visitors give a password first.
    pub has_password: bool,
    /// Visitors may keep the original files.
    pub may_download: bool,
    /// Made.
    pub created_at: Millis,
    /// Until when it opens.
    pub expires_at: Option<Millis>,
    /// The last visit.
    pub visited_at: Option<Millis>,
    /// Visits in all.
    pub visit_count: u64,
}

/// A share to make.
#[derive(Debug, Clone, Default)]
pub struct NewShare {
    /// What to show: tracks, albums, playlists, folders.
    pub items: Vec<Item>,
    /// What visitors read.
    pub description: String,
    /// Until when it opens; `None` is for good.
    pub expires_at: Option<Millis>,
    /// Visitors give it first.
    pub password: Option<String>,
    /// Visitors may keep the original files.
    pub may_download: bool,
}

/// A change of a share; `None` leaves as is.
#[derive(Debug, Clone, Default)]
pub struct ShareChange {
    /// What visitors read.
    pub description: Option<String>,
    /// `Some(None)` is for good.
    pub expires_at: Option<Option<Millis>>,
    /// `Some(None)` takes the password away.
    pub password: Option<Option<String>>,
    /// Whether visitors may keep the original files.
    pub may_download: Option<bool>,
}

/// What an address opens.
#[derive(Debug)]
pub enum Door {
    /// Here it is.
    Open(Box<Visit>),
    /// The password first.
    Locked,
}

/// An open share: what a visitor may see and hear, and nothing else.
#[derive(Debug)]
pub struct Visit {
    /// The share.
    pub share: Share,
    /// Whose eyes the visitor has.
    pub principal: Principal,
    /// Everything in it, in order, as far as its owner may see it now.
    pub tracks: Vec<Track>,
    /// The name of what is shown, if it is one thing.
    pub title: Option<String>,
    /// The artist of what is shown, if it is one thing.
    pub artist: Option<String>,
    /// Whose picture stands for the share: the one thing's, else the first track's that has one.
    pub face: Option<Item>,
}
