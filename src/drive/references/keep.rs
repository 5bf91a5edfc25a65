//! Looks after what is lent: makes it real where the folder no longer lends, follows files that
//! were moved or renamed, and looks for the bytes elsewhere where other hands took or changed a
//! file. What is nowhere is missing, and its owner is told; it works again when the same file is
//! back. That a file is gone is believed only once the scan of its folder has taken it out of the
//! catalogue: a root that is not mounted, or suddenly empty, starts nothing.

use std::{
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    time::Duration,
};

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::real::{InFolder, Reference, is_of};
use crate::{
    Error, Result, clock,
    drive::{
        Drive,
        put::{blocking, staging_name},
    },
    events::Event,
    media::sealed::Sealed,
    path_text,
};

/// What changes comes in heaps; it is looked at when the heap is complete.
const SETTLE: Duration = Duration::from_secs(2);
/// What had no room on the disk is tried again.
const AGAIN: Duration = Duration::from_hours(1);

impl Drive {
    /// Looks after references until `stop`.
    pub(in crate::drive) async fn keep_references(&self, stop: &CancellationToken) {
        let mut changes = self.events.subscribe();
        let mut is_asked = true;
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look_after_references(is_asked) => looked,
            };
            if let Err(error) = looked {
                tracing::error!(
                    "files that lie in watched folders could not be looked after: {error:#?}"
                );
            }
            let again = clock::beat(AGAIN);
            tokio::pin!(again);
            is_asked = loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = &mut again => break true,
                    () = self.references.notified() => break true,
                    change = changes.recv() => match change {
                        Ok(Event::CatalogChanged { .. } | Event::LibrariesChanged)
                        | Err(RecvError::Lagged(_)) => break false,
                        Ok(_) => (),
                        Err(RecvError::Closed) => return,
                    },
                }
            };
            if is_asked {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(SETTLE) => (),
            }
            while changes.try_recv().is_ok() {}
        }
    }

    /// Looks at every reference that may need something, and at every file whether something about
    /// it changed. Done once an hour; whoever cannot wait may ask for it.
    pub async fn look_at_references(&self) -> Result<()> {
        self.look_after_references(true).await
    }

    /// The same; `every` file only on demand: the catalogue tells of most that happens.
    async fn look_after_references(&self, every: bool) -> Result<()> {
        let any = sqlx::query_scalar!(
            r#"select exists (select 1 from drive_reference)
                   or exists (select 1 from notice where key like 'lent:%' and closed_at is null) as "any!: bool""#
        )
        .fetch_one(self.db.read())
        .await?;
        if !any {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        self.untell(&mut tx).await?;
        self.drop_unused(&mut tx).await?;
        tx.commit().await?;
        if !self.is_writable().await? {
            return Ok(());
        }
        // Where the folder no longer lends.
        let recalled = sqlx::query_scalar!(
            "select reference_id from drive_reference r join library b using (library_id)
             where b.is_active = 0 or b.may_refer = 0 order by reference_id"
        )
        .fetch_all(self.db.read())
        .await?;
        for id in recalled {
            let Some(reference) = self.reference(id).await? else { continue };
            let places = self.in_folders(&reference.hash).await?;
            match self.make_reference_real(&reference, &places).await {
                Ok(true) => (),
                // What is missing has nothing to be copied; it may come back.
                Ok(false) => tracing::warn!(
                    file = %reference.lent.sealed.path.display(),
                    "files of lockers point at this file of a folder that no longer lends, and it is not there"
                ),
                Err(error) => not_now(&reference, &error),
            }
        }
        // What the catalogue knows otherwise, or what was missing.
        let doubtful = sqlx::query_scalar!(
            "select reference_id from drive_reference r join library b using (library_id)
             where b.is_active = 1 and b.may_refer = 1 and b.state = 'ok'
               and (r.missing_at is not null or not exists (
                   select 1 from media_file m where m.library_id = r.library_id and m.path = r.path
                   and m.size_bytes = r.size_bytes and m.modified_ns = r.modified_ns)
                 or r.target <> cast(b.path || '/' || r.path as blob))
             order by reference_id"
        )
        .fetch_all(self.db.read())
        .await?;
        let touched = if every { self.touched().await? } else { Vec::new() };
        for id in doubtful.into_iter().chain(touched) {
            if let Some(reference) = self.reference(id).await?
                && let Err(error) = self.look_at_reference(&reference).await
            {
                not_now(&reference, &error);
            }
        }
        let mut tx = self.db.write().await?;
        self.drop_unused(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn look_at_reference(&self, reference: &Reference) -> Result<()> {
        let sealed = reference.lent.sealed.clone();
        let there = blocking(move || sealed.look()).await?;
        if let Some((_, changed_ns)) = there
            && self.is_at_home(reference).await?
        {
            self.seal_again(reference, changed_ns).await?;
            if reference.is_missing {
                self.set_missing(reference, false).await?;
            }
            return Ok(());
        }
        // Asked once: what is hashed meanwhile is followed at the next look, not copied by this one.
        let places = self.in_folders(&reference.hash).await?;
        for place in places.iter().filter(|place| place.lends) {
            let (there, hash) = (place.sealed.clone(), reference.hash.clone());
            let opened = blocking(move || {
                let Ok((file, changed_ns)) = there.open_as_of() else { return Ok(None) };
                Ok(is_of(&file, &hash)?.then_some(changed_ns))
            });
            if let Some(changed_ns) = opened.await? {
                return self.follow_to(reference, place, changed_ns).await;
            }
        }
        if self.make_reference_real(reference, &places).await? {
            tracing::info!(
                file = %reference.lent.sealed.path.display(),
                "a file of a folder is gone or changed; the lockers that pointed at it have its bytes from elsewhere"
            );
            return Ok(());
        }
        // Also for what came to point with it meanwhile.
        self.set_missing(reference, true).await
    }

    /// Something about a file changed, and its bytes are the same: nobody has to read it all again.
    async fn seal_again(&self, reference: &Reference, changed_ns: i64) -> Result<()> {
        if reference.lent.sealed.seal.is_some_and(|seal| seal.changed_ns == changed_ns) {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update drive_reference set changed_ns = ? where reference_id = ?",
            changed_ns,
            reference.lent.id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// References whose file is there, and about which something changed.
    async fn touched(&self) -> Result<Vec<i64>> {
        let rows = sqlx::query!(
            r#"select reference_id as "id!: i64", target, size_bytes, modified_ns, changed_ns
               from drive_reference r join library b using (library_id)
               where r.missing_at is null and b.is_active = 1 and b.may_refer = 1 and b.state = 'ok'"#
        )
        .fetch_all(self.db.read())
        .await?;
        blocking(move || {
            let touched = rows.into_iter().filter(|row| {
                let path = std::ffi::OsString::from_vec(row.target.clone()).into();
                let (size, modified_ns) = (row.size_bytes.unsigned_abs(), row.modified_ns);
                let sealed = Sealed { path, size, modified_ns, seal: None };
                sealed.open_as_of().is_ok_and(|(_, changed_ns)| changed_ns != row.changed_ns)
            });
            Ok(touched.map(|row| row.id).collect())
        })
        .await
    }

    /// Whether it still is in the folder that it was lent from; the folder may have got another
    /// path.
    async fn is_at_home(&self, reference: &Reference) -> Result<bool> {
        let root =
            sqlx::query_scalar!("select path from library where library_id = ?", reference.library)
                .fetch_one(self.db.read())
                .await?;
        let home = path_text::decode(&root).join(path_text::decode(&reference.path));
        Ok(home == reference.lent.sealed.path)
    }

    /// The file moved within its folder, or the same bytes lie in another one.
    async fn follow_to(
        &self,
        reference: &Reference,
        place: &InFolder,
        changed_ns: i64,
    ) -> Result<()> {
        let InFolder { library, path, sealed, .. } = place;
        let (id, target) = (reference.lent.id, sealed.path.as_os_str().as_bytes().to_vec());
        let turns = self.lock_holders(id).await?;
        let mut tx = self.db.write().await?;
        let other = sqlx::query!(
            r#"select reference_id as "id!: i64", content_hash, missing_at is not null as "is_missing!: bool"
               from drive_reference where target = ?"#,
            target
        )
        .fetch_optional(&mut *tx)
        .await?;
        let id = match other {
            Some(other) if other.id != id => {
                if other.content_hash != reference.hash || other.is_missing {
                    // It meant something else there; that is looked at first.
                    return Ok(());
                }
                sqlx::query!(
                    "update drive_file set reference_id = ? where reference_id = ?",
                    other.id,
                    id
                )
                .execute(&mut *tx)
                .await?;
                sqlx::query!(
                    "update drive_kept_file set reference_id = ? where reference_id = ?",
                    other.id,
                    id
                )
                .execute(&mut *tx)
                .await?;
                other.id
            }
            _ => {
                sqlx::query!(
                    "update drive_reference set library_id = ?, path = ?, target = ?, modified_ns = ?, changed_ns = ?
                     where reference_id = ?",
                    library,
                    path,
                    target,
                    sealed.modified_ns,
                    changed_ns,
                    id
                )
                .execute(&mut *tx)
                .await?;
                id
            }
        };
        sqlx::query!(
            "update drive_file set modified_ns = ? where reference_id = ?",
            sealed.modified_ns,
            id
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "update drive_kept_file set modified_ns = ? where reference_id = ?",
            sealed.modified_ns,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        drop(turns);
        tracing::info!(
            from = %reference.lent.sealed.path.display(),
            to = %sealed.path.display(),
            "lockers point at a file where it lies now"
        );
        if reference.is_missing
            && let Some(reference) = self.reference(id).await?
        {
            self.set_missing(&reference, false).await?;
        }
        self.point_again(id).await
    }

    /// Every symlink says what its row says.
    pub(in crate::drive) async fn point_all_again(&self) -> Result<()> {
        let all = sqlx::query_scalar!("select reference_id from drive_reference")
            .fetch_all(self.db.read())
            .await?;
        for id in all {
            self.point_again(id).await?;
        }
        Ok(())
    }

    /// The symlinks say what the rows say: only for people, but for them.
    pub(super) async fn point_again(&self, id: i64) -> Result<()> {
        let Some(reference) = self.reference(id).await? else { return Ok(()) };
        for holder in self.holders(id).await? {
            let Some(spot) = self.spot(&holder).await? else { continue };
            let lock = self.lock(spot.locker);
            let turn = lock.lock().await;
            let Some(spot) = self.spot(&holder).await? else { continue };
            let (disk, name, lent) = (self.disk.clone(), staging_name()?, reference.lent.clone());
            let place = spot.clone();
            let work = move || disk.point_again(&place.folder, &place.path, &name, &lent);
            let was_wrong = blocking(work).await?;
            drop(turn);
            if was_wrong {
                let (locker, path) = (spot.locker, spot.path);
                self.events.publish(Event::DriveChanged { locker, path });
            }
        }
        Ok(())
    }
}

/// What cannot be said of one file, for its disk fails or no room is left, is no reason to leave
/// the others. It stays as it is and is tried again.
fn not_now(reference: &Reference, error: &Error) {
    tracing::warn!(
        file = %reference.lent.sealed.path.display(),
        "what lockers point at could not be looked after: {error:#?}"
    );
}
