//! Have or need: what a client is told of its files. First by quick keys, which say that most new
//! files are surely new; then by the hashes of those that may be here.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{
    MOST_ITEMS, Matching,
    pending::Offer,
    rows::{self, Candidate, Had, Only, Reach},
};
use crate::{
    Error, Result,
    accounts::{Locker, Principal},
    drive::{Condition, NameProblem, RelativePath, Target, composed},
    ids::LockerId,
};

/// A file of a client.
#[derive(Debug, Clone)]
pub struct Item {
    /// BLAKE3 of all of it, if it was read.
    pub hash: Option<[u8; 32]>,
    /// BLAKE3 of its first 64 KiB.
    pub quick_key: Option<[u8; 32]>,
    /// Bytes.
    pub size: u64,
    /// Where it shall be in the locker.
    pub path: Result<RelativePath, NameProblem>,
    /// Never in the place of another file.
    pub only_new: bool,
}

/// A key for one proof about one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Names the claim.
    pub claim: [u8; 16],
    /// What the proof is made with.
    pub key: [u8; 32],
}

/// How it stands with a file.
#[derive(Debug, Clone)]
pub enum Standing {
    /// Its bytes are in this locker, at so many paths; a few of them, the wanted one first if it is
    /// one of them. With a key they can be put at the wanted path too.
    Have(u64, Vec<String>, Option<Key>),
    /// Who proves that he holds its bytes gets it without sending them.
    Claimable(Key),
    /// It has to be sent.
    Need,
    /// Only its beginning was asked about, and something begins like that: ask with the hash.
    Maybe,
    /// Only its beginning was asked about, and nothing begins like that: it is surely new.
    Unknown,
    /// It cannot have that name.
    Refused(NameProblem),
    /// Its content must not be here; a sentence says why.
    Barred(String),
    /// It is not at its path, and nothing may be put there.
    ReadOnly,
}

impl Matching {
    /// How it stands with these files, in their order, for a locker of the principal's.
    pub async fn look(
        &self,
        principal: &Principal,
        locker: LockerId,
        items: &[Item],
    ) -> Result<Vec<Standing>> {
        if MOST_ITEMS < items.len() {
            return Err(Error::Invalid(format!(
                "At most {MOST_ITEMS} files are looked up at once"
            )));
        }
        let (locker, folders) = self.parts.drive.open_to(principal, locker).await?;
        let may_write = may_write(&folders, items)?;
        let policy = self.parts.accounts.match_policy().await?;
        let reach = Reach::of(policy, principal);
        let known = self.known(&locker, &folders, reach.as_ref(), items).await?;
        if items.iter().any(|item| known.own_sizes.contains(&item.size)) {
            // Somebody waits for it.
            self.hash_lockers_now();
        }
        let barred = self.parts.drive.barred().await?;
        let mut standings = Vec::with_capacity(items.len());
        for (item, may_write) in items.iter().zip(may_write) {
            let barred = barred.iter().find(|one| item.hash == Some(one.hash));
            standings.push(match barred {
                Some(one) => Standing::Barred(one.sentence.clone()),
                None if !may_write => standing_to_read(item, &known),
                None => self.standing(principal, locker.id, item, &known)?,
            });
        }
        Ok(standings)
    }

    /// Everything that the rows have to say about these files, in a handful of questions.
    /// Of a locker that is open in part, only what lies there is told.
    async fn known(
        &self,
        locker: &Locker,
        folders: &[(RelativePath, bool)],
        reach: Option<&Reach>,
        items: &[Item],
    ) -> Result<Known> {
        let hashes = list(items.iter().filter_map(|item| item.hash.as_ref()))?;
        let asked = |with_hash: bool| {
            let of = items.iter().filter(move |item| item.hash.is_some() == with_hash);
            list(of.filter_map(|item| item.quick_key.as_ref()))
        };
        let (first, later) = (asked(false)?, asked(true)?);
        let is_open = |path: &str| {
            let path = RelativePath::from_disk(path.to_owned());
            folders.iter().any(|(folder, _)| path.is_within(folder.as_str()))
        };
        let is_whole = is_open("");
        let place = |item: &Item| Some(composed(item.path.as_ref().ok()?.as_str()).into_owned());
        let wanted: HashSet<(rows::Key, Cow<'_, str>)> = items
            .iter()
            .filter_map(|item| Some(((item.hash?, item.size), Cow::Owned(place(item)?))))
            .collect();
        let had = self.had(locker.id, &hashes, &wanted, |path| is_whole || is_open(path)).await?;
        // What is in the own locker is told whatever the policy is.
        let own = if is_whole { Reach::to(locker.library) } else { Reach::nothing() };
        let beginnings = self.alike(reach.unwrap_or(&own), &first, Only::All).await?;
        let mut beginnings: HashSet<_> = beginnings.into_keys().collect();
        let own_sizes = if is_whole {
            self.unknown_sizes(locker.id).await?.into_iter().collect()
        } else {
            let there = self.beginnings_in(locker.id, &first).await?;
            beginnings
                .extend(there.into_iter().filter(|(path, _)| is_open(path)).map(|(_, key)| key));
            HashSet::new()
        };
        let mut known = Known { had, own_sizes, beginnings, ..Known::default() };
        if let Some(reach) = reach {
            known.here = self.within_reach(reach, &hashes).await?;
            known.unhashed = self.alike(reach, &later, Only::Unhashed).await?;
        }
        Ok(known)
    }

    fn standing(
        &self,
        principal: &Principal,
        locker: LockerId,
        item: &Item,
        known: &Known,
    ) -> Result<Standing> {
        let path = match &item.path {
            Ok(path) => path,
            Err(problem) => return Ok(Standing::Refused(problem.clone())),
        };
        let Some(hash) = item.hash else {
            // Whether it is there is told by its hash alone.
            return Ok(match path.judge() {
                Err(problem) => Standing::Refused(problem),
                Ok(()) if known.may_have(item) => Standing::Maybe,
                Ok(()) => Standing::Unknown,
            });
        };
        let had = known.had.get(&(hash, item.size));
        if let Some(had) = had.filter(|had| had.is_at(path.as_str())) {
            return Ok(Standing::Have(had.count, had.places(path.as_str()), None));
        }
        if let Err(problem) = path.judge() {
            return Ok(Standing::Refused(problem));
        }
        // A file whose whole hash nobody knows yet may be the same; the proof will show.
        let speculative = || known.unhashed.get(&(item.quick_key?, item.size));
        let found = known.here.get(&(hash, item.size)).or_else(speculative);
        let key = found
            .map(|found| self.offer(principal, locker, item, hash, path, found))
            .transpose()?;
        Ok(match (had, key) {
            (Some(had), key) => Standing::Have(had.count, had.places(path.as_str()), key),
            (None, Some(key)) => Standing::Claimable(key),
            (None, None) => Standing::Need,
        })
    }

    /// A fresh key, bound to the principal, to those bytes and to their new place.
    fn offer(
        &self,
        principal: &Principal,
        locker: LockerId,
        item: &Item,
        hash: [u8; 32],
        path: &RelativePath,
        found: &Candidate,
    ) -> Result<Key> {
        let (claim, key) = (random::<16>()?, random::<32>()?);
        let condition = if item.only_new { Condition::Absent } else { Condition::None };
        let target = Target { locker, path: path.clone(), condition };
        let offer = Offer::new(key, hash, item.size, found.place, target);
        self.pending().add(principal.user, claim, self.parts.clock.now(), offer);
        Ok(Key { claim, key })
    }
}

/// Of each file, whether it may be put where it shall be; all must be where one may look.
/// `is_within` of the root is everything.
fn may_write(folders: &[(RelativePath, bool)], items: &[Item]) -> Result<Vec<bool>> {
    let of = |item: &Item| {
        let Ok(path) = &item.path else { return Ok(true) };
        let covering = folders.iter().filter(|(folder, _)| path.is_within(folder.as_str()));
        covering.map(|(_, may_write)| *may_write).max().ok_or(Error::NotFound("File"))
    };
    items.iter().map(of).collect()
}

/// How it stands with a file where nothing may be put: who fetches wants to know whether he has
/// what is there.
fn standing_to_read(item: &Item, known: &Known) -> Standing {
    let Ok(path) = &item.path else { return Standing::ReadOnly };
    let Some(hash) = item.hash else {
        return if known.may_have(item) { Standing::Maybe } else { Standing::ReadOnly };
    };
    let had = known.had.get(&(hash, item.size));
    match had.filter(|had| had.is_at(path.as_str())) {
        Some(had) => Standing::Have(had.count, had.places(path.as_str()), None),
        None => Standing::ReadOnly,
    }
}

/// What the rows say about the files of one question.
#[derive(Default)]
struct Known {
    had: HashMap<rows::Key, Had>,
    here: HashMap<([u8; 32], u64), Candidate>,
    beginnings: HashSet<([u8; 32], u64)>,
    unhashed: HashMap<([u8; 32], u64), Candidate>,
    own_sizes: HashSet<u64>,
}

impl Known {
    /// Whether something begins like a file whose hash is not known.
    fn may_have(&self, item: &Item) -> bool {
        item.quick_key.is_none_or(|key| {
            self.beginnings.contains(&(key, item.size)) || self.own_sizes.contains(&item.size)
        })
    }
}

/// Hashes as JSON text, for `json_each`.
fn list<'h>(hashes: impl Iterator<Item = &'h [u8; 32]>) -> Result<String> {
    let hashes: HashSet<String> = hashes.map(hex::encode).collect();
    Ok(serde_json::to_string(&hashes)?)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(anyhow::anyhow!("no randomness: {error}")))?;
    Ok(bytes)
}
