//! One pass over a folder: what is surely new is sent at once; what may be there is hashed whole
//! and asked about; what is there is claimed; the rest is sent, equal files once.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{
    Fault, Result,
    hashing::{self, Of},
    local::Local,
    progress::Bar,
    remote::{ASKED, Remote, Standing},
    report::{Outcome, Report},
    send::Sender,
    state::{Brought, State},
};

/// Files and bytes whose claims are made together.
const CLAIMED: usize = 100;
const CLAIMED_BYTES: u64 = 256 << 20;
/// Paths that a moved file may have come from.
const TRIED: usize = 50;
/// Equal files wait for the first of them; more rounds than this mean that something is odd.
const ROUNDS: usize = 4;

/// What a pass needs.
pub(super) struct Pass<'p> {
    pub(super) remote: &'p Remote,
    pub(super) state: &'p State,
    pub(super) sender: Sender<'p>,
    pub(super) jobs: usize,
    pub(super) dry_run: bool,
    /// The folder, as the system calls it.
    pub(super) folder: &'p Path,
    /// Every path of the folder.
    pub(super) paths: &'p HashSet<String>,
    pub(super) report: &'p mut Report,
}

/// A file whose hash is known.
struct Hashed<'f> {
    file: &'f Local,
    hash: [u8; 32],
}

impl Pass<'_> {
    /// Brings these files.
    pub(super) async fn bring(&mut self, files: &[Local]) -> Result<()> {
        let (new, open) = self.surely_new(files).await?;
        let mut arrived = self.send(&new).await?;
        let mut left = self.hash(open).await?;
        for round in 0..ROUNDS {
            if left.is_empty() {
                break;
            }
            let needed = self.match_all(left).await?;
            let mut first = Vec::new();
            left = Vec::new();
            let mut seen = HashSet::new();
            for each in needed {
                // In the last round everything goes.
                if seen.insert(each.hash) || round + 1 == ROUNDS || self.dry_run {
                    first.push(each.file);
                } else {
                    left.push(each);
                }
            }
            arrived.extend(self.send(&first).await?);
        }
        self.verify(arrived).await
    }

    /// Those of which nobody there knows the beginning, each beginning once; and the rest.
    async fn surely_new<'f>(
        &mut self,
        files: &'f [Local],
    ) -> Result<(Vec<&'f Local>, Vec<&'f Local>)> {
        let (known, unknown): (Vec<&Local>, Vec<&Local>) =
            files.iter().partition(|file| self.state.hash(file.identity).is_some());
        let mut open = known;
        let keys = hashing::all(unknown.iter().map(|file| (*file, Of::Beginning)), |_| ()).await;
        let mut groups = HashSet::new();
        let (mut asked, mut items) = (Vec::new(), Vec::new());
        for (file, key) in unknown.into_iter().zip(keys) {
            match key {
                Ok(key) if groups.insert((key, file.identity.size())) => {
                    let size = file.identity.size();
                    items.push(
                        json!({ "quick": hex::encode(key), "size": size, "path": file.path }),
                    );
                    asked.push(file);
                }
                // One that begins alike goes first; then it is seen.
                Ok(_) => open.push(file),
                Err(reason) => self.refuse(file, reason),
            }
        }
        let mut new = Vec::new();
        for (file, standing) in asked.into_iter().zip(self.look(&items).await?) {
            match &*standing.state {
                "unknown" => new.push(file),
                "refused" => self.refuse(file, standing.detail.unwrap_or_default()),
                _ => open.push(file),
            }
        }
        Ok((new, open))
    }

    /// The hashes of all of them, from memory where the file did not change.
    async fn hash<'f>(&mut self, files: Vec<&'f Local>) -> Result<Vec<Hashed<'f>>> {
        let unread: Vec<&Local> =
            files.iter().copied().filter(|it| self.state.hash(it.identity).is_none()).collect();
        if !unread.is_empty() {
            let bar = Bar::new("hashing", unread.iter().map(|file| file.identity.size()).sum());
            let wanted = unread.iter().map(|file| (*file, Of::Everything));
            let hashes = hashing::all(wanted, |bytes| bar.add(bytes)).await;
            for (file, hash) in unread.into_iter().zip(hashes) {
                match hash {
                    Ok(hash) => self.state.hashed(file.identity, hash)?,
                    Err(reason) => self.refuse(file, reason),
                }
            }
        }
        let hashed = files.into_iter().filter_map(|file| {
            let hash = self.state.hash(file.identity)?;
            Some(Hashed { file, hash })
        });
        Ok(hashed.collect())
    }

    /// Asks about files and claims what can be claimed; those that have to be sent are left.
    async fn match_all<'f>(&mut self, files: Vec<Hashed<'f>>) -> Result<Vec<Hashed<'f>>> {
        let keys = hashing::all(files.iter().map(|it| (it.file, Of::Beginning)), |_| ()).await;
        let items: Vec<Value> = files
            .iter()
            .zip(&keys)
            .map(|(it, key)| {
                let key = key.as_ref().ok().map(hex::encode);
                json!({ "hash": hex::encode(it.hash), "quick": key, "size": it.file.identity.size(), "path": it.file.path })
            })
            .collect();
        let mut needed = Vec::new();
        let mut files = files.into_iter();
        // Keys do not wait for ever: each portion is claimed before the next is asked about.
        for items in items.chunks(ASKED) {
            let mut claims = Vec::new();
            for standing in self.look(items).await? {
                let Some(each) = files.next() else { break };
                self.settle(each, standing, &mut claims, &mut needed).await?;
            }
            let mut part = Vec::new();
            let mut bytes = 0;
            for claim in claims {
                bytes += claim.0.file.identity.size();
                part.push(claim);
                if CLAIMED <= part.len() || CLAIMED_BYTES <= bytes {
                    needed.extend(self.claim(std::mem::take(&mut part)).await?);
                    bytes = 0;
                }
            }
            needed.extend(self.claim(part).await?);
        }
        Ok(needed)
    }

    async fn settle<'f>(
        &mut self,
        each: Hashed<'f>,
        standing: Standing,
        claims: &mut Vec<(Hashed<'f>, Standing)>,
        needed: &mut Vec<Hashed<'f>>,
    ) -> Result<()> {
        match &*standing.state {
            "have" if standing.paths.first() == Some(&each.file.path) => {
                self.remember(&each)?;
                self.done(each.file, Outcome::Had);
            }
            "have" => match self.moved_from(&each, &standing).await? {
                Some(from) if self.dry_run => self.done(each.file, Outcome::Moved { from }),
                Some(from) if self.remote.rename(&from, &each.file.path).await.is_ok() => {
                    self.state.moved(&from);
                    self.remember(&each)?;
                    self.done(each.file, Outcome::Moved { from });
                }
                _ if standing.key.is_some() => claims.push((each, standing)),
                _ => needed.push(each),
            },
            "claimable" => claims.push((each, standing)),
            "refused" => self.refuse(each.file, standing.detail.unwrap_or_default()),
            _ => needed.push(each),
        }
        Ok(())
    }

    /// The path there of a file that was brought from here and is at another path here now. Of
    /// equal files only a few are named: the others are asked about by the paths that are known
    /// here.
    async fn moved_from(&self, each: &Hashed<'_>, told: &Standing) -> Result<Option<String>> {
        let (hash, now) = (hex::encode(each.hash), self.brought(each));
        let is_moved = |path: &str, brought: &Brought| {
            !self.paths.contains(path) && brought.became(&now, path)
        };
        let is_ours = |path: &&String| {
            self.state.brought(path).is_some_and(|brought| is_moved(path, &brought))
        };
        if let Some(path) = told.paths.iter().find(is_ours) {
            return Ok(Some(path.clone()));
        }
        if told.count <= told.paths.len() {
            return Ok(None);
        }
        let left = self.state.places_of(&now, is_moved, TRIED);
        let size = each.file.identity.size();
        let items: Vec<Value> =
            left.iter().map(|path| json!({ "hash": hash, "size": size, "path": path })).collect();
        let standings = self.look(&items).await?;
        let mut found = left.into_iter().zip(standings);
        let is_there = |(path, standing): &(String, Standing)| {
            standing.state == "have" && standing.paths.first() == Some(path)
        };
        Ok(found.find(is_there).map(|(path, _)| path))
    }

    /// Proves possession; what comes of nothing has to be sent.
    async fn claim<'f>(&mut self, claims: Vec<(Hashed<'f>, Standing)>) -> Result<Vec<Hashed<'f>>> {
        if self.dry_run {
            for (each, _) in &claims {
                self.done(each.file, Outcome::WouldClaim);
            }
            return Ok(Vec::new());
        }
        let mut wanted = Vec::with_capacity(claims.len());
        for (each, standing) in &claims {
            let mut key = [0; 32];
            let text = standing.key.as_deref().unwrap_or_default();
            hex::decode_to_slice(text, &mut key)
                .map_err(|_| Fault::Strange("a key is no key".to_owned()))?;
            wanted.push((each.file, Of::Keyed(key)));
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let proofs = hashing::all(wanted, |_| ()).await;
        let (mut judged, mut sent, mut needed) = (Vec::new(), Vec::new(), Vec::new());
        for ((each, standing), proof) in claims.into_iter().zip(proofs) {
            match (proof, standing.claim) {
                (Ok(proof), Some(claim)) => {
                    sent.push((claim, hex::encode(proof)));
                    judged.push(each);
                }
                (Err(reason), _) => self.refuse(each.file, reason),
                (Ok(_), None) => needed.push(each),
            }
        }
        let answers = match self.remote.claim(&sent).await {
            Ok(answers) => answers,
            // Sending always works.
            Err(Fault::Refused { status: 429, .. }) => {
                needed.extend(judged);
                return Ok(needed);
            }
            Err(fault) => return Err(fault),
        };
        for (each, answer) in judged.into_iter().zip(answers) {
            match &*answer.state {
                "claimed" => {
                    self.remember(&each)?;
                    self.done(each.file, Outcome::Claimed);
                }
                "refused" if answer.kind.as_deref() != Some("proof_wrong") => {
                    self.refuse(each.file, answer.detail.unwrap_or_default());
                }
                _ => needed.push(each),
            }
        }
        Ok(needed)
    }

    /// Sends files, some at once; those that arrived, with what they hashed to on their way.
    async fn send<'f>(&mut self, files: &[&'f Local]) -> Result<Vec<(Hashed<'f>, u64)>> {
        if self.dry_run {
            for file in files {
                self.done(file, Outcome::WouldSend);
            }
            return Ok(Vec::new());
        }
        let sender = self.sender;
        let mut sending = stream::iter(files.iter().copied())
            .map(|file| async move { (file, sender.send(file).await) })
            .buffer_unordered(self.jobs.max(1));
        let mut arrived = Vec::new();
        while let Some((file, sent)) = sending.next().await {
            match sent {
                Ok(sent) => {
                    self.state.hashed(file.identity, sent.hash)?;
                    arrived.push((Hashed { file, hash: sent.hash }, sent.bytes));
                }
                // Without a server the rest would wait for nothing.
                Err(fault @ (Fault::Unreachable(_) | Fault::Strange(_))) => return Err(fault),
                // Who may not write there at all was told when the files were asked about.
                Err(fault @ Fault::Refused { status: 401, .. }) => return Err(fault),
                Err(fault) => self.report.add(
                    &file.path,
                    file.identity.size(),
                    Outcome::Refused(fault.to_string()),
                ),
            }
        }
        Ok(arrived)
    }

    /// What was sent is there, byte for byte: the server says what it hashes to.
    async fn verify(&mut self, arrived: Vec<(Hashed<'_>, u64)>) -> Result<()> {
        let items: Vec<Value> = arrived
            .iter()
            .map(|(it, _)| {
                json!({ "hash": hex::encode(it.hash), "size": it.file.identity.size(), "path": it.file.path })
            })
            .collect();
        let standings = self.look(&items).await?;
        for ((each, bytes), standing) in arrived.into_iter().zip(standings) {
            if standing.state == "have" && standing.paths.first() == Some(&each.file.path) {
                self.remember(&each)?;
                self.done(each.file, Outcome::Sent(bytes));
            } else {
                let reason = "what arrived is not what was sent, or is gone already";
                self.refuse(each.file, reason.to_owned());
            }
        }
        Ok(())
    }

    async fn look(&self, items: &[Value]) -> Result<Vec<Standing>> {
        let mut standings = Vec::with_capacity(items.len());
        for items in items.chunks(ASKED) {
            standings.extend(self.remote.look(items).await?);
        }
        Ok(standings)
    }

    fn brought(&self, each: &Hashed<'_>) -> Brought {
        Brought::of(each.hash, each.file.identity, self.folder)
    }

    /// It is there.
    fn remember(&self, each: &Hashed<'_>) -> Result<()> {
        self.state.bring(&each.file.path, self.brought(each))
    }

    fn done(&mut self, file: &Local, outcome: Outcome) {
        self.report.add(&file.path, file.identity.size(), outcome);
    }

    fn refuse(&mut self, file: &Local, reason: String) {
        self.done(file, Outcome::Refused(reason));
    }
}

/// Sums of what is to be sent, for the bar.
pub(super) fn total(files: &[Local]) -> u64 {
    let sizes: HashMap<_, u64> =
        files.iter().map(|file| (&file.path, file.identity.size())).collect();
    sizes.values().sum()
}
