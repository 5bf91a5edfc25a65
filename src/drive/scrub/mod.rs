//! Reads what is kept, and compares it with what was stored: bytes rot on a disk without a word of
//! it. A file of another time or size was changed by other hands, which is the business of
//! reconciling; one of the same time and size and of other bytes is damaged. What points into
//! watched folders is the folder's, and looked at elsewhere.

mod background;
mod read;
mod rows;

use super::{Drive, disk::Disk};
use crate::{Result, db::Db};

pub use background::ScrubState;
use read::{Verdict, read};
use rows::{After, Row};

/// What reading came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Files that were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files of which nobody knows yet what was stored, so that nothing can be said.
    pub unknown: u64,
    /// Files that other hands changed or took away since.
    pub changed: u64,
    /// Files that are not what was stored, or cannot be read.
    pub damaged: Vec<Damage>,
}

/// A file that is not what was stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Damage {
    /// Whose locker: its folder below the drive's root.
    pub owner: String,
    /// The file, below the drive's root.
    pub place: String,
    /// BLAKE3 of what was stored, hex.
    pub expected: String,
    /// BLAKE3 of what is there, hex; `None` if it cannot be read.
    pub found: Option<String>,
    /// Why it cannot be read.
    pub error: Option<String>,
    /// Where the same bytes lie whole, below the drive's root.
    pub intact: Option<String>,
}

impl Damage {
    /// As a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { owner, place, expected, found, error, intact } = self;
        let what = match (found, error) {
            (Some(found), _) => {
                format!("is damaged: its bytes hash to {found}, and {expected} was stored")
            }
            (None, Some(error)) => format!("cannot be read ({error}); {expected} was stored"),
            (None, None) => format!("cannot be read; {expected} was stored"),
        };
        let help = match intact {
            Some(intact) => format!("the same bytes lie whole at {intact}"),
            None => "no whole copy lies on this drive; a backup may have one".to_owned(),
        };
        format!("{owner}: {place} {what}; {help}")
    }
}

/// Reads everything in a data folder that no server runs over; nothing is changed.
pub async fn read_everything(db: &Db, root: std::path::PathBuf) -> Result<Scrubbed> {
    Scrub { db, disk: &Disk::at(root) }.everything().await
}

impl Drive {
    /// Reads everything, as the disk gives it while nobody else asks; nothing is changed.
    pub async fn read_everything(&self) -> Result<Scrubbed> {
        self.scrub().everything().await
    }

    fn scrub(&self) -> Scrub<'_> {
        Scrub { db: &self.db, disk: &self.disk }
    }
}

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Somebody waits for it.
    Steady,
    /// The disk belongs to the listeners.
    Slow,
}

struct Scrub<'a> {
    db: &'a Db,
    disk: &'a Disk,
}

impl Scrub<'_> {
    async fn everything(&self) -> Result<Scrubbed> {
        let mut scrubbed = Scrubbed { unknown: self.unknown().await?, ..Scrubbed::default() };
        let mut after = After::default();
        loop {
            let rows = self.rows(&after).await?;
            let Some(last) = rows.last() else { return Ok(scrubbed) };
            after = last.after();
            for row in rows {
                let damage = self.one(&row, Pace::Steady, &mut scrubbed).await?;
                scrubbed.damaged.extend(damage);
            }
        }
    }

    /// Reads one file, counts it, and tells what is wrong with it.
    async fn one(&self, row: &Row, pace: Pace, scrubbed: &mut Scrubbed) -> Result<Option<Damage>> {
        let verdict = read(self.disk, row, pace).await?;
        let (found, error) = match verdict {
            Verdict::Whole => {
                scrubbed.files += 1;
                scrubbed.bytes += row.size;
                return Ok(None);
            }
            Verdict::Changed => {
                scrubbed.changed += 1;
                return Ok(None);
            }
            Verdict::Other(found) => (Some(hex::encode(found)), None),
            Verdict::Unreadable(error) => (None, Some(error)),
        };
        // It may have been replaced or deleted while it was read.
        if !self.is_still(row).await? {
            scrubbed.changed += 1;
            return Ok(None);
        }
        scrubbed.files += 1;
        scrubbed.bytes += row.size;
        Ok(Some(Damage {
            owner: row.owner.clone(),
            place: row.place(),
            expected: hex::encode(&row.hash),
            found,
            error,
            intact: self.intact(row).await?,
        }))
    }

    /// Where the same bytes lie whole. Another name of the same inode, or a file over the same
    /// blocks, is as damaged, so each is read.
    async fn intact(&self, row: &Row) -> Result<Option<String>> {
        for other in self.others(row).await? {
            if read(self.disk, &other, Pace::Steady).await? == Verdict::Whole {
                return Ok(Some(other.place()));
            }
        }
        Ok(None)
    }
}
