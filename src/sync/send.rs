//! One file by tus, with resume: after a connection that broke, and after a process that was
//! killed. What the server stored is not sent again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use hyper::{Method, Response, body::Incoming, header};

use super::{
    Fault, Result,
    bandwidth::Gate,
    bytes::{Outgoing, of_file, whole},
    local::{Identity, Local},
    progress::Bar,
    remote::{Remote, wait},
    state::State,
};

/// Smaller files are made and sent in one request.
const SMALL: u64 = 4 << 20;
const BODY: &str = "application/offset+octet-stream";
const PATIENCE: Duration = Duration::from_mins(2);
/// A body takes as long as it takes; one that does not move at all is dead.
const STALLED: Duration = Duration::from_mins(2);
/// A server that restarts is waited for.
const TRIES: u32 = 12;

/// What sending needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'s> {
    pub(super) remote: &'s Remote,
    pub(super) state: &'s State,
    pub(super) gate: &'s Gate,
    pub(super) bar: &'s Bar,
    /// The user said stop.
    pub(super) stop: &'s AtomicBool,
}

/// A file that arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// What it hashes to, as it was read on its way.
    pub(super) hash: [u8; 32],
    /// Bytes that went out in this run.
    pub(super) bytes: u64,
}

impl Sender<'_> {
    /// Sends a file, or goes on where it stopped.
    pub(super) async fn send(&self, file: &Local) -> Result<Sent> {
        let mut pause = Duration::from_millis(500);
        let mut carried = 0;
        for _ in 0..TRIES {
            match self.attempt(file, &mut carried).await {
                Err(fault) if fault.may_pass() && !self.stop.load(Ordering::Relaxed) => {
                    if !is_same(file) {
                        return Err(changed());
                    }
                    tokio::time::sleep(wait(&fault, pause)).await;
                    pause *= 2;
                }
                done => return done,
            }
        }
        Err(Fault::Unreachable("it broke off too often; the next run goes on".to_owned()))
    }

    async fn attempt(&self, file: &Local, carried: &mut u64) -> Result<Sent> {
        let known = self.state.upload(file.identity, &file.path);
        let (address, offset) = match known {
            None if file.identity.size() <= SMALL => return self.at_once(file, carried).await,
            None => (self.create(file).await?, 0),
            Some(address) => match self.offset(&address).await? {
                Some(offset) if offset <= file.identity.size() => (address, offset),
                _ => {
                    self.state.ended(file.identity, &file.path)?;
                    (self.create(file).await?, 0)
                }
            },
        };
        let request = self
            .remote
            .tus(Method::PATCH, &address)
            .header("Upload-Offset", offset)
            .header(header::CONTENT_TYPE, BODY)
            .header(header::CONTENT_LENGTH, file.identity.size() - offset);
        let (_, outgoing) = self.carry(file, offset, request, carried).await?;
        let hash = outgoing.hash().ok_or_else(changed)?;
        self.state.ended(file.identity, &file.path)?;
        Ok(Sent { hash, bytes: *carried })
    }

    /// Creation with the whole body.
    async fn at_once(&self, file: &Local, carried: &mut u64) -> Result<Sent> {
        let request = self
            .remote
            .tus(Method::POST, "")
            .header("Upload-Length", file.identity.size())
            .header("Upload-Metadata", self.remote.metadata(&file.path))
            .header(header::CONTENT_TYPE, BODY)
            .header(header::CONTENT_LENGTH, file.identity.size());
        let (answer, outgoing) = self.carry(file, 0, request, carried).await?;
        let stored = answer.headers().get("Upload-Offset").and_then(|it| it.to_str().ok());
        if stored != Some(&*file.identity.size().to_string()) {
            return Err(Fault::Unreachable("not all of it arrived".to_owned()));
        }
        let hash = outgoing.hash().ok_or_else(changed)?;
        Ok(Sent { hash, bytes: *carried })
    }

    async fn create(&self, file: &Local) -> Result<String> {
        let request = self
            .remote
            .tus(Method::POST, "")
            .header("Upload-Length", file.identity.size())
            .header("Upload-Metadata", self.remote.metadata(&file.path));
        let answer = self.remote.done(request, whole(""), PATIENCE).await?;
        let address = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|place| place.to_str().ok())
            // Behind a proxy only the path is sure.
            .and_then(|place| Some(place[place.find("/api/v1/uploads/")?..].to_owned()))
            .ok_or_else(|| Fault::Strange("an upload has no address".to_owned()))?;
        // Before the first byte, so that a kill loses none.
        self.state.begun(file.identity, &file.path, &address)?;
        Ok(address)
    }

    /// How many bytes are stored; `None` if the server knows nothing of it (any more).
    async fn offset(&self, address: &str) -> Result<Option<u64>> {
        let request = self.remote.tus(Method::HEAD, address);
        match self.remote.done(request, whole(""), PATIENCE).await {
            Ok(answer) => Ok(answer
                .headers()
                .get("Upload-Offset")
                .and_then(|offset| offset.to_str().ok()?.parse().ok())),
            Err(Fault::Refused { status: 403 | 404 | 410, .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Sends the bytes from `offset` on, for as long as they move.
    async fn carry(
        &self,
        file: &Local,
        offset: u64,
        request: hyper::http::request::Builder,
        carried: &mut u64,
    ) -> Result<(Response<Incoming>, Outgoing)> {
        let bar = self.bar.clone();
        let (body, outgoing) =
            of_file(file.place.clone(), file.identity, offset, self.gate.clone(), move |bytes| {
                bar.add(bytes);
            });
        let sending = self.remote.done(request, body, Duration::from_hours(24 * 7));
        let mut sending = std::pin::pin!(sending);
        let mut seen = 0;
        let answered = loop {
            tokio::select! {
                answered = &mut sending => break answered,
                () = tokio::time::sleep(STALLED) => {
                    let now = outgoing.sent.load(Ordering::Relaxed);
                    if now == seen {
                        break Err(Fault::Unreachable("nothing moves any more".to_owned()));
                    }
                    seen = now;
                }
            }
        };
        *carried += outgoing.sent.load(Ordering::Relaxed);
        match answered {
            Ok(answer) => Ok((answer, outgoing)),
            Err(_) if !is_same(file) => Err(changed()),
            Err(fault) => Err(fault),
        }
    }
}

fn is_same(file: &Local) -> bool {
    file.place.symlink_metadata().is_ok_and(|facts| Identity::of(&facts) == file.identity)
}

fn changed() -> Fault {
    Fault::Here("it was changed while it was sent; the next run brings it".to_owned())
}
