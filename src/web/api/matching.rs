//! Have or need, and claims. `POST /match {"locker", "ifAbsent", "items": [{"hash", "quick", "size", "path"}]}`
//! tells of each file, in order: `have`, `claimable`, `need`; without its hash `maybe` or
//! `unknown` (surely new). `POST /claims {"claims": [{"claim", "proof"}]}` gets what is claimable.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    files::{place_of, shown},
};
use crate::{
    Error,
    accounts::MatchPolicy,
    drive::{NameProblem, RelativePath},
    matching::{Claimed, Item, Key, MOST_CLAIMS, MOST_ITEMS, Proof, Standing},
    web::{
        Handles,
        failure::{self, Answer, Failure},
    },
};

/// Ten thousand files with long paths.
pub(super) const LARGEST: usize = 16 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    locker: Option<String>,
    #[serde(default, rename = "ifAbsent")]
    if_absent: bool,
    items: Vec<Asked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    hash: Option<String>,
    quick: Option<String>,
    size: u64,
    path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims {
    claims: Vec<Answered>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    claim: String,
    proof: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    policy: MatchPolicy,
}

/// POST /match
pub(super) async fn look(caller: Caller, of: Data<Handles>, asked: Json<Question>) -> Answer {
    let Question { locker, if_absent, items } = asked.into_inner();
    if MOST_ITEMS < items.len() {
        return Err(Failure(Error::Invalid(format!("At most {MOST_ITEMS} files at once"))));
    }
    let place = place_of(&caller, &of, locker.as_deref()).await?;
    let items = items
        .into_iter()
        .map(|asked| {
            Ok(Item {
                hash: asked.hash.as_deref().map(bytes).transpose()?,
                quick_key: asked.quick.as_deref().map(bytes).transpose()?,
                size: asked.size,
                path: file_path(&asked.path).map(|path| path.below(&place.base)),
                only_new: if_absent,
            })
        })
        .collect::<Result<Vec<Item>, Failure>>()?;
    let standings = of.matching.look(&caller.principal, place.locker, &items).await?;
    let base = &place.base;
    let standings: Vec<Value> = standings.iter().map(|each| standing(each, base)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": standings })))
}

/// POST /claims
pub(super) async fn claim(caller: Caller, of: Data<Handles>, claims: Json<Claims>) -> Answer {
    if MOST_CLAIMS < claims.claims.len() {
        return Err(Failure(Error::Invalid(format!("At most {MOST_CLAIMS} claims at once"))));
    }
    let proofs = claims
        .claims
        .iter()
        .map(|each| Ok(Proof { claim: bytes(&each.claim)?, proof: bytes(&each.proof)? }))
        .collect::<Result<Vec<Proof>, Failure>>()?;
    let claimed = of.matching.claim(&caller.principal, &proofs).await?;
    let mut answers = Vec::with_capacity(claimed.len());
    for one in claimed {
        answers.push(result(&caller, &of, one).await?);
    }
    Ok(HttpResponse::Ok().json(json!({ "claims": answers })))
}

/// GET /match/policy
pub(super) async fn policy(_: Caller, of: Data<Handles>) -> Answer {
    let policy = of.accounts.match_policy().await?;
    Ok(HttpResponse::Ok().json(json!({ "policy": policy })))
}

/// PUT /match/policy {"policy"}
pub(super) async fn set_policy(caller: Caller, of: Data<Handles>, wish: Json<Policy>) -> Answer {
    of.accounts.set_match_policy(&caller.principal, wish.policy).await?;
    of.matching.hash_now();
    Ok(HttpResponse::NoContent().finish())
}

/// A file needs a name.
fn file_path(text: &str) -> Result<RelativePath, NameProblem> {
    let path = RelativePath::called(text)?;
    if path.is_root() {
        return Err(NameProblem { rule: "empty", sentence: "A file needs a name" });
    }
    Ok(path)
}

/// Paths are told as the place calls them, which may be a shared folder; `count` says how many there
/// are, for only a few are told.
fn standing(standing: &Standing, base: &RelativePath) -> Value {
    match standing {
        Standing::Have(count, paths, key) => {
            let inner = |path: &String| {
                let rest = path.strip_prefix(base.as_str()).unwrap_or(path);
                rest.trim_start_matches('/').to_owned()
            };
            let paths: Vec<String> = paths.iter().map(inner).collect();
            let mut answer = json!({ "state": "have", "count": count, "paths": paths });
            add_key(&mut answer, key.as_ref());
            answer
        }
        Standing::Claimable(key) => {
            let mut answer = json!({ "state": "claimable" });
            add_key(&mut answer, Some(key));
            answer
        }
        Standing::Need => json!({ "state": "need" }),
        Standing::Maybe => json!({ "state": "maybe" }),
        Standing::Unknown => json!({ "state": "unknown" }),
        Standing::Refused(problem) => json!({
            "state": "refused", "type": "name_invalid", "rule": problem.rule, "detail": problem.sentence,
        }),
        Standing::Barred(sentence) => refused(sentence.clone()),
        Standing::ReadOnly => refused("You may not add or change files here".to_owned()),
    }
}

fn refused(sentence: String) -> Value {
    let mut answer = failure::problem_of(Error::Forbidden(sentence));
    answer["state"] = json!("refused");
    answer
}

fn add_key(answer: &mut Value, key: Option<&Key>) {
    if let Some(key) = key {
        answer["claim"] = json!(hex::encode(key.claim));
        answer["key"] = json!(hex::encode(key.key));
    }
}

async fn result(caller: &Caller, of: &Handles, claimed: Claimed) -> Result<Value, Failure> {
    Ok(match claimed {
        Claimed::Made(locker, stored, origin) => {
            let place = of.drive.place_at(&caller.principal, locker, &stored.path).await?;
            json!({
                "state": "claimed", "path": shown(&stored.path, &place), "etag": stored.etag,
                "origin": origin.as_str(),
            })
        }
        Claimed::Stale => json!({ "state": "stale" }),
        Claimed::Need => json!({ "state": "need" }),
        Claimed::Wrong => json!({
            "state": "refused", "type": "proof_wrong",
            "detail": "The proof does not fit the file",
        }),
        Claimed::Refused(error) => {
            let mut answer = failure::problem_of(error);
            answer["state"] = json!("refused");
            answer
        }
    })
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| {
        Failure(Error::Invalid(format!("That is not {N} bytes in hexadecimal digits")))
    })?;
    Ok(bytes)
}
