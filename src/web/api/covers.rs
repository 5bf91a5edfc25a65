//! Pictures. Their address holds the picture's hash, so they are kept for ever.

use actix_web::{
    HttpRequest,
    web::{Data, Path, Query},
};
use serde::Deserialize;

use super::{caller::Caller, lists::item};
use crate::web::{Handles, failure::Answer, pictures};

/// How large.
#[derive(Deserialize)]
pub(super) struct Wanted {
    /// Longest edge in pixels; the original without it.
    size: Option<u32>,
}

/// GET /covers/ID
pub(super) async fn cover(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    query: Query<Wanted>,
) -> Answer {
    let (id, hash) = id.split_once('_').unwrap_or((id.as_str(), ""));
    let cover = of.catalog.cover(&caller.principal, item(id)?, query.size).await?;
    let keep = if hash.is_empty() { pictures::Keep::Ask } else { pictures::Keep::Forever };
    Ok(pictures::send(&request, cover, keep))
}
