//! What a hand knows to be there, or asks to be.

use std::collections::BTreeMap;

use super::{hand::Act, seen::Hash};

/// What hands do one after the other, each beginning elsewhere.
pub(super) const ROUND: &[Act] = &[
    Act::Put,
    Act::Tus,
    Act::Dav,
    Act::Claim,
    Act::Replace,
    Act::PutChunked,
    Act::Form,
    Act::Move,
    Act::Copy,
    Act::Trash,
    Act::TusWhole,
    Act::VersionBack,
    Act::MoveFolder,
    Act::ReplaceByDav,
    Act::Restore,
    Act::CopyOver,
    Act::Remove,
    Act::ReplaceByTus,
    Act::MoveOver,
    Act::CopyOverTwin,
    Act::MoveByDav,
    Act::MoveOverTwin,
    Act::Zip,
    Act::TusJoin,
    Act::PutInHouse,
    Act::TusDeferred,
    Act::MoveToHouse,
    Act::CopyByDav,
    Act::MoveFromHouse,
    Act::TrashByDav,
    Act::CopyToHouse,
    Act::TrashInHouse,
    Act::TakeDown,
    Act::Trash,
    Act::Purge,
];

/// And these: what is promised comes in after the answer, and a disk that fails meanwhile ends it.
pub(super) const PROMISED: &[Act] =
    &[Act::Import, Act::DeliveryByUrl, Act::ImportZip, Act::Delivery, Act::ImportList, Act::TusZip];

/// The same where files point into a watched folder.
pub(super) const LENT_ROUND: &[Act] = &[
    Act::Refer,
    Act::Move,
    Act::Copy,
    Act::Refer,
    Act::Trash,
    Act::CopyOver,
    Act::MoveFolder,
    Act::Restore,
    Act::Refer,
    Act::CopyOverTwin,
    Act::Replace,
    Act::VersionBack,
    Act::MoveByDav,
    Act::Refer,
    Act::MoveOver,
    Act::Trash,
    Act::Recall,
    Act::Refer,
    Act::MoveOverTwin,
    Act::Remove,
    Act::Purge,
];

/// What one hand's folder holds, and what was kept of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct World {
    pub(super) files: BTreeMap<String, Hash>,
    pub(super) trash: Vec<(String, Hash)>,
    pub(super) versions: Vec<(String, Hash)>,
    pub(super) grants: u64,
}

impl World {
    /// What is at a path becomes a version of it.
    pub(super) fn keep_version(&mut self, path: &str) {
        self.versions.push((path.to_owned(), self.files[path]));
    }

    /// All that a folder holds goes to another. What was kept of it is called on its shelf what it was
    /// called when it came there.
    pub(super) fn move_all(&mut self, from: &str, to: &str) {
        let moved = |path: &str| path.strip_prefix(from).map(|rest| format!("{to}{rest}"));
        let files = std::mem::take(&mut self.files).into_iter();
        self.files = files.map(|(path, hash)| (moved(&path).unwrap_or(path), hash)).collect();
    }

    /// The last version of a file that is there: a take-down leaves those of files that went.
    pub(super) fn replaced(&self) -> Option<usize> {
        self.versions.iter().rposition(|it| self.files.contains_key(&it.0))
    }

    /// In what another world is other than this one.
    pub(super) fn told_from(&self, there: &Self) -> String {
        let mut text = String::new();
        for (what, wanted, found) in [
            ("file", Vec::from_iter(self.files.clone()), Vec::from_iter(there.files.clone())),
            ("trash", self.trash.clone(), there.trash.clone()),
            ("version", self.versions.clone(), there.versions.clone()),
        ] {
            let short = |hash: &Hash| hex::encode(&hash[..4]);
            for (path, hash) in wanted.iter().filter(|one| !found.contains(one)) {
                text.push_str(&format!("\n  lost: {what} {path} {}", short(hash)));
            }
            for (path, hash) in found.iter().filter(|one| !wanted.contains(one)) {
                text.push_str(&format!("\n  unasked: {what} {path} {}", short(hash)));
            }
        }
        if self.grants != there.grants {
            text.push_str(&format!("\n  grants: {} and not {}", there.grants, self.grants));
        }
        text
    }
}
