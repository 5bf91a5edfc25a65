//! What can be done about duplicates, and how it is taken back: a group that is kept is not shown
//! any more; a linked file shares its bytes with the one that stays; a deleted one is in the trash,
//! and what people added to its track goes on with the one that stays.

use std::collections::HashSet;

use super::DuplicateKind;
use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{Merged, Whose},
    clock::Millis,
    drive::{Condition, Kinship, RelativePath, Target},
    ids::LockerId,
    matching::{Matching, source::read},
};

/// Actions that are listed.
const LISTED: i64 = 100;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// They stay as they are.
    Keep,
    /// They stay, and share their bytes on the disk.
    Link,
    /// One goes to the trash.
    Delete,
}

impl What {
    fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Link => "link",
            Self::Delete => "delete",
        }
    }
}

/// Something to be done.
#[derive(Debug, Clone)]
pub struct Action {
    /// What.
    pub what: What,
    /// To a file of which group.
    pub kind: DuplicateKind,
    /// Likewise.
    pub key: String,
    /// Which file; of no meaning for [`What::Keep`].
    pub file: Option<(LockerId, RelativePath)>,
}

/// Something that was done.
#[derive(Debug, Clone)]
pub struct ActionDone {
    /// Its id.
    pub id: i64,
    /// What.
    pub what: String,
    /// How the files were alike.
    pub kind: String,
    /// The file, or '' where a group was kept.
    pub path: String,
    /// When.
    pub done_at: Millis,
}

impl Matching {
    /// Does it; the id by which it is taken back. What is not in such a group (any more) is not
    /// found.
    pub async fn act(&self, principal: &Principal, action: &Action) -> Result<i64> {
        let groups = self.duplicates(principal, action.kind).await?;
        let group = groups.into_iter().find(|group| group.key == action.key);
        let group = group.ok_or(Error::NotFound("Group of duplicates"))?;
        if action.what == What::Keep {
            return self.note(principal, action, None, None).await;
        }
        let Some((locker, path)) = &action.file else {
            return Err(Error::Invalid("Say which file of them".to_owned()));
        };
        let is_it = |file: &super::DuplicateFile| {
            file.locker == Some(*locker) && file.path == path.as_str()
        };
        if !group.files.iter().any(is_it) {
            return Err(Error::NotFound("File"));
        }
        match action.what {
            What::Link if action.kind != DuplicateKind::Exact => {
                Err(Error::Invalid("Only files of the same bytes can share them".to_owned()))
            }
            What::Link => {
                // With another one in a locker, whose inode can be shared; else with a folder's.
                let mut others: Vec<_> = group.files.iter().filter(|file| !is_it(file)).collect();
                others.sort_by_key(|file| file.locker.is_none());
                let other = others.first().ok_or(Error::NotFound("File"))?;
                self.link(principal, *locker, path, other).await?;
                // Both stay, each with what people added to it.
                self.note(principal, action, None, None).await
            }
            What::Delete => {
                let goes = group.files.iter().find(|file| is_it(file));
                let mut others =
                    group.files.iter().filter(|file| !is_it(file) && file.track.is_some());
                // The best of those in the same library, else the best of all.
                let stays = others
                    .clone()
                    .find(|file| file.locker == Some(*locker))
                    .or_else(|| others.next());
                let kept =
                    self.parts.drive.trash(principal, *locker, path, &Condition::Present).await?;
                let merged = match goes.zip(stays).map(|(goes, stays)| {
                    let is_same = goes.library == stays.library;
                    (goes.track, stays.track, if is_same { Whose::All } else { Whose::Own })
                }) {
                    Some((Some(from), Some(to), whose)) => {
                        Some(self.parts.catalog.merge_track(principal, from, to, whose).await?)
                    }
                    _ => None,
                };
                self.note(principal, action, Some(kept.id), merged.as_ref()).await
            }
            What::Keep => Err(Error::Invalid("Nothing is to be done".to_owned())),
        }
    }

    /// Takes an action back.
    pub async fn undo(&self, principal: &Principal, id: i64) -> Result<()> {
        let row = sqlx::query!(
            "select what, locker_id, path, kept_id, merged from duplicate_action
             where action_id = ? and user_id = ? and undone_at is null",
            id,
            principal.user
        )
        .fetch_optional(self.parts.db.read())
        .await?
        .ok_or(Error::NotFound("Action"))?;
        match (&*row.what, row.locker_id, row.kept_id) {
            ("link", Some(locker), _) => {
                let path = RelativePath::from_disk(row.path);
                self.part(principal, locker.into(), &path).await?;
            }
            ("delete", _, Some(kept)) => {
                self.parts.drive.restore(principal, &kept, None).await?;
                if let Some(merged) = &row.merged {
                    let merged: Merged = serde_json::from_str(merged)?;
                    self.parts.catalog.part_tracks(&merged).await?;
                }
            }
            _ => (),
        }
        let now = self.parts.clock.now();
        let mut tx = self.parts.db.write().await?;
        sqlx::query!("update duplicate_action set undone_at = ? where action_id = ?", now, id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// What was done and can be taken back, newest first.
    pub async fn done(&self, principal: &Principal) -> Result<Vec<ActionDone>> {
        let rows = sqlx::query_as!(
            ActionDone,
            "select action_id as id, what, kind, path, done_at from duplicate_action
             where user_id = ? and undone_at is null order by action_id desc limit ?",
            principal.user,
            LISTED
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(rows)
    }

    /// Keys of groups that a user wants to keep.
    pub(super) async fn kept_groups(
        &self,
        principal: &Principal,
        kind: DuplicateKind,
    ) -> Result<HashSet<String>> {
        let kind = kind.as_str();
        let keys = sqlx::query_scalar!(
            "select group_key from duplicate_action
             where user_id = ? and kind = ? and what = 'keep' and undone_at is null",
            principal.user,
            kind
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(keys.into_iter().collect())
    }

    /// Makes a file share the bytes of another that both are in the principal's sight.
    async fn link(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        other: &super::DuplicateFile,
    ) -> Result<()> {
        let mine = self.parts.drive.open_file(principal, locker, path).await?;
        let place = self.place_of(other).await?.ok_or(Error::NotFound("File"))?;
        let source = self.open(place).await?.ok_or(Error::NotFound("File"))?;
        let digests = read(&source, None).await?.ok_or(Error::NotFound("File"))?;
        let condition = Condition::Match(vec![mine.etag]);
        let target = Target { locker, path: path.clone(), condition };
        // Both are read: what a row says is not enough to let a file go.
        let file = std::sync::Arc::new(mine.file);
        let own = tokio::task::spawn_blocking(move || crate::drive::digest(&file, None, |_| true));
        let own = own.await??.ok_or(Error::NotFound("File"))?;
        if own != digests {
            return Err(Error::Conflict("The files are not the same any more".to_owned()));
        }
        self.parts.drive.put_shared(principal, &target, source, digests.content).await?;
        Ok(())
    }

    /// Gives a file bytes of its own again.
    async fn part(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<()> {
        let opened = self.parts.drive.open_file(principal, locker, path).await?;
        let mut source = self.parts.drive.source(locker, opened.path.as_str()).await?;
        // As if it lay outside: blocks may be shared, the inode may not.
        source.kinship = Kinship::Outside;
        source.lendable = None;
        let digests = read(&source, None).await?.ok_or(Error::NotFound("File"))?;
        let condition = Condition::Match(vec![opened.etag]);
        let target = Target { locker, path: opened.path, condition };
        self.parts.drive.put_shared(principal, &target, source, digests.content).await?;
        Ok(())
    }

    async fn note(
        &self,
        principal: &Principal,
        action: &Action,
        kept: Option<String>,
        merged: Option<&Merged>,
    ) -> Result<i64> {
        let merged = merged.map(serde_json::to_string).transpose()?;
        let now = self.parts.clock.now();
        let (what, kind) = (action.what.as_str(), action.kind.as_str());
        let locker = action.file.as_ref().map(|(locker, _)| locker.0);
        let path = action.file.as_ref().map_or("", |(_, path)| path.as_str());
        let mut tx = self.parts.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into duplicate_action (user_id, what, kind, group_key, locker_id, path, kept_id, done_at, merged)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning action_id as "id!: i64""#,
            principal.user,
            what,
            kind,
            action.key,
            locker,
            path,
            kept,
            now,
            merged
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(id)
    }
}
