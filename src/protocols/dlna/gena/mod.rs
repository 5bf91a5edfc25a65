//! GENA: who wants to be told of changes, and the telling. Events go to the subscriber's own
//! address and nowhere else (CallStranger), each subscriber has a queue of its own, and one that
//! does not listen is forgotten.

mod callback;
mod delivery;
mod request;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    Asking,
    media_server::{
        connection_manager, content_directory,
        services::{self, Service},
    },
};
use crate::{catalog::Catalog, events::Event};

use delivery::Subscriber;
use request::Wanted;

const MAX_PER_ADDRESS: usize = 32;
const MAX_IN_ALL: usize = 256;
/// How often subscribers hear of changes at most: a scan makes many.
const PACE: Duration = Duration::from_secs(2);
/// The answer to SUBSCRIBE must be out before the first event.
const FIRST_AFTER: Duration = Duration::from_millis(50);

/// Everybody who is told of changes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscriptions(Arc<Mutex<HashMap<String, Subscription>>>);

#[derive(Debug)]
struct Subscription {
    peer: IpAddr,
    service: &'static str,
    expires_at: Instant,
    events: mpsc::Sender<Vec<Property>>,
}

/// A variable and its value.
pub(super) type Property = (&'static str, String);

impl Subscriptions {
    /// SUBSCRIBE: a new one, or a renewal.
    pub(super) fn subscribe(
        &self,
        catalog: &Catalog,
        asking: &Asking,
        service: &Service,
        request: &HttpRequest,
    ) -> HttpResponse {
        match request::read(request, asking.peer.ip()) {
            Ok(Wanted::New { callbacks, timeout }) => {
                self.add(catalog, asking, service, callbacks, timeout)
            }
            Ok(Wanted::Renewal { sid, timeout }) => self.renew(&sid, asking, timeout),
            Err(status) => HttpResponse::build(status).finish(),
        }
    }

    fn add(
        &self,
        catalog: &Catalog,
        asking: &Asking,
        service: &Service,
        callbacks: Vec<callback::Callback>,
        timeout: Duration,
    ) -> HttpResponse {
        let peer = asking.peer.ip();
        let sid = format!("uuid:{}", hex::encode(rand::random::<[u8; 16]>()));
        let mut all = self.live();
        let from_peer = all.values().filter(|subscription| subscription.peer == peer).count();
        if MAX_IN_ALL <= all.len() || MAX_PER_ADDRESS <= from_peer {
            return HttpResponse::ServiceUnavailable().finish();
        }
        let (events, queue) = mpsc::channel(32);
        let initial = initial(service, catalog);
        let _ = events.try_send(initial);
        let subscription = Subscription {
            peer,
            service: service.path,
            expires_at: Instant::now() + timeout,
            events,
        };
        all.insert(sid.clone(), subscription);
        drop(all);
        let subscriber = Subscriber { sid: sid.clone(), callbacks };
        let (mine, forget) = (self.clone(), sid.clone());
        tokio::spawn(async move {
            tokio::time::sleep(FIRST_AFTER).await;
            subscriber.deliver(queue).await;
            mine.live().remove(&forget);
        });
        granted(&sid, timeout)
    }

    fn renew(&self, sid: &str, asking: &Asking, timeout: Duration) -> HttpResponse {
        match self.live().get_mut(sid) {
            Some(known) if known.peer == asking.peer.ip() => {
                known.expires_at = Instant::now() + timeout;
                granted(sid, timeout)
            }
            _ => HttpResponse::PreconditionFailed().finish(),
        }
    }

    /// UNSUBSCRIBE.
    pub(super) fn unsubscribe(&self, asking: &Asking, request: &HttpRequest) -> HttpResponse {
        let status = match request::sid_alone(request) {
            Err(status) => status,
            Ok(sid) => {
                let mut all = self.live();
                match all.get(&sid) {
                    Some(known) if known.peer == asking.peer.ip() => {
                        all.remove(&sid);
                        StatusCode::OK
                    }
                    _ => StatusCode::PRECONDITION_FAILED,
                }
            }
        };
        HttpResponse::build(status).finish()
    }

    /// Tells everybody of a changed catalogue, at a pace, until told to stop.
    pub(super) async fn tell_changes(
        &self,
        catalog: Catalog,
        mut events: broadcast::Receiver<Event>,
        stop: CancellationToken,
    ) {
        let mut told = content_directory::update_id(&catalog);
        loop {
            match stop.run_until_cancelled(events.recv()).await {
                None | Some(Err(broadcast::error::RecvError::Closed)) => break,
                // Missing some is a reason to look.
                Some(
                    Ok(Event::CatalogChanged { .. }) | Err(broadcast::error::RecvError::Lagged(_)),
                ) => (),
                Some(Ok(_)) => continue,
            }
            let now = content_directory::update_id(&catalog);
            if now == told {
                continue;
            }
            told = now;
            self.tell(&now.to_string());
            if stop.run_until_cancelled(tokio::time::sleep(PACE)).await.is_none() {
                break;
            }
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn tell(&self, update_id: &str) {
        let mut all = self.live();
        all.retain(|_, subscription| {
            subscription.service != services::CONTENT_DIRECTORY.path
                || subscription
                    .events
                    // A full queue is one that has not listened to 32 events.
                    .try_send(vec![("SystemUpdateID", update_id.to_owned())])
                    .is_ok()
        });
    }

    /// All that have not expired.
    fn live(&self) -> MutexGuard<'_, HashMap<String, Subscription>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|_, subscription| now < subscription.expires_at);
        all
    }
}

fn granted(sid: &str, timeout: Duration) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("SID", sid))
        .insert_header(("TIMEOUT", format!("Second-{}", timeout.as_secs())))
        .finish()
}

/// The first event holds every evented variable.
fn initial(service: &Service, catalog: &Catalog) -> Vec<Property> {
    service
        .evented()
        .map(|name| {
            let value = match name {
                "SystemUpdateID" => content_directory::update_id(catalog).to_string(),
                name if name.ends_with("UpdateID") => "0".to_owned(),
                name => connection_manager::variable(name),
            };
            (name, value)
        })
        .collect()
}
