//! Devices on the LAN: remembered when seen, blocked or bound to a user by an admin. A device
//! acts as the household, or as the user that it is bound to.

use std::net::IpAddr;

use super::{Accounts, Principal, Scope, memory::KnownDevice};
use crate::{
    Error, Result,
    clock::Millis,
    events::Event,
    ids::{LanDeviceId, UserId},
};

/// More are not remembered: a flood of spoofed addresses must not fill the database.
const MOST: i64 = 1000;

/// What an administrator told of a device that its own words do not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceOptions {
    /// It sorts what it lists by title: titles begin with their place.
    pub numbers_titles: bool,
    /// It takes what is converted only without a length, to the end of the connection.
    pub hides_length: bool,
}

/// A device that was let in.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Whom it acts as.
    pub principal: Principal,
    /// How it wants its answers.
    pub options: DeviceOptions,
}

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
    /// How it wants its answers.
    pub options: DeviceOptions,
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
    /// See [`DeviceOptions::numbers_titles`].
    pub numbers_titles: Option<bool>,
    /// See [`DeviceOptions::hides_length`].
    pub hides_length: Option<bool>,
}

impl Accounts {
    /// The household: what DLNA devices without a user act as. Sees active libraries that are on
    /// the LAN.
    pub async fn household(&self) -> Result<Principal> {
        if let Some(household) = self.memory.household() {
            return Ok(household);
        }
        let generation = self.memory.generation();
        let libraries = sqlx::query_scalar!(
            "select library_id from library where is_on_lan = 1 and is_active = 1 order by library_id"
        )
        .fetch_all(self.db.read())
        .await?;
        let household = Principal::household(libraries.into_iter().map(Into::into).collect());
        self.memory.learn(generation, |known| known.set_household(household.clone()));
        Ok(household)
    }

    /// Whom a LAN device acts as; sees and remembers it. A blocked one is `Forbidden`.
    pub async fn device(&self, address: IpAddr, user_agent: &str) -> Result<Admitted> {
        let address = address.to_canonical();
        let device = match self.memory.device(address) {
            // Many devices name themselves only on some requests.
            Some(device) if user_agent.is_empty() || device.user_agent == user_agent => device,
            _ => self.remember(address, user_agent).await?,
        };
        self.memory.note_device(address, self.clock.now());
        let refused =
            || Error::Forbidden("This device was shut out by the administrator".to_owned());
        Ok(Admitted { principal: device.principal.ok_or_else(refused)?, options: device.options })
    }

    async fn remember(&self, address: IpAddr, user_agent: &str) -> Result<KnownDevice> {
        let generation = self.memory.generation();
        let (key, now) = (address.to_string(), self.clock.now());
        let agent = super::one_line(user_agent, 200);
        let mut tx = self.db.write().await?;
        let is_new = sqlx::query!(
            "insert into lan_device (address, user_agent, first_seen_at, seen_at)
             select ?1, ?2, ?3, ?3 where (select count(*) from lan_device) < ?4
             on conflict (address) do nothing",
            key,
            agent,
            now,
            MOST
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        sqlx::query!(
            "update lan_device set seen_at = ?1, user_agent = iif(?2 = '', user_agent, ?2) where address = ?3",
            now,
            agent,
            key
        )
        .execute(&mut *tx)
        .await?;
        let row = sqlx::query!(
            r#"select blocked_at, user_id, numbers_titles as "numbers_titles: bool",
                      hides_length as "hides_length: bool"
               from lan_device where address = ?"#,
            key
        )
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        if 0 < is_new {
            self.events.publish(Event::LanDevicesChanged);
        }
        let is_blocked = row.as_ref().is_some_and(|row| row.blocked_at.is_some());
        let options = row.as_ref().map_or_else(DeviceOptions::default, |row| DeviceOptions {
            numbers_titles: row.numbers_titles,
            hides_length: row.hides_length,
        });
        let principal = match row.and_then(|row| row.user_id) {
            _ if is_blocked => None,
            Some(user) => Some(self.bound(UserId(user)).await?),
            None => Some(self.household().await?),
        };
        let device = KnownDevice { principal, options, user_agent: user_agent.to_owned() };
        self.memory.learn(generation, |known| known.add_device(address, device.clone()));
        Ok(device)
    }

    /// What a bound device sees: the user's libraries, with a device's rights.
    async fn bound(&self, user: UserId) -> Result<Principal> {
        match self.account(user).await? {
            Some(account) if !account.is_disabled => {
                Ok(Principal { scope: Scope::Device, ..account.full.clone() })
            }
            _ => self.household().await,
        }
    }

    /// Devices seen, latest first. Admin only.
    pub async fn devices(&self, admin: &Principal) -> Result<Vec<LanDevice>> {
        admin.require_admin()?;
        self.write_uses().await?;
        let rows = sqlx::query!(
            r#"select lan_device_id, address, user_agent, d.name, blocked_at, first_seen_at, seen_at,
                      d.user_id, u.name as "user_name?", d.numbers_titles as "numbers_titles: bool",
                      d.hides_length as "hides_length: bool"
               from lan_device d left join user u using (user_id) order by seen_at desc"#
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| LanDevice {
                id: row.lan_device_id.into(),
                address: row.address,
                user_agent: row.user_agent,
                name: row.name,
                blocked_at: row.blocked_at,
                user: row.user_id.map(UserId).zip(row.user_name),
                options: DeviceOptions {
                    numbers_titles: row.numbers_titles,
                    hides_length: row.hides_length,
                },
                first_seen_at: row.first_seen_at,
                seen_at: row.seen_at,
            })
            .collect())
    }

    /// Names, blocks or binds a device, or says how it wants its answers. Admin only.
    pub async fn update_device(
        &self,
        admin: &Principal,
        id: LanDeviceId,
        change: &DeviceChange,
    ) -> Result<()> {
        admin.require_admin()?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        sqlx::query_scalar!("select lan_device_id from lan_device where lan_device_id = ?", id.0)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or(Error::NotFound("Device"))?;
        if let Some(name) = &change.name {
            let name = super::one_line(name, 100);
            sqlx::query!("update lan_device set name = ? where lan_device_id = ?", name, id.0)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(is_blocked) = change.is_blocked {
            let blocked_at = is_blocked.then_some(now);
            sqlx::query!(
                "update lan_device set blocked_at = ? where lan_device_id = ?",
                blocked_at,
                id.0
            )
            .execute(&mut *tx)
            .await?;
        }
        if let Some(user) = change.user {
            if let Some(user) = user {
                sqlx::query_scalar!("select user_id from user where user_id = ?", user.0)
                    .fetch_optional(&mut *tx)
                    .await?
                    .ok_or(Error::NotFound("User"))?;
            }
            let user = user.map(|user| user.0);
            sqlx::query!("update lan_device set user_id = ? where lan_device_id = ?", user, id.0)
                .execute(&mut *tx)
                .await?;
        }
        if change.numbers_titles.is_some() || change.hides_length.is_some() {
            sqlx::query!(
                "update lan_device set numbers_titles = coalesce(?1, numbers_titles),
                                       hides_length = coalesce(?2, hides_length)
                 where lan_device_id = ?3",
                change.numbers_titles,
                change.hides_length,
                id.0
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.memory.forget_all();
        self.events.publish(Event::LanDevicesChanged);
        Ok(())
    }
}
