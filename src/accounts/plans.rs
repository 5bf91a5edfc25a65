//! Plans: named tiers with a quota and caps.

use super::{Accounts, Caps, Principal};
use crate::{Error, Result, ids::PlanId};

/// A named tier.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its row.
    pub id: PlanId,
    /// Its name, unique whatever the case.
    pub name: String,
    /// A word for people, e.g. a price.
    pub label: String,
    /// Bytes; `None` is unlimited.
    pub quota: Option<u64>,
    /// Ceilings.
    pub caps: Caps,
    /// Users and lockers on it.
    pub users: u32,
}

/// What to make of a plan; `None` leaves what is there.
#[derive(Debug, Clone, Default)]
pub struct PlanChange {
    /// A word for people.
    pub label: Option<String>,
    /// Bytes; `Some(None)` is unlimited.
    pub quota: Option<Option<u64>>,
    /// Ceilings.
    pub caps: Option<Caps>,
}

impl Accounts {
    /// Every plan, by name.
    pub async fn plans(&self, principal: &Principal) -> Result<Vec<Plan>> {
        let _ = principal;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Makes or changes the plan of this name.
    pub async fn set_plan(&self, admin: &Principal, name: &str, change: &PlanChange) -> Result<()> {
        admin.require_admin()?;
        let _ = (name, change);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Removes a plan that nobody is on.
    pub async fn remove_plan(&self, admin: &Principal, name: &str) -> Result<()> {
        admin.require_admin()?;
        let _ = name;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
