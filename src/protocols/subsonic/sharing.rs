//! Sharing: addresses for people without an account. The page behind them is not ours.

use serde::Serialize;

use super::{
    call::{Answer, Call},
    failure::Failure,
    id::{self, Id},
    params::number,
    responses::{Date, Songs, listed, some},
};
use crate::{
    Error,
    catalog::{NewShare, Share, ShareChange, Track},
    http::own_address,
    ids::ShareId,
};

/// `getShares`: one's own.
pub(super) async fn get_shares(call: &Call) -> Answer {
    let shares = call.shares().all(&call.principal).await?;
    reply(call, &shares).await
}

/// `createShare`: of songs, albums, playlists and folders, for good unless an end is given.
pub(super) async fn create_share(call: &Call) -> Answer {
    call.params.required("id")?;
    let items: Option<Vec<_>> = call.params.all("id").map(id::item).collect();
    let new = NewShare {
        items: items.ok_or(Error::NotFound("Item"))?,
        description: call.params.get("description").unwrap_or_default().to_owned(),
        expires_at: expires(call)?.flatten(),
        ..NewShare::default()
    };
    let share = call.shares().create(&call.principal, &new).await?;
    reply(call, &[share]).await
}

/// `updateShare`: what is not sent stays; an end of 0 is none.
pub(super) async fn update_share(call: &Call) -> Answer {
    let change = ShareChange {
        description: call.params.text("description").map(ToOwned::to_owned),
        expires_at: expires(call)?,
        ..ShareChange::default()
    };
    call.shares().update(&call.principal, share(call)?, &change).await?;
    call.done()
}

/// `deleteShare`.
pub(super) async fn delete_share(call: &Call) -> Answer {
    call.shares().remove(&call.principal, share(call)?).await?;
    call.done()
}

fn share(call: &Call) -> Result<ShareId, Failure> {
    ShareId::parse(call.params.required("id")?).ok_or_else(|| Failure::not_found("Share"))
}

/// The end as sent: not at all, none, or a time.
fn expires(call: &Call) -> Result<Option<Option<i64>>, Failure> {
    let Some(text) = call.params.get("expires") else { return Ok(None) };
    let at = number::<i64>("expires", text)?;
    Ok(Some((0 < at).then_some(at)))
}

async fn reply(call: &Call, shares: &[Share]) -> Answer {
    let own = own_address(&call.request);
    let mut inside = Vec::with_capacity(shares.len());
    for share in shares {
        inside.push(call.shares().tracks(&call.principal, share).await?);
    }
    let list: Vec<_> = shares
        .iter()
        .zip(&inside)
        .map(|(share, tracks)| Shared::of(call, share, tracks, &own))
        .collect();
    call.reply("shares", &listed("share", list))
}

/// `Share`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shared<'a> {
    id: Id<ShareId>,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    username: &'a str,
    created: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_visited: Option<Date>,
    visit_count: u64,
    entry: Songs<'a>,
}

impl<'a> Shared<'a> {
    fn of(call: &'a Call, share: &'a Share, tracks: &'a [Track], own: &str) -> Self {
        Self {
            id: Id(share.id),
            url: call.shares().address(share, own),
            description: some(&share.description),
            username: &share.owner,
            created: Date(share.created_at),
            expires: share.expires_at.map(Date),
            last_visited: share.visited_at.map(Date),
            visit_count: share.visit_count,
            entry: call.songs(tracks),
        }
    }
}
