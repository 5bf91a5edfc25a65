//! A folder to take home as one zip, with the names and bytes that it has.

use std::{fs::File, io, sync::Arc};

use super::{Drive, RelativePath, disk, names::fitting, put::blocking, reach::Access};
use crate::{
    Error, Result,
    accounts::Principal,
    body::LiveBody,
    ids::LockerId,
    zip::{self, Member, Source},
};

/// Files and folders in an archive.
const MOST_MEMBERS: usize = 100_000;

impl Drive {
    /// A folder (or the whole locker) with all that is in it as a zip, and the zip's file name. Its
    /// exact length is known.
    pub async fn zip_folder(
        &self,
        principal: &Principal,
        locker: LockerId,
        folder: &RelativePath,
    ) -> Result<(String, LiveBody)> {
        let (locker, folder) = self.reach(principal, locker, folder, Access::Read).await?;
        let top = if folder.is_root() { locker.name.as_str() } else { folder.name() };
        let top = fitting(top);
        let (drive, root, path) = (self.disk.clone(), locker.path.clone(), folder.clone());
        let lent = Arc::new(self.lent_below(locker.id, folder.as_str()).await?);
        let there = Arc::clone(&lent);
        let mut below = blocking(move || {
            if !drive.look(&root, path.as_str(), None)?.is_folder {
                return Err(rustix::io::Errno::NOTDIR.into());
            }
            drive.below(&root, path.as_str(), &there)
        })
        .await?;
        if MOST_MEMBERS < below.len() {
            return Err(Error::Invalid(format!(
                "These are more than {MOST_MEMBERS} files; take them in smaller parts"
            )));
        }
        below.sort_by(|one, other| one.name.cmp(&other.name));
        let members: Vec<Member> = below
            .into_iter()
            .map(|found| {
                let (disk, root) = (self.disk.clone(), locker.path.clone());
                let path = RelativePath::from_disk(found.name.clone()).below(&folder);
                let lent = lent.get(&found.name).filter(|_| found.is_lent).cloned();
                let open = move || -> io::Result<File> {
                    if let Some(lent) = &lent {
                        let opened = disk.open_lent(&root, path.as_str(), lent)?;
                        return opened.ok_or(io::ErrorKind::NotFound.into());
                    }
                    Ok(disk::open_file(&disk.locker(&root)?, path.as_str())?.0)
                };
                Member {
                    name: format!("{top}/{}", fitting(&found.name)),
                    source: Source::opened_by(open),
                    len: if found.is_folder { 0 } else { found.size },
                    modified_at: found.modified_ns / 1_000_000,
                }
            })
            .collect();
        let body = LiveBody {
            content_type: "application/zip".into(),
            len: Some(zip::length(&members)),
            duration: None,
            stream: Box::pin(zip::stream(members, None)),
        };
        Ok((format!("{top}.zip"), body))
    }
}
