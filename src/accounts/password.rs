//! Argon2id, one at a time: 19 MiB each is a bound on memory as well. Never on an async thread.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::phc::PasswordHash,
};
use tokio::sync::Semaphore;

use crate::{Error, Result};

/// At work at once.
const AT_ONCE: usize = 2;
/// Waiting and at work at once; who comes later is told to try again.
const IN_LINE: usize = 64;

/// Hashes and checks login passwords.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    at_work: Arc<Semaphore>,
    in_line: Arc<Semaphore>,
    /// What an unknown user's password is compared with, so that it costs the same.
    dummy: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self> {
        let secret: [u8; 16] = super::keys::random()?;
        Ok(Self {
            at_work: Arc::new(Semaphore::new(AT_ONCE)),
            in_line: Arc::new(Semaphore::new(IN_LINE)),
            dummy: hash_now(&hex::encode(secret))?.into(),
        })
    }

    /// The password's hash in PHC form.
    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.in_turn(move || hash_now(&password)).await?
    }

    /// Whether it is the password of this hash; with no hash (no such user) the same work is done
    /// and the answer is no.
    pub(crate) async fn is_right(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let known = hash.is_some();
        let hash: Arc<str> = hash.map_or_else(|| Arc::clone(&self.dummy), Into::into);
        let password = password.to_owned();
        let matches = self
            .in_turn(move || {
                PasswordHash::new(&hash).is_ok_and(|hash| {
                    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
                })
            })
            .await?;
        Ok(matches & known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let Ok(_place) = Arc::clone(&self.in_line).try_acquire_owned() else {
            return Err(Error::TooMany {
                message: "Too many people are signing in at once; try again in a moment".to_owned(),
                retry_after: std::time::Duration::from_secs(2),
            });
        };
        // The permit goes with the work: a request that is dropped cannot start a third.
        let turn = Arc::clone(&self.at_work).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        Ok(done.await?)
    }
}

fn hash_now(password: &str) -> Result<String> {
    let params = Params::new(19_456, 2, 1, None)
        .map_err(|error| Error::internal(anyhow::anyhow!("argon2: {error}")))?;
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map_err(|error| Error::internal(anyhow::anyhow!("argon2: {error}")))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn right_wrong_and_unknown() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.is_right("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.is_right("correct hors", Some(&hash)).await.unwrap());
        assert!(!passwords.is_right("", None).await.unwrap());
    }
}
