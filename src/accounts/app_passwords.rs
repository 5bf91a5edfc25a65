//! App passwords: one random secret an app, four groups of four letters.

use super::{Accounts, Principal};
use crate::{Error, Result, clock::Millis, ids::AppPasswordId};

/// One app's secret, without the secret.
#[derive(Debug, Clone)]
pub struct AppPassword {
    /// Its row.
    pub id: AppPasswordId,
    /// What its owner calls it, e.g. "Symfonium on my phone".
    pub label: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last used.
    pub used_at: Option<Millis>,
    /// The client that used it last, as it calls itself.
    pub used_by: String,
    /// The address that it was last used from.
    pub used_from: String,
}

/// A new one; the secret is shown this once.
#[derive(Debug, Clone)]
pub struct NewAppPassword {
    /// Its row.
    pub id: AppPasswordId,
    /// `abcd-efgh-jkmn-pqrs`: to be typed with or without dashes, in any case.
    pub secret: String,
}

impl Accounts {
    /// Makes an app password for the principal itself.
    pub async fn create_app_password(
        &self,
        principal: &Principal,
        label: &str,
    ) -> Result<NewAppPassword> {
        let _ = (principal, label);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// The principal's app passwords, newest first.
    pub async fn app_passwords(&self, principal: &Principal) -> Result<Vec<AppPassword>> {
        let _ = principal;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Revokes one of the principal's; the app is signed out at once.
    pub async fn revoke_app_password(
        &self,
        principal: &Principal,
        id: AppPasswordId,
    ) -> Result<()> {
        let _ = (principal, id);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
