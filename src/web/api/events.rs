//! One WebSocket a tab: what changed, as topics. Frames carry no data that the ordinary calls
//! would refuse; a scan's figures go to administrators alone.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, rt,
    web::{Data, Payload},
};
use actix_ws::{AggregatedMessage, CloseReason};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{caller::Caller, libraries::progress};
use crate::{
    Error,
    accounts::Principal,
    events::Event,
    web::{
        Handles,
        failure::{Answer, Failure},
        guard,
    },
};

/// Proxies close what is silent; so do we, after two of them without an answer.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// At most four frames of progress a second.
const PROGRESS: Duration = Duration::from_millis(250);

/// GET /events
pub(super) async fn socket(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    body: Payload,
) -> Answer<HttpResponse> {
    // A WebSocket is opened by GET and no CORS holds it back, so the cookie's site is judged here.
    if let Some(cookie) = &caller.cookie {
        guard::same_site(&request, cookie, None)?;
    }
    let (answer, session, messages) = actix_ws::handle(&request, body)
        .map_err(|_| Failure(Error::Invalid("This address speaks WebSocket".to_owned())))?;
    let events = of.events.subscribe();
    let messages = messages.max_frame_size(4096).aggregate_continuations();
    rt::spawn(talk(session, messages, events, caller.principal, of));
    Ok(answer)
}

async fn talk(
    mut session: actix_ws::Session,
    mut messages: actix_ws::AggregatedMessageStream,
    mut events: Receiver<Event>,
    who: Principal,
    of: Data<Handles>,
) {
    let mut beat = interval(HEARTBEAT);
    let mut tick = interval(PROGRESS);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    let mut is_scan_due = who.is_admin() && of.ingest.status().is_scanning;
    loop {
        let frame = tokio::select! {
            message = messages.next() => match message {
                Some(Ok(AggregatedMessage::Ping(bytes))) => {
                    heard_at = Instant::now();
                    if session.pong(&bytes).await.is_err() {
                        return;
                    }
                    None
                }
                Some(Ok(AggregatedMessage::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {
                    heard_at = Instant::now();
                    None
                }
            },
            _ = beat.tick() => {
                if 2 * HEARTBEAT < heard_at.elapsed() || session.ping(b"").await.is_err() {
                    break;
                }
                None
            }
            event = events.recv() => match event {
                Ok(Event::ScanProgress { .. }) => {
                    is_scan_due = who.is_admin();
                    None
                }
                Ok(event) => frame(&event, &who),
                Err(RecvError::Lagged(_)) => Some(json!({ "topic": "lost" })),
                Err(RecvError::Closed) => break,
            },
            _ = tick.tick(), if is_scan_due => {
                is_scan_due = false;
                Some(json!({ "topic": "scan", "data": progress(&of.ingest.status()) }))
            }
        };
        if let Some(frame) = frame
            && session.text(frame.to_string()).await.is_err()
        {
            return;
        }
    }
    let _ = session.close(None::<CloseReason>).await;
}

/// What an event is to this person: a topic, or nothing.
fn frame(event: &Event, who: &Principal) -> Option<Value> {
    Some(match event {
        Event::CatalogChanged { revision } => json!({ "topic": "catalog", "data": revision }),
        Event::LibrariesChanged => json!({ "topic": "libraries" }),
        Event::DriveChanged { .. } => json!({ "topic": "drive" }),
        Event::AccountChanged { user } if who.is_admin() || *user == who.user => {
            json!({ "topic": "account" })
        }
        Event::ChatChanged => json!({ "topic": "chat" }),
        Event::JukeboxChanged if who.abilities.jukebox => json!({ "topic": "jukebox" }),
        Event::QueueChanged { user } if *user == who.user => json!({ "topic": "queue" }),
        Event::ListensRecorded { user } if *user == who.user => json!({ "topic": "history" }),
        Event::NowPlayingChanged if who.is_admin() => json!({ "topic": "playing" }),
        Event::LanDevicesChanged if who.is_admin() => json!({ "topic": "devices" }),
        Event::AnalysisProgress if who.is_admin() => json!({ "topic": "analysis" }),
        Event::AccountChanged { .. }
        | Event::NowPlayingChanged
        | Event::ListensRecorded { .. }
        | Event::QueueChanged { .. }
        | Event::JukeboxChanged
        | Event::LanDevicesChanged
        | Event::AnalysisProgress
        | Event::TakenDown
        | Event::ScanProgress { .. } => return None,
    })
}
