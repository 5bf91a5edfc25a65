//! The server's secrets: one key file outside the database, made and on disk before anything
//! uses it. There is no fallback: without it the server does not start.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::{Context as _, ensure};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};

use crate::{Error, Result, error::is_nowhere};

const FILE: &str = "server.key";
const NONCE: usize = 24;

/// Keys for each purpose, all derived from the one secret on disk.
pub(crate) struct Keys {
    lookup: [u8; 32],
    sealing: [u8; 32],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    /// Reads the secret of `folder`, or makes one and waits until it is on the disk.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make the key folder {}", folder.display()))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .with_context(|| format!("cannot close the key folder {}", folder.display()))?;
        let path = folder.join(FILE);
        match fs::symlink_metadata(&path) {
            Ok(_) => (),
            Err(error) if is_nowhere(&error) => make(folder, &path)
                .with_context(|| format!("cannot make the key file {}", path.display()))?,
            // A new key over one that only cannot be seen just now would close all that it sealed.
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot look for the key file {}", path.display()));
            }
        }
        let file = File::open(&path)
            .with_context(|| format!("cannot open the key file {}", path.display()))?;
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .with_context(|| format!("cannot close the key file {}", path.display()))?;
        let mut secret = Vec::with_capacity(33);
        (&file).take(33).read_to_end(&mut secret)?;
        ensure!(
            secret.len() == 32,
            "the key file {} is damaged; restore it from a backup",
            path.display()
        );
        Ok(Self {
            lookup: blake3::derive_key("tunelocker 2026 lookup of bearer secrets", &secret),
            sealing: blake3::derive_key("tunelocker 2026 sealing of app passwords", &secret),
        })
    }

    /// A keyed hash, by which a bearer secret is found without keeping it. `purpose` keeps the
    /// kinds of secrets apart.
    pub(crate) fn hash(&self, purpose: &str, secret: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.lookup);
        hasher.update(purpose.as_bytes());
        hasher.update(&[0]);
        hasher.update(secret);
        *hasher.finalize().as_bytes()
    }

    /// Closes a secret so that it opens only with the same `owner`.
    pub(crate) fn seal(&self, owner: i64, secret: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE] = random()?;
        let sealed = XChaCha20Poly1305::new(&self.sealing.into())
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &owner.to_le_bytes() })
            .map_err(|_| Error::internal(anyhow::anyhow!("sealing failed")))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Self::seal`] closed; `None` if it was changed or belongs to somebody else.
    pub(crate) fn unseal(&self, owner: i64, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        XChaCha20Poly1305::new(&self.sealing.into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &owner.to_le_bytes() })
            .ok()
    }
}

/// Bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(anyhow::anyhow!("no randomness: {error}")))?;
    Ok(bytes)
}

/// Under a temporary name first, so that a crash never leaves half a key.
fn make(folder: &Path, path: &Path) -> anyhow::Result<()> {
    let secret: [u8; 32] = random()?;
    let temporary = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let first = Keys::open(&keys).unwrap();
        let again = Keys::open(&keys).unwrap();
        assert_eq!(first.hash("p", b"x"), again.hash("p", b"x"));
        assert_ne!(first.hash("p", b"x"), first.hash("q", b"x"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&keys), 0o700);
        assert_eq!(mode(&keys.join(FILE)), 0o600);
    }

    #[test]
    fn a_damaged_key_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        for damaged in [&b""[..], &[7; 31], &[7; 33]] {
            fs::write(folder.path().join(FILE), damaged).unwrap();
            assert!(Keys::open(folder.path()).is_err(), "{} bytes", damaged.len());
        }
    }

    #[test]
    fn a_key_that_cannot_be_reached_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let elsewhere = folder.path().join("not mounted").join(FILE);
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(Keys::open(folder.path()).is_err());
        assert_eq!(fs::read_link(&path).unwrap(), elsewhere);
        assert!(!elsewhere.exists());
    }

    #[test]
    fn sealed_opens_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let sealed = keys.seal(7, b"secret").unwrap();
        assert_eq!(keys.unseal(7, &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(keys.unseal(8, &sealed), None);
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(keys.unseal(7, &changed), None);
        assert_eq!(keys.unseal(7, b"short"), None);
    }
}
