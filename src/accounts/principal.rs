//! The account that a request acts for, with everything that a read needs to judge visibility.

use std::sync::Arc;

use super::Abilities;
use crate::{
    Error, Result,
    ids::{LibraryId, UserId},
};

/// What a user is on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May change the server and see its users, but not other people's lockers.
    Admin,
    /// May use it.
    User,
}

impl Role {
    pub(super) fn from_column(text: &str) -> Self {
        if text == "admin" { Self::Admin } else { Self::User }
    }

    /// As the database and the command line write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

/// What the credential allows, whatever the user's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Login password or session: everything the role allows.
    Full,
    /// App password: play, browse, scrobble, upload, whosever it is. Neither administers the
    /// server nor changes an account, so that who finds a phone does not get the house.
    App,
    /// No person: a device on the LAN.
    Device,
}

/// Ceilings of plan and user together. `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// Highest bitrate of a stream, kbit/s.
    pub max_bitrate_kbps: Option<u32>,
    /// Streams at once.
    pub max_streams: Option<u32>,
    /// Transcodes at once.
    pub max_transcodes: Option<u32>,
    /// Bytes of streams a day.
    pub day_bytes: Option<u64>,
    /// Bytes of streams a month.
    pub month_bytes: Option<u64>,
    /// All streams together, kbit/s.
    pub rate_kbps: Option<u32>,
}

/// The account that a request acts for. Cheap to clone. `libraries` is sorted and holds exactly
/// what it may see; every read of the catalogue is bounded by it.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Whose annotations and locker; 0 for the household.
    pub user: UserId,
    /// Login name; "household" for devices.
    pub name: Arc<str>,
    /// The user's role; devices are users.
    pub role: Role,
    /// What the credential allows.
    pub scope: Scope,
    /// Visible libraries, ascending.
    pub libraries: Arc<[LibraryId]>,
    /// Ceilings of plan and user.
    pub caps: Caps,
    /// The user's switches.
    pub abilities: Abilities,
}

impl Principal {
    /// The household as the LAN sees it.
    #[must_use]
    pub(crate) fn household(libraries: Vec<LibraryId>) -> Self {
        Self {
            user: UserId(0),
            name: "household".into(),
            role: Role::User,
            scope: Scope::Device,
            libraries: libraries.into(),
            caps: Caps::default(),
            abilities: Abilities { upload: false, ..Abilities::default() },
        }
    }

    /// The command line's own: an admin with nobody behind it, who sees no library.
    #[must_use]
    pub(crate) fn operator() -> Self {
        Self {
            name: "operator".into(),
            role: Role::Admin,
            scope: Scope::Full,
            ..Self::household(Vec::new())
        }
    }

    /// As somebody to whom something is handed over, who need not be one who may upload.
    #[must_use]
    pub(crate) fn as_recipient(&self) -> Self {
        Self { abilities: Abilities { upload: true, ..self.abilities }, ..self.clone() }
    }

    /// Whether it may see this library.
    #[must_use]
    pub fn may_see(&self, library: LibraryId) -> bool {
        self.libraries.binary_search(&library).is_ok()
    }

    /// Whether it administers the server: an administrator who gave his own password or has a
    /// session; never an app password.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin && self.scope == Scope::Full
    }

    /// Refuses everybody but an admin. This is the wall before everything administrative.
    pub fn require_admin(&self) -> Result<()> {
        match (self.role, self.scope) {
            (Role::Admin, Scope::Full) => Ok(()),
            (Role::Admin, Scope::App) => Err(Error::Forbidden(
                "An app password does not administer the server; sign in with your own password"
                    .to_owned(),
            )),
            _ => Err(Error::Forbidden("Only an administrator may do this".to_owned())),
        }
    }

    /// Refuses app passwords, and whoever is no person: the wall before everything that changes
    /// the own account.
    pub fn require_own_password(&self) -> Result<()> {
        if self.scope == Scope::Full && self.is_person() {
            Ok(())
        } else {
            Err(Error::Forbidden(
                "An app password does not change an account; sign in with your own password"
                    .to_owned(),
            ))
        }
    }

    /// Whether it looks after what there is to hear (looking for new files, radio stations, the
    /// household's folders): an administrator, from his apps too, which offer it in their menus.
    #[must_use]
    pub fn tends_music(&self) -> bool {
        self.role == Role::Admin && self.scope != Scope::Device
    }

    /// Refuses whoever does not look after what there is to hear.
    pub fn require_tending(&self) -> Result<()> {
        if self.tends_music() { Ok(()) } else { self.require_admin() }
    }

    /// Whether a person stands behind it, who can own stars, playlists and a queue.
    #[must_use]
    pub fn is_person(&self) -> bool {
        self.user.0 != 0
    }

    /// The visible libraries as JSON text, for `in (select value from json_each(?))`.
    #[must_use]
    pub fn libraries_json(&self) -> String {
        let mut text = String::with_capacity(2 + 4 * self.libraries.len());
        text.push('[');
        for (at, library) in self.libraries.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(&library.0.to_string());
        }
        text.push(']');
        text
    }
}
