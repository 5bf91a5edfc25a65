//! Secrets of shares: the token in an address (160 bits, found by a keyed hash, sealed for its
//! owner) and the password that may stand before it. Guesses at either are limited.

use std::net::IpAddr;

use subtle::ConstantTimeEq as _;

use super::{Accounts, Origin, Principal, Role, Scope, keys::random};
use crate::{Error, Result, clock::Millis, error::AuthFailure, ids::UserId};

/// RFC 4648's letters in lower case.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 160 bits.
const BYTES: usize = 20;
const LENGTH: usize = 32;
/// How long a browser that gave the password need not give it again.
const UNLOCKED_FOR: Millis = 12 * 3600 * 1000;

/// A new token as it is kept.
pub(crate) struct NewToken {
    /// To find it by.
    pub(crate) lookup: [u8; 32],
    /// To show it to its owner again.
    pub(crate) sealed: Vec<u8>,
}

impl Accounts {
    /// Makes a token that belongs to `owner`.
    pub(crate) fn new_share_token(&self, owner: UserId) -> Result<NewToken> {
        let bytes: [u8; BYTES] = random()?;
        let token = letters(&bytes);
        let sealed = self.keys.seal(owner.0, token.as_bytes())?;
        Ok(NewToken { lookup: self.keys.hash("share token", token.as_bytes()), sealed })
    }

    /// What a token of an address is found by; `None` if it has not the form of one.
    pub(crate) fn share_lookup(&self, token: &str) -> Option<[u8; 32]> {
        let has_form = token.len() == LENGTH && token.bytes().all(|byte| LETTERS.contains(&byte));
        has_form.then(|| self.keys.hash("share token", token.as_bytes()))
    }

    /// The token again, for its owner.
    pub(crate) fn open_share_token(&self, owner: UserId, sealed: &[u8]) -> Option<String> {
        String::from_utf8(self.keys.unseal(owner.0, sealed)?).ok()
    }

    /// Somebody at `address` asked for a share that is not there. Fails when that was too often.
    pub(crate) fn share_missed(&self, address: IpAddr) -> Result<()> {
        self.limiter.missed(address).map_err(|wait| Error::TooMany {
            message: "Too many wrong addresses; try again later".to_owned(),
            retry_after: wait,
        })
    }

    /// A share's password as it is kept.
    pub(crate) async fn hash_share_password(&self, password: &str) -> Result<String> {
        if password.chars().count() < 4 || 1024 < password.len() {
            return Err(Error::Invalid(
                "The password of a share has at least 4 characters".to_owned(),
            ));
        }
        self.passwords.hash(password).await
    }

    /// Judges a guess at a share's password; limited by share and address.
    pub(crate) async fn check_share_password(
        &self,
        lookup: &[u8; 32],
        hash: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<()> {
        // No login name has a colon, so the two never share a count.
        let account = format!("share:{}", hex::encode(lookup));
        self.limiter.take(&account, origin.address)?;
        if !self.passwords.is_right(password, Some(hash)).await? {
            return Err(AuthFailure::Wrong.into());
        }
        self.limiter.was_right(&account, origin.address);
        Ok(())
    }

    /// What a browser shows instead of the password for a while. A new password ends it.
    pub(crate) fn share_proof(&self, lookup: &[u8; 32], hash: &str) -> String {
        let until = self.clock.now() + UNLOCKED_FOR;
        format!("{until}.{}", hex::encode(self.proof_of(lookup, hash, until)))
    }

    /// Whether it is such a proof, for this share and this password, and still good.
    pub(crate) fn is_share_proof(&self, lookup: &[u8; 32], hash: &str, proof: &str) -> bool {
        let Some((until, digits)) = proof.split_once('.') else { return false };
        let Ok(until) = until.parse::<Millis>() else { return false };
        let mut found = [0; 32];
        let is_hex = hex::decode_to_slice(digits, &mut found).is_ok();
        let is_right: bool = found.ct_eq(&self.proof_of(lookup, hash, until)).into();
        is_hex && is_right && self.clock.now() < until
    }

    fn proof_of(&self, lookup: &[u8; 32], hash: &str, until: Millis) -> [u8; 32] {
        let mut text = lookup.to_vec();
        text.extend_from_slice(&until.to_le_bytes());
        text.extend_from_slice(hash.as_bytes());
        self.keys.hash("share unlocked", &text)
    }

    /// The eyes of a share's owner, for whoever visits it: what he may see now, and no rights
    /// beyond seeing. `None` once he is shut out or may not share any more.
    pub(crate) async fn share_owner(&self, owner: UserId) -> Result<Option<Principal>> {
        let account = self.account(owner).await?;
        let account = account.filter(|account| !account.is_disabled);
        Ok(account.map(|account| account.full.clone()).filter(|full| full.abilities.share).map(
            |full| Principal {
                role: Role::User,
                scope: Scope::App,
                abilities: super::Abilities {
                    upload: false,
                    playlist: false,
                    cover_art: false,
                    comment: false,
                    settings: false,
                    jukebox: false,
                    podcast: false,
                    ..full.abilities
                },
                ..full
            },
        ))
    }
}

/// Five bits a letter.
fn letters(bytes: &[u8; BYTES]) -> String {
    let mut text = String::with_capacity(LENGTH);
    for group in bytes.chunks_exact(5) {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for at in (0..8).rev() {
            text.push(char::from(LETTERS[(bits >> (5 * at) & 31) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_160_bits_in_32_letters() {
        assert_eq!(letters(&[0; BYTES]), "a".repeat(32));
        assert_eq!(letters(&[255; BYTES]), "7".repeat(32));
        let mut last = [0; BYTES];
        last[19] = 1;
        assert_eq!(letters(&last), format!("{}b", "a".repeat(31)));
    }
}
