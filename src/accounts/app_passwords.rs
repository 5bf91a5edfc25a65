//! App passwords: one random secret an app, 80 bits as four groups of four letters. Sealed under
//! the server's key, because Subsonic's token needs the clear text; found by a keyed hash.

use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::{
    Accounts, Origin, Principal,
    keys::{Keys, random},
};
use crate::{Error, Result, clock::Millis, events::Event, ids::AppPasswordId};

/// RFC 4648's letters in lower case: no 0 and no 1, so nothing looks like o or l.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const LENGTH: usize = 16;
const MOST: i64 = 100;

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
    /// Makes an app password for the principal itself. An app password may not make or end
    /// others, so that a stolen phone cannot.
    pub async fn create_app_password(
        &self,
        principal: &Principal,
        label: &str,
    ) -> Result<NewAppPassword> {
        principal.require_own_password()?;
        let label = super::one_line(label, 100);
        if label.is_empty() {
            return Err(Error::Invalid("Say which app the password is for".to_owned()));
        }
        let secret = Secret::generate()?;
        let (user, now) = (principal.user.0, self.clock.now());
        let lookup = secret.lookup(&self.keys);
        let lookup = lookup.as_slice();
        let sealed = self.keys.seal(user, secret.0.as_bytes())?;
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into app_password (user_id, label, lookup, sealed, created_at)
             select ?1, ?2, ?3, ?4, ?5
             where (select count(*) from app_password where user_id = ?1) < ?6
             returning app_password_id as "id!: i64""#,
            user,
            label,
            lookup,
            sealed,
            now,
            MOST
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or_else(|| {
            Error::Conflict("There are too many app passwords; revoke some first".to_owned())
        })?;
        tx.commit().await?;
        self.forget(principal.user);
        Ok(NewAppPassword { id: id.into(), secret: secret.grouped("-") })
    }

    /// The principal's app passwords, newest first.
    pub async fn app_passwords(&self, principal: &Principal) -> Result<Vec<AppPassword>> {
        // What is still in memory is written first, so that "last used" is true.
        self.write_uses().await?;
        let user = principal.user.0;
        Ok(sqlx::query_as!(
            AppPassword,
            "select app_password_id as id, label, created_at, used_at, used_by, used_from
             from app_password where user_id = ? order by app_password_id desc",
            user
        )
        .fetch_all(self.db.read())
        .await?)
    }

    /// Revokes one of the principal's; the app is signed out at once.
    pub async fn revoke_app_password(
        &self,
        principal: &Principal,
        id: AppPasswordId,
    ) -> Result<()> {
        principal.require_own_password()?;
        let user = principal.user.0;
        let mut tx = self.db.write().await?;
        let gone = sqlx::query!(
            "delete from app_password where app_password_id = ? and user_id = ?",
            id.0,
            user
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if gone == 0 {
            return Err(Error::NotFound("App password"));
        }
        tx.commit().await?;
        self.forget(principal.user);
        self.events.publish(Event::AccountChanged { user: principal.user });
        Ok(())
    }

    /// Remembers in memory that an app password was used; written by [`Self::write_uses`].
    pub(super) fn note_use(&self, id: AppPasswordId, origin: &Origin) {
        self.memory.note_use(id, self.clock.now(), origin);
    }
}

/// A secret in its plain form: sixteen letters, no dashes, lower case.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    fn generate() -> Result<Self> {
        // One byte a letter: 5 of its 8 bits are used, evenly.
        let bytes: [u8; LENGTH] = random()?;
        Ok(Self(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()))
    }

    /// Reads what somebody typed, or `None` if it cannot be an app password.
    pub(super) fn parse(typed: &str) -> Option<Self> {
        if 64 < typed.len() {
            return None;
        }
        let plain: String = typed
            .chars()
            .filter(|letter| !matches!(letter, '-' | ' ' | '\u{2010}'..='\u{2015}'))
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        let fits = plain.len() == LENGTH && plain.bytes().all(|byte| LETTERS.contains(&byte));
        fits.then_some(Self(plain))
    }

    /// Opens a stored one.
    pub(super) fn unseal(keys: &Keys, owner: i64, sealed: &[u8]) -> Option<Self> {
        String::from_utf8(keys.unseal(owner, sealed)?).ok().map(Self)
    }

    /// By which it is found.
    pub(super) fn lookup(&self, keys: &Keys) -> [u8; 32] {
        keys.hash("app password", self.0.as_bytes())
    }

    /// Whether `token` is the hex of md5(secret ++ salt), however the owner typed the secret.
    pub(super) fn fits_token(&self, token: &[u8; 16], salt: &str) -> bool {
        ["-", "", " "].into_iter().any(|between| {
            let shown = self.grouped(between);
            let upper = shown.to_ascii_uppercase();
            let mut sentence = shown.clone();
            sentence[..1].make_ascii_uppercase();
            [shown, upper, sentence].iter().any(|typed| {
                let digest = Md5::new().chain_update(typed).chain_update(salt).finalize();
                bool::from(digest.as_slice().ct_eq(token))
            })
        })
    }

    fn grouped(&self, between: &str) -> String {
        let groups: Vec<&str> = (0..4).map(|at| &self.0[4 * at..4 * at + 4]).collect();
        groups.join(between)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn md5(text: &str) -> [u8; 16] {
        Md5::digest(text).into()
    }

    #[test]
    fn typed_any_way_it_is_the_same() {
        let secret = Secret::generate().unwrap();
        let shown = secret.grouped("-");
        assert_eq!(shown.len(), 19);
        for typed in [
            shown.clone(),
            shown.replace('-', ""),
            shown.replace('-', " "),
            shown.to_uppercase(),
            format!(" {} ", shown.replace('-', "\u{2013}")),
        ] {
            assert!(Secret::parse(&typed) == Some(secret.clone()), "{typed}");
        }
        for wrong in ["", "abcd-efgh-ijkl-mno", "abcd-efgh-ijkl-mno1", "abcd efgh ijkl mnop q"] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn token_fits_the_secret_as_it_was_typed() {
        let secret = Secret::parse("abcd-efgh-ijkl-mnop").unwrap();
        for typed in
            ["abcd-efgh-ijkl-mnop", "abcdefghijklmnop", "ABCDEFGHIJKLMNOP", "Abcd efgh ijkl mnop"]
        {
            assert!(secret.fits_token(&md5(&format!("{typed}c19b2d")), "c19b2d"), "{typed}");
        }
        assert!(!secret.fits_token(&md5("abcd-efgh-ijkl-mnoq"), ""));
        assert!(!secret.fits_token(&md5("c19b2d"), "c19b2d"), "nothing is not a secret");
    }
}
