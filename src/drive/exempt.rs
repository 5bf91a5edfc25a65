//! Files that do not count: what they are instead, said by an administrator or by a delivery.

use super::{
    Drive, Origin, RelativePath,
    rows::{charge, inside},
};
use crate::{
    Error, Result,
    accounts::{Change, Charge, Principal},
    db::Tx,
    events::Event,
    ids::LockerId,
};

/// Why a file does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exempt {
    /// It was bought here.
    Purchase,
    /// It was given.
    Gift,
    /// It was bought elsewhere before and brought along.
    Import,
}

impl Exempt {
    /// As rows and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Gift => "gift",
            Self::Import => "import",
        }
    }

    /// Reads the same.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Purchase, Self::Gift, Self::Import].into_iter().find(|one| one.as_str() == text)
    }
}

/// How a file counts that somebody hands over, and the row that tells of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Handover {
    /// Why it does not count; `None` counts it.
    pub(super) exempt: Option<Exempt>,
    /// The row of `delivery_item` that is stored with it.
    pub(super) item: Option<i64>,
    /// The address that it was fetched from.
    pub(super) source: Option<String>,
}

impl Handover {
    /// What so many bytes count.
    pub(super) fn charge(&self, bytes: u64) -> Charge {
        if self.exempt.is_some() { Charge::exempt(bytes) } else { Charge::counted(bytes) }
    }

    /// The word for the ledger.
    pub(super) fn reason(&self, origin: Origin) -> &'static str {
        match (self.item, &self.source, origin) {
            (Some(_), ..) => "delivery",
            (None, Some(_), _) => "import",
            (None, None, Origin::Own) => "upload",
            (None, None, _) => "copy",
        }
    }
}

impl Drive {
    /// Writes down what is known of a file that was handed over, with its row.
    pub(super) async fn note_handover(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        handover: &Handover,
    ) -> Result<()> {
        if let Some(exempt) = handover.exempt.map(Exempt::as_str) {
            sqlx::query!(
                "update drive_file set exempt = ? where locker_id = ? and path = ?",
                exempt,
                locker.0,
                path
            )
            .execute(&mut **tx)
            .await?;
        }
        if let Some(source) = &handover.source {
            sqlx::query!(
                "update drive_file set source = ? where locker_id = ? and path = ?",
                source,
                locker.0,
                path
            )
            .execute(&mut **tx)
            .await?;
        }
        if let Some(item) = handover.item {
            sqlx::query!(
                "update delivery_item set state = 'stored', word = '', problem = '', path = ?1,
                     size_bytes = (select size_bytes from drive_file where locker_id = ?2 and path = ?1)
                 where delivery_item_id = ?3",
                path,
                locker.0,
                item
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }

    /// Says of a file, or of every file in a folder, that it does not count, or that it does; how
    /// many files that changed. Administrators only.
    pub async fn set_exempt(
        &self,
        admin: &Principal,
        locker: LockerId,
        path: &RelativePath,
        exempt: Option<Exempt>,
    ) -> Result<u64> {
        admin.require_admin()?;
        let lock = self.lock(locker);
        let turn = lock.lock().await;
        let (from, to) = inside(path.as_str());
        let (path, word) = (path.as_str(), exempt.map(Exempt::as_str));
        let mut tx = self.db.write().await?;
        let rows = sqlx::query!(
            r#"select drive_file_id as "id!: i64", path, size_bytes, charged_bytes, exempt from drive_file
               where locker_id = ?1 and missing_at is null and exempt is not ?2
                 and (path = ?3 or (?4 <= path and path < ?5))"#,
            locker.0,
            word,
            path,
            from,
            to
        )
        .fetch_all(&mut *tx)
        .await?;
        if rows.is_empty() && self.charge_of(&mut tx, locker, path).await? == Charge::default() {
            return Err(Error::NotFound("File"));
        }
        for row in &rows {
            sqlx::query!(
                "update drive_file set exempt = ?, charged_bytes = null where drive_file_id = ?",
                word,
                row.id
            )
            .execute(&mut *tx)
            .await?;
            let goes = charge(row.size_bytes, row.charged_bytes, row.exempt.as_deref());
            let comes = charge(row.size_bytes, None, word);
            let change = Change { user: admin.user, reason: "exempt", path: &row.path };
            self.accounts.recount(&mut tx, locker, (comes, goes), change).await?;
        }
        tx.commit().await?;
        drop(turn);
        self.events.publish(Event::DriveChanged { locker, path: path.to_owned() });
        self.accounts.tell_usage(locker).await?;
        Ok(rows.len() as u64)
    }
}
