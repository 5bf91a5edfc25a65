//! Moving in from another server: its database or library file is read into one model
//! ([`read`]), person by person, and given to those who are meant here ([`Moving`]). Reading needs
//! nothing of this server; it never writes to what it reads, and takes nothing of it for granted:
//! tables and columns that a version does not have are empty.

mod airsonic;
pub mod fuzz;
mod gather;
mod itunes;
mod jellyfin;
mod jellyfin_old;
mod model;
mod moment;
mod navidrome;
mod plist;
mod resolve;
mod service;
mod sql_text;
mod sqlite;

use std::path::Path;

pub use model::{
    AlbumMark, Arrived, Belongings, Bookmark, Joins, Legacy, List, Mark, Name, NamedMark, Outcome,
    Person, Queue, Station, Taken, Tally, Track, Wish,
};
pub use service::Moving;

use crate::{
    Error, Result,
    error::{in_words, is_nowhere},
};

/// Where people come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `navidrome.db`.
    Navidrome,
    /// Airsonic, Airsonic-Advanced: the `.script` of its HSQLDB, or a dump of its PostgreSQL,
    /// MariaDB or MySQL.
    Airsonic,
    /// `jellyfin.db`, or `library.db` with it beside.
    Jellyfin,
    /// The library of iTunes or Apple Music, exported as XML.
    ITunes,
}

impl Program {
    /// Its name, as people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Navidrome => "Navidrome",
            Self::Airsonic => "Airsonic",
            Self::Jellyfin => "Jellyfin",
            Self::ITunes => "iTunes",
        }
    }
}

/// Reads everything that people may bring along from there. `plays_of` names the one whose play
/// counts they are, where a program counts for all together.
pub async fn read(program: Program, path: &Path, plays_of: Option<&str>) -> Result<Legacy> {
    if let Err(error) = std::fs::metadata(path) {
        let path = path.display();
        return Err(Error::Invalid(if is_nowhere(&error) {
            format!("there is no {path}")
        } else {
            format!("cannot read {path}: {}", in_words(&error))
        }));
    }
    match program {
        Program::Navidrome => navidrome::read(path).await,
        Program::Airsonic => airsonic::read(path, plays_of),
        Program::Jellyfin => jellyfin::read(path).await,
        Program::ITunes => itunes::read(path),
    }
}
