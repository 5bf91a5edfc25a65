//! Library rows: one for each `--library` of the configuration, one for each locker, and one for
//! each folder of a locker that is shared with somebody, for those who see no more of it. A library
//! that left keeps its row, inactive, so that what people added to it survives.

use std::path::PathBuf;

use crate::{
    Result,
    catalog::path_text,
    clock::{Clock, Millis},
    db::{Db, Tx},
    events::{Event, Events},
    ids::{LibraryId, LockerId},
    ingest::Settings,
};

/// What a library row should say.
struct Wanted {
    name: String,
    kind: &'static str,
    path: String,
    locker: Option<i64>,
    /// A folder of this locker, shared.
    shared: Option<(i64, String)>,
    /// Whether lockers may point at its files, where the configuration says.
    lends: Option<bool>,
}

/// The root of an active library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its id.
    pub id: LibraryId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The locker that it is.
    pub locker: Option<LockerId>,
    /// The locker that it is a shared folder of, and its path there.
    pub shared: Option<(LockerId, String)>,
    /// End of the last complete scan.
    pub scanned_at: Option<Millis>,
}

/// Every active library, watched folders first.
pub(super) async fn roots(db: &Db) -> Result<Vec<Root>> {
    let rows = sqlx::query!(
        r#"select b.library_id, b.name, b.path, b.locker_id, b.scanned_at, s.locker_id as "shared_locker?",
                  s.path as "shared_path?"
           from library b left join shared_library s using (library_id)
           where b.is_active = 1 order by b.locker_id is not null, b.library_id"#
    )
    .fetch_all(db.read())
    .await?;
    let roots = rows.into_iter().map(|row| Root {
        id: row.library_id.into(),
        name: row.name,
        path: path_text::decode(&row.path),
        locker: row.locker_id.map(Into::into),
        shared: row.shared_locker.zip(row.shared_path).map(|(id, path)| (LockerId(id), path)),
        scanned_at: row.scanned_at,
    });
    Ok(roots.collect())
}

/// Says how a library is: "ok" or a sentence.
pub(super) async fn set_state(db: &Db, library: LibraryId, state: &str) -> Result<()> {
    let mut tx = db.write().await?;
    sqlx::query!(
        "update library set state = ?1 where library_id = ?2 and state <> ?1",
        state,
        library
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// A scan ended well; it found files or not; `scanned_at` for one of everything.
pub(super) async fn set_scanned(
    db: &Db,
    library: LibraryId,
    has_files: bool,
    scanned_at: Option<Millis>,
) -> Result<()> {
    let has_files = i64::from(has_files);
    let mut tx = db.write().await?;
    sqlx::query!(
        "update library set state = 'ok', was_seen_full = max(was_seen_full, ?),
                scanned_at = coalesce(?, scanned_at)
         where library_id = ?",
        has_files,
        scanned_at,
        library
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Files in the catalogue, unreadable ones included, and how many of them are unreadable.
pub(super) async fn count_files(db: &Db, library: LibraryId) -> Result<(u64, u64)> {
    let count = sqlx::query!(
        r#"select count(*) as "files!: i64",
                  (select count(*) from media_file where library_id = ?1 and state = 'unreadable')
                  as "unreadable!: i64"
           from media_file where library_id = ?1"#,
        library
    )
    .fetch_one(db.read())
    .await?;
    Ok((count.files.unsigned_abs(), count.unreadable.unsigned_abs()))
}

/// Makes the rows fit configuration and lockers. Tells [`Event::LibrariesChanged`] if anything
/// changed.
pub async fn ensure(db: &Db, clock: &Clock, events: &Events, settings: &Settings) -> Result<()> {
    let mut tx = db.write().await?;
    let wanted = wanted(&mut tx, settings).await?;
    let mut kept = Vec::with_capacity(wanted.len());
    let mut changed = false;
    for library in wanted {
        let (id, was_changed) = keep(&mut tx, clock, &library).await?;
        changed |= was_changed | lend(&mut tx, id, library.lends).await?;
        kept.push(id);
    }
    let kept = serde_json::to_string(&kept)?;
    let retired = sqlx::query!(
        "update library set is_active = 0
         where is_active = 1 and library_id not in (select value from json_each(?))",
        kept
    )
    .execute(&mut *tx)
    .await?;
    changed |= 0 < retired.rows_affected();
    tx.commit().await?;
    if changed {
        events.publish(Event::LibrariesChanged);
    }
    Ok(())
}

/// Every library that there should be: folders of the configuration, then lockers.
async fn wanted(tx: &mut Tx, settings: &Settings) -> Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for (name, path) in &settings.libraries {
        let path = std::path::absolute(path)?;
        wanted.push(Wanted {
            name: name.clone(),
            kind: "folder",
            path: path_text::encode_path(&path),
            locker: None,
            shared: None,
            lends: settings.lends.get(name).copied(),
        });
    }
    let lockers = sqlx::query!(
        r#"select l.locker_id, l.kind, l.path, u.name as "user?"
           from locker l left join user u using (user_id)
           where l.kind = 'household' or u.user_id is not null
           order by l.locker_id"#
    )
    .fetch_all(&mut **tx)
    .await?;
    let drive = std::path::absolute(&settings.drive)?;
    for locker in lockers {
        let is_household = locker.kind == "household";
        wanted.push(Wanted {
            name: locker.user.unwrap_or_else(|| "Household".to_owned()),
            kind: if is_household { "household" } else { "locker" },
            path: path_text::encode_path(&drive.join(&locker.path)),
            locker: Some(locker.locker_id),
            shared: None,
            lends: None,
        });
    }
    let shared = sqlx::query!(
        r#"select distinct f.locker_id, f.path, l.path as root, coalesce(u.name, 'household') as "owner!: String"
           from folder_share f join locker l using (locker_id) left join user u on u.user_id = l.user_id
           where l.kind = 'household' or u.user_id is not null
           order by f.locker_id, f.path"#
    )
    .fetch_all(&mut **tx)
    .await?;
    for folder in shared {
        let name = folder.path.rsplit('/').next().unwrap_or_default();
        wanted.push(Wanted {
            name: format!("{name} ({})", folder.owner),
            kind: "folder",
            path: path_text::encode_path(&drive.join(&folder.root).join(&folder.path)),
            locker: None,
            shared: Some((folder.locker_id, folder.path)),
            lends: None,
        });
    }
    Ok(wanted)
}

/// Finds the row by locker, else by path, else by name (its folder moved), and makes it fit.
/// What an administrator chose about sharing stays.
async fn keep(tx: &mut Tx, clock: &Clock, wanted: &Wanted) -> Result<(LibraryId, bool)> {
    let (of, inner) = wanted.shared.clone().unzip();
    let found = sqlx::query!(
        "select library_id, name, b.path, is_active from library b left join shared_library s using (library_id)
         where (b.locker_id is not null and b.locker_id = ?1)
            or (?4 is not null and s.locker_id = ?4 and s.path = ?5)
            or (b.locker_id is null and s.library_id is null and ?1 is null and ?4 is null
                and (b.path = ?2 or name = ?3))
         order by b.path = ?2 desc limit 1",
        wanted.locker,
        wanted.path,
        wanted.name,
        of,
        inner
    )
    .fetch_optional(&mut **tx)
    .await?;
    let own = found.as_ref().map_or(0, |row| row.library_id);
    let name = free_name(tx, &wanted.name, own).await?;
    let Some(row) = found else {
        // A shared folder is seen by those it is shared with, and by nobody else.
        let is_shared = i64::from(wanted.kind != "locker" && wanted.shared.is_none());
        let now = clock.now();
        let id = sqlx::query_scalar!(
            r#"insert into library (name, kind, path, locker_id, is_shared, is_on_lan, created_at)
               values (?1, ?2, ?3, ?4, ?5, ?5, ?6)
               on conflict (path) do update set kind = excluded.kind, locker_id = excluded.locker_id, is_active = 1
               returning library_id as "library_id!: i64""#,
            name,
            wanted.kind,
            wanted.path,
            wanted.locker,
            is_shared,
            now
        )
        .fetch_one(&mut **tx)
        .await?;
        if wanted.shared.is_some() {
            sqlx::query!(
                "insert into shared_library (library_id, locker_id, path) values (?, ?, ?) on conflict do nothing",
                id,
                of,
                inner
            )
            .execute(&mut **tx)
            .await?;
        }
        return Ok((id.into(), true));
    };
    if row.name == name && row.path == wanted.path && row.is_active == 1 {
        return Ok((row.library_id.into(), false));
    }
    sqlx::query!(
        "update library set name = ?, path = ?, kind = ?, is_active = 1 where library_id = ?",
        name,
        wanted.path,
        wanted.kind,
        row.library_id
    )
    .execute(&mut **tx)
    .await?;
    Ok((row.library_id.into(), true))
}

/// What the configuration says about lending holds, and is nobody else's choice. Where it says
/// nothing (any more), the choice stays as it is until somebody makes another. Whether that changed
/// anything.
async fn lend(tx: &mut Tx, id: LibraryId, lends: Option<bool>) -> Result<bool> {
    let changed = sqlx::query!(
        "update library set may_refer = coalesce(?1, may_refer), is_lending_configured = ?1 is not null
         where library_id = ?2
           and (may_refer <> coalesce(?1, may_refer) or is_lending_configured <> (?1 is not null))",
        lends,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(0 < changed.rows_affected())
}

/// The name itself, or with a number when another library has it.
async fn free_name(tx: &mut Tx, name: &str, own: i64) -> Result<String> {
    let mut free = name.to_owned();
    let mut number = 2;
    while sqlx::query_scalar!(
        "select library_id from library where name = ? and library_id <> ?",
        free,
        own
    )
    .fetch_optional(&mut **tx)
    .await?
    .is_some()
    {
        free = format!("{name} ({number})");
        number += 1;
    }
    Ok(free)
}
