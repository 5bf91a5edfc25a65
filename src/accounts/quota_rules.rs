//! What an administrator decides about quotas as a whole: how long the grace lasts, who pays for
//! shared copies, and whether anything is ever deleted by itself.

use serde::{Deserialize, Serialize};

use super::{Accounts, Principal, SharedCopies, figures::GRACE_DAYS};
use crate::{Error, Result, events::Event};

/// Which files go first where a locker is over its quota when its grace is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeletionOrder {
    /// The largest: the fewest go.
    Largest,
    /// Those that came first.
    Oldest,
    /// Those that came last.
    Newest,
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaRules {
    /// How long a locker may be over its quota.
    pub grace_days: u32,
    /// Who pays for bytes that several own.
    pub shared_copies: SharedCopies,
    /// After the grace, files go in this order until the locker fits; `None`: nothing is ever
    /// deleted by itself.
    pub deletion: Option<DeletionOrder>,
    /// Music that is fetched as a file (by WebDAV or the API, not to be played here) counts against
    /// a plan's bytes of streaming. Off, a locker's owner gets his own back at any time.
    #[serde(default)]
    pub downloads_count: bool,
}

const GRACE: &str = "quota.grace_days";
const SHARED: &str = "quota.shared_copies";
const DELETION: &str = "quota.deletion";
/// The setting by which files that are fetched count as streamed.
pub(crate) const DOWNLOADS_COUNT: &str = "streaming.downloads_count";

impl Accounts {
    /// The rules as they stand.
    pub async fn quota_rules(&self) -> Result<QuotaRules> {
        let grace = self.setting(GRACE).await?.and_then(|days| days.parse().ok());
        let shared = self.setting(SHARED).await?;
        let deletion = self.setting(DELETION).await?;
        Ok(QuotaRules {
            grace_days: grace.unwrap_or(GRACE_DAYS as u32),
            shared_copies: shared.as_deref().and_then(SharedCopies::parse).unwrap_or_default(),
            deletion: deletion.and_then(|order| serde_json::from_str(&order).ok()),
            downloads_count: self.setting(DOWNLOADS_COUNT).await?.is_some(),
        })
    }

    /// Sets them. Administrators only.
    pub async fn set_quota_rules(&self, admin: &Principal, rules: &QuotaRules) -> Result<()> {
        admin.require_admin()?;
        if !(1..=3650).contains(&rules.grace_days) {
            return Err(Error::Invalid("The grace lasts 1 to 3650 days".to_owned()));
        }
        let deletion = rules.deletion.map(|order| serde_json::to_string(&order)).transpose()?;
        let mut tx = self.db.write().await?;
        self.write_setting(&mut tx, GRACE, Some(&rules.grace_days.to_string())).await?;
        self.write_setting(&mut tx, SHARED, Some(rules.shared_copies.as_str())).await?;
        self.write_setting(&mut tx, DELETION, deletion.as_deref()).await?;
        let downloads = rules.downloads_count.then_some("on");
        self.write_setting(&mut tx, DOWNLOADS_COUNT, downloads).await?;
        tx.commit().await?;
        // The drive looks again who pays for what.
        self.events.publish(Event::LibrariesChanged);
        Ok(())
    }
}
