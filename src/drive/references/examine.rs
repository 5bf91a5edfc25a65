//! Checks what points into watched folders, for the doctor: each row against the folder's file, and
//! against the symlink that people see. What is known to be missing is no difference as long as its
//! owner was told: rows, figures and notices tell the same story.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use crate::{
    Result,
    db::Db,
    drive::{disk::Disk, put::blocking},
    ids::LockerId,
    media::sealed::{Seal, Sealed},
};

/// How much points into watched folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointing {
    /// Files of lockers that do.
    pub files: u64,
    /// Files in trash and versions that do.
    pub kept: u64,
    /// Bytes of the files that they point at, each once: what it takes to have them without the
    /// folders.
    pub bytes: u64,
    /// A sentence for each whose bytes are nowhere.
    pub missing: Vec<String>,
}

/// A file that points, as its row has it.
struct Row {
    /// The row, where it is in a locker.
    file: Option<i64>,
    folder: String,
    path: String,
    target: Vec<u8>,
    size_bytes: i64,
    modified_ns: i64,
    changed_ns: i64,
    content_hash: Vec<u8>,
    /// It says of its bytes what the reference says.
    agrees: bool,
    /// Whether its owner was told that its bytes are nowhere, if they are.
    told: Option<bool>,
    /// The folder is there, and lends.
    lends: bool,
}

impl Row {
    fn target(&self) -> std::path::PathBuf {
        OsString::from_vec(self.target.clone()).into()
    }

    fn sealed(&self) -> Sealed {
        Sealed {
            path: self.target(),
            size: self.size_bytes.unsigned_abs(),
            modified_ns: self.modified_ns,
            seal: Seal::of(self.changed_ns, &self.content_hash),
        }
    }

    /// As the sentences name it.
    fn shown(&self) -> String {
        match self.file {
            Some(_) => self.path.clone(),
            None => format!("{}/{}", self.folder, self.path),
        }
    }

    /// What does not fit, if anything.
    fn differences(&self, disk: &Disk) -> std::io::Result<Vec<String>> {
        let (shown, target) = (self.shown(), self.target());
        let mut found = Vec::new();
        let mut say =
            |what: &str| found.push(format!("{shown} points at {}, {what}", target.display()));
        if let Some(is_told) = self.told {
            if self.lends && self.sealed().open().is_ok() {
                say("which is there, and is known as missing");
            } else if !is_told {
                say("which is missing, and nobody was told");
            }
            return Ok(found);
        }
        if self.sealed().open().is_err() {
            say("which is not there or is another file now");
        }
        if !self.agrees {
            say("and has another size, time or hash than that");
        }
        if let Some(text) = disk.link_text(&self.folder, &self.path)?
            && text != target
        {
            say(&format!("and its symlink says {}", text.display()));
        }
        Ok(found)
    }
}

/// How much points into watched folders, in all lockers.
pub(in crate::drive) async fn pointing(db: &Db) -> Result<Pointing> {
    let lockers = sqlx::query!(
        r#"select locker_id as "id!: i64", path from locker where path not like 'removed/%' order by path"#
    )
    .fetch_all(db.read())
    .await?;
    let mut pointing = Pointing::default();
    for locker in lockers {
        for row in rows(db, locker.id.into()).await? {
            *if row.file.is_some() { &mut pointing.files } else { &mut pointing.kept } += 1;
            if row.told.is_some() {
                let (shown, target) = (row.shown(), row.target());
                pointing.missing.push(format!(
                    "{}: {shown} is missing: it points at {}",
                    locker.path,
                    target.display()
                ));
            }
        }
    }
    pointing.bytes = sqlx::query_scalar!(
        r#"select coalesce(sum(size_bytes), 0) as "bytes!: i64" from drive_reference r
           where missing_at is null
             and (exists (select 1 from drive_file f where f.reference_id = r.reference_id and f.missing_at is null)
                  or exists (select 1 from drive_kept_file f join drive_kept k using (kept_id)
                             where f.reference_id = r.reference_id and k.gone_at is null))"#
    )
    .fetch_one(db.read())
    .await?
    .unsigned_abs();
    Ok(pointing)
}

/// Everything of a locker, its trash and its versions that points and does not fit.
pub(in crate::drive) async fn pointed_wrongly(
    db: &Db,
    disk: &Disk,
    locker: LockerId,
) -> Result<Vec<String>> {
    let (rows, disk) = (rows(db, locker).await?, disk.clone());
    blocking(move || {
        let mut found = Vec::new();
        for row in rows {
            found.extend(row.differences(&disk)?);
        }
        Ok(found)
    })
    .await
}

/// Files whose symlink other hands took are no longer among them.
async fn rows(db: &Db, locker: LockerId) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select f.drive_file_id as "file?: i64", l.path as "folder!: String", f.path as "path!: String",
                  r.target as "target!: Vec<u8>", r.size_bytes as "size_bytes!: i64", r.modified_ns as "modified_ns!: i64",
                  r.changed_ns as "changed_ns!: i64", r.content_hash as "content_hash!: Vec<u8>",
                  f.size_bytes = r.size_bytes and f.modified_ns = r.modified_ns and f.content_hash is r.content_hash
                  as "agrees!: bool",
                  iif(r.missing_at is null, null, exists (
                      select 1 from notice n where n.key = 'lent:' || f.drive_file_id and n.closed_at is null))
                  as "told?: bool",
                  b.is_active = 1 and b.may_refer = 1 and b.state = 'ok' as "lends!: bool"
           from drive_file f join locker l using (locker_id) join drive_reference r using (reference_id)
           join library b on b.library_id = r.library_id
           where f.locker_id = ?1 and (f.missing_at is null or f.missing_at = r.missing_at)
           union all
           select null, k.shelf || '/' || k.kept_id, k.name || iif(f.path = '', '', '/' || f.path), r.target, r.size_bytes,
                  r.modified_ns, r.changed_ns, r.content_hash,
                  f.size_bytes = r.size_bytes and f.modified_ns = r.modified_ns and f.content_hash is r.content_hash,
                  iif(r.missing_at is null, null, 1), b.is_active = 1 and b.may_refer = 1 and b.state = 'ok'
           from drive_kept_file f join drive_kept k using (kept_id) join drive_reference r using (reference_id)
           join library b on b.library_id = r.library_id
           where k.locker_id = ?1 and k.gone_at is null
           order by 2, 3"#,
        locker.0
    )
    .fetch_all(db.read())
    .await?;
    Ok(rows)
}
