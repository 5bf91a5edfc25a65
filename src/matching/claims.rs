//! Claims: the client shows by keyed BLAKE3(key, whole file) that it holds every byte; the server
//! computes the same over its own copy, and makes the file without a byte being sent. Keys are
//! used up by the first try. Wrong proofs are counted, and cost more and more time.

use subtle::ConstantTimeEq as _;

use super::{MOST_CLAIMS, Matching, hashing::Hashed, pending::Offer, rows::Place, source::read};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{Origin, Source, Stored},
    ids::LockerId,
};

/// A client's answer to a key.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// Which key.
    pub claim: [u8; 16],
    /// keyed BLAKE3(key, whole file).
    pub proof: [u8; 32],
}

/// What came of it.
#[derive(Debug)]
pub enum Claimed {
    /// The file is in the locker, which is told: as what, and how it was made.
    Made(LockerId, Stored, Origin),
    /// The key is not known: never given to this user, used, or too old. Ask again.
    Stale,
    /// The file that was here is gone or is another one now: send it.
    Need,
    /// The proof is not right.
    Wrong,
    /// It was right, and the file could not be made all the same: quota, disk, or what is there.
    Refused(Error),
}

impl Matching {
    /// Judges proofs, one after the other. `TooMany` while a user waits for having been wrong too
    /// often; nothing is looked at then, and no key is used.
    pub async fn claim(&self, principal: &Principal, proofs: &[Proof]) -> Result<Vec<Claimed>> {
        if MOST_CLAIMS < proofs.len() {
            return Err(Error::Invalid(format!("At most {MOST_CLAIMS} claims are judged at once")));
        }
        let mut claimed = Vec::with_capacity(proofs.len());
        for proof in proofs {
            let now = self.parts.clock.now();
            let wait = self.pending().wait(principal.user, now);
            if let Some(retry_after) = wait {
                if claimed.is_empty() {
                    let message = "Too many proofs were wrong; send the files, or wait".to_owned();
                    return Err(Error::TooMany { message, retry_after });
                }
                // The rest of a request that went wrong: their keys stay for later.
                claimed.push(Claimed::Stale);
                continue;
            }
            let offer = self.pending().take(principal.user, &proof.claim, now);
            claimed.push(match offer {
                None => Claimed::Stale,
                Some(offer) => self.judge(principal, proof, offer).await?,
            });
        }
        Ok(claimed)
    }

    async fn judge(&self, principal: &Principal, proof: &Proof, offer: Offer) -> Result<Claimed> {
        let permit = self.readers.acquire().await.map_err(Error::internal)?;
        let Some(source) = self.open(offer.place).await?.filter(|it| it.size == offer.size) else {
            return Ok(Claimed::Need);
        };
        let Some(digests) = read(&source, Some(offer.key)).await? else {
            return Ok(Claimed::Need);
        };
        drop(permit);
        self.learn(&offer, &source, digests.content).await?;
        if digests.content != offer.hash {
            // It only began like the client's file: nobody guessed at anything.
            return Ok(Claimed::Need);
        }
        // Without an expectation nothing is right, least of all what is empty.
        if !digests.keyed.is_some_and(|expected| expected.ct_eq(&proof.proof).into()) {
            self.pending().was_wrong(principal.user, self.parts.clock.now());
            tracing::info!(user = %principal.name, "a proof for a claim was wrong");
            return Ok(Claimed::Wrong);
        }
        let made = self.parts.drive.put_shared(principal, &offer.target, source, offer.hash).await;
        match made {
            Ok((stored, origin)) => Ok(Claimed::Made(offer.target.locker, stored, origin)),
            Err(error @ Error::Internal(_)) => Err(error),
            Err(error) => Ok(Claimed::Refused(error)),
        }
    }

    /// A whole file was read: its hash is known from now on.
    async fn learn(&self, offer: &Offer, source: &Source, content: [u8; 32]) -> Result<()> {
        match offer.place {
            Place::Folder { .. } => {
                let (size, modified_ns) = (source.size, source.modified_ns);
                self.keep_folder_hashes(&[Hashed {
                    place: offer.place,
                    size,
                    modified_ns,
                    content,
                }])
                .await
            }
            Place::Locker { .. } => Ok(()),
        }
    }
}
