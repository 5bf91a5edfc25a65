//! The rows that go with the files: what each counts, and its entity tag.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use super::{Condition, Drive, Origin, disk::Lent};
use crate::{
    Result,
    accounts::Charge,
    clock::Millis,
    db::Tx,
    ids::LockerId,
    media::sealed::{Seal, Sealed},
};

/// What is recorded of a file that is there.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) size: u64,
    pub(super) modified_ns: i64,
    /// When a file of this name first came here.
    pub(super) created_at: Millis,
    pub(super) etag: String,
    pub(super) hash: Option<Vec<u8>>,
    pub(super) charge: Charge,
    /// The address that it was fetched from.
    pub(super) source: Option<String>,
    /// Where its bytes are, if they lie in a watched folder.
    pub(super) lent: Option<Lent>,
}

impl Row {
    /// Whether the same bytes again are this file, and do not count either.
    pub(super) fn stays_exempt(&self, size: u64, hash: &[u8; 32]) -> bool {
        self.hash.as_deref() == Some(hash.as_slice()) && self.charge == Charge::exempt(size)
    }

    /// How many bytes of room other bytes need that come to its place.
    pub(super) fn more_for(&self, size: u64, hash: &[u8; 32]) -> u64 {
        if self.stays_exempt(size, hash) { 0 } else { size.saturating_sub(self.charge.counted) }
    }
}

/// What a row counts: nothing where its file is exempt, a part where a shared copy is paid for
/// together.
pub(super) fn charge(size: i64, charged: Option<i64>, exempt: Option<&str>) -> Charge {
    match exempt {
        Some(_) => Charge::exempt(size.unsigned_abs()),
        None => Charge::counted(charged.unwrap_or(size).unsigned_abs()),
    }
}

/// What is known of a published file's bytes besides their hash.
pub(super) struct Known {
    pub(super) modified_ns: i64,
    pub(super) quick_key: [u8; 32],
    pub(super) origin: Origin,
}

impl Drive {
    /// The row of a file; none if it is missing on the disk.
    pub(super) async fn row(&self, locker: LockerId, path: &str) -> Result<Option<Row>> {
        let row = sqlx::query!(
            r#"select drive_file_id, f.size_bytes, f.modified_ns, version, charged_bytes, exempt, f.content_hash, created_at,
                      source, r.reference_id as "reference?: i64", r.target as "target?: Vec<u8>",
                      r.quick_key as "reference_key?: Vec<u8>", r.changed_ns as "changed_ns?: i64",
                      r.content_hash as "content?: Vec<u8>"
               from drive_file f left join drive_reference r using (reference_id)
               where locker_id = ? and f.path = ? and f.missing_at is null"#,
            locker.0,
            path
        )
        .fetch_optional(self.db.read())
        .await?;
        Ok(row.map(|row| Row {
            size: row.size_bytes.unsigned_abs(),
            modified_ns: row.modified_ns,
            created_at: row.created_at,
            etag: etag(row.drive_file_id, row.version),
            hash: row.content_hash,
            source: row.source,
            lent: lent(
                (row.reference, row.target, row.reference_key),
                (row.size_bytes, row.modified_ns),
                (row.changed_ns, row.content),
            ),
            charge: charge(row.size_bytes, row.charged_bytes, row.exempt.as_deref()),
        }))
    }

    /// What a file counts; nothing if it is missing on the disk or not known.
    pub(super) async fn charge_of(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
    ) -> Result<Charge> {
        let row = sqlx::query!(
            "select size_bytes, charged_bytes, exempt from drive_file
             where locker_id = ? and path = ? and missing_at is null",
            locker.0,
            path
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(row.map_or_else(Charge::default, |row| {
            charge(row.size_bytes, row.charged_bytes, row.exempt.as_deref())
        }))
    }

    /// Refuses unless what is at a path is as wanted.
    pub(super) async fn require(
        &self,
        locker: LockerId,
        path: &str,
        condition: &Condition,
    ) -> Result<()> {
        if *condition == Condition::None {
            return Ok(());
        }
        let there = self.row(locker, path).await?;
        condition.require(there.as_ref().map(|row| row.etag.as_str()))
    }

    /// Files at a path or in it, their bytes, and what they count.
    pub(super) async fn sum_rows(
        &self,
        locker: LockerId,
        path: &str,
    ) -> Result<(u64, u64, Charge)> {
        let (first, last) = inside(path);
        let sum = sqlx::query!(
            r#"select count(*) as "files!: i64", coalesce(sum(size_bytes), 0) as "size!: i64",
                      coalesce(sum(iif(exempt is null, coalesce(charged_bytes, size_bytes), 0)), 0) as "counted!: i64",
                      coalesce(sum(iif(exempt is null, 0, size_bytes)), 0) as "exempt!: i64"
               from drive_file
               where locker_id = ?1 and missing_at is null and (path = ?2 or (?3 <= path and path < ?4))"#,
            locker.0,
            path,
            first,
            last
        )
        .fetch_one(self.db.read())
        .await?;
        let mut charge = Charge::counted(sum.counted.unsigned_abs());
        charge += Charge::exempt(sum.exempt.unsigned_abs());
        Ok((sum.files.unsigned_abs(), sum.size.unsigned_abs(), charge))
    }

    /// Makes or replaces the row of a file; its entity tag.
    pub(super) async fn write_row(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        size: u64,
        modified_ns: i64,
        hash: Option<&[u8; 32]>,
    ) -> Result<String> {
        let now = self.clock.now();
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let hash = hash.map(<[u8; 32]>::as_slice);
        let row = sqlx::query!(
            r#"insert into drive_file (locker_id, path, size_bytes, modified_ns, content_hash, created_at, stored_at)
               values (?1, ?2, ?3, ?4, ?5, ?6, ?6)
               on conflict (locker_id, path) do update set
                   size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns,
                   content_hash = excluded.content_hash, quick_key = null, origin = 'own', reference_id = null,
                   version = version + 1, missing_at = null, charged_bytes = null,
                   -- The same bytes again are the same file: what is known of it holds.
                   exempt = iif(content_hash = excluded.content_hash and missing_at is null, exempt, null),
                   source = iif(content_hash = excluded.content_hash and missing_at is null, source, null),
                   stored_at = excluded.stored_at
               returning drive_file_id as "drive_file_id!: i64", version as "version!: i64""#,
            locker.0,
            path,
            size,
            modified_ns,
            hash,
            now
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(etag(row.drive_file_id, row.version))
    }

    /// Completes the row of a file that was just written.
    pub(super) async fn write_bytes(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        bytes: &Known,
    ) -> Result<()> {
        let (quick_key, origin) = (bytes.quick_key.as_slice(), bytes.origin.as_str());
        sqlx::query!(
            "update drive_file set quick_key = ?, origin = ? where locker_id = ? and path = ?",
            quick_key,
            origin,
            locker.0,
            path
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Rows of a file, or of everything in a folder: what they count in all, and they are gone,
    /// with the locks on them and what clients kept beside them.
    pub(super) async fn delete_rows(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
    ) -> Result<Charge> {
        self.drop_locks(tx, locker, path).await?;
        self.drop_properties(tx, locker, path).await?;
        let (from, to) = inside(path);
        let rows = sqlx::query!(
            r#"delete from drive_file where locker_id = ?1 and (path = ?2 or (?3 <= path and path < ?4))
               returning iif(missing_at is null, size_bytes, 0) as "size!: i64",
                         iif(missing_at is null, charged_bytes, 0) as "charged?: i64", exempt as "exempt?: String""#,
            locker.0,
            path,
            from,
            to
        )
        .fetch_all(&mut **tx)
        .await?;
        let mut sum = Charge::default();
        for row in rows {
            sum += charge(row.size, row.charged, row.exempt.as_deref());
        }
        Ok(sum)
    }

    /// Rows right in a folder: name and row.
    pub(super) async fn rows_in(
        &self,
        locker: LockerId,
        folder: &str,
    ) -> Result<std::collections::HashMap<String, Row>> {
        let (from, to) = if folder.is_empty() {
            (String::new(), "\u{10ffff}".to_owned())
        } else {
            inside(folder)
        };
        let skipped = i64::try_from(from.chars().count()).unwrap_or(0);
        let rows = sqlx::query!(
            r#"select drive_file_id, substr(f.path, ?4 + 1) as "name!: String", f.size_bytes, f.modified_ns, version,
                      charged_bytes, exempt, created_at, r.reference_id as "reference?: i64",
                      r.target as "target?: Vec<u8>", r.quick_key as "reference_key?: Vec<u8>",
                      r.changed_ns as "changed_ns?: i64", r.content_hash as "content?: Vec<u8>"
               from drive_file f left join drive_reference r using (reference_id)
               where locker_id = ?1 and ?2 <= f.path and f.path < ?3 and f.missing_at is null
                 and instr(substr(f.path, ?4 + 1), '/') = 0"#,
            locker.0,
            from,
            to,
            skipped
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let etag = etag(row.drive_file_id, row.version);
                let size = row.size_bytes.unsigned_abs();
                let charge = charge(row.size_bytes, row.charged_bytes, row.exempt.as_deref());
                let (modified_ns, created_at) = (row.modified_ns, row.created_at);
                let (hash, source) = (None, None);
                let lent = lent(
                    (row.reference, row.target, row.reference_key),
                    (row.size_bytes, row.modified_ns),
                    (row.changed_ns, row.content),
                );
                (row.name, Row { size, modified_ns, created_at, etag, charge, hash, source, lent })
            })
            .collect())
    }
}

/// Where a row's bytes are, if not here: the row of the reference, its target and quick key; size
/// and time; since when it is surely of which content.
pub(super) fn lent(
    reference: (Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>),
    (size, modified_ns): (i64, i64),
    (changed_ns, content): (Option<i64>, Option<Vec<u8>>),
) -> Option<Lent> {
    let (Some(id), Some(target), Some(quick_key)) = reference else { return None };
    let path = OsString::from_vec(target).into();
    let seal = Some(Seal::of(changed_ns?, &content?)?);
    let sealed = Sealed { path, size: size.unsigned_abs(), modified_ns, seal };
    Some(Lent { id, sealed, quick_key: quick_key.try_into().ok()? })
}

/// What lies in a folder is what sorts between `folder/` and `folder0`.
pub(super) fn inside(folder: &str) -> (String, String) {
    (format!("{folder}/"), format!("{folder}0"))
}

/// Never made from the content, and never the same for another content.
fn etag(id: i64, version: i64) -> String {
    format!("{id:x}-{version:x}")
}
