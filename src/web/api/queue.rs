//! The queue that survives a reload and follows to another device.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::Deserialize;
use serde_json::json;

use super::{caller::Caller, lists::track_ids, shapes};
use crate::web::{Handles, failure::Answer};

/// A queue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Queue {
    tracks: Vec<String>,
    current: usize,
    /// Seconds.
    position: f64,
}

/// GET /queue
pub(super) async fn show(caller: Caller, of: Data<Handles>) -> Answer {
    let queue = of.catalog.play_queue(&caller.principal).await?;
    Ok(HttpResponse::Ok().json(match queue {
        None => {
            json!({ "tracks": [], "current": 0, "position": 0.0, "changedAt": 0, "changedBy": "" })
        }
        Some(queue) => json!({
            "tracks": queue.tracks.iter().map(shapes::track).collect::<Vec<_>>(),
            "current": queue.current_index,
            "position": queue.position_ms as f64 / 1000.0,
            "changedAt": queue.changed_at,
            "changedBy": queue.changed_by,
        }),
    }))
}

/// PUT /queue
pub(super) async fn save(caller: Caller, of: Data<Handles>, queue: Json<Queue>) -> Answer {
    let tracks = track_ids(&queue.tracks)?;
    let position = (queue.position.max(0.0) * 1000.0) as i64;
    let current = queue.current.min(tracks.len().saturating_sub(1));
    let at = of
        .catalog
        .save_play_queue(&caller.principal, &tracks, current, position, super::CLIENT)
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "changedAt": at })))
}
