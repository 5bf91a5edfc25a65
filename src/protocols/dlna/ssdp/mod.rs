//! SSDP: says on each link that the server is there, answers who looks for it, and says goodbye.
//! A link that comes or changes is announced on anew.

mod interfaces;
mod limits;
mod message;
mod socket;

pub(crate) use message::Announced;

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{net::UdpSocket, task::JoinHandle, time};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use interfaces::Link;
use limits::Limits;
use message::{MAX_DATAGRAM, Search};

/// How often to look for links that came or went.
const LOOK: Duration = Duration::from_secs(2);
/// Between announcements: many TVs never search.
const PERIOD: Duration = Duration::from_mins(5);
/// Between the two copies of a set, since datagrams get lost.
const AGAIN: Duration = Duration::from_millis(200);
/// Answers that wait for their moment at most.
const MAX_PENDING: usize = 64;

/// Reads a datagram and answers it as if it were meant for us.
pub(crate) fn taste(bytes: &[u8]) {
    let address = Ipv4Addr::new(192, 168, 0, 2);
    let here = Announced::new("1-2-3", SocketAddr::new(IpAddr::V4(address), 4041));
    if let Some(search) = Search::parse(bytes) {
        for answer in here.answers(&search.target, address, "today") {
            assert!(!answer.trim_end().contains("\r\n\r\n"), "{answer}");
        }
    }
}

impl Announced {
    /// The device at a listener; the boot id is the time of the start.
    pub(crate) fn new(uuid: &str, http: SocketAddr) -> Self {
        let only = match http.ip() {
            IpAddr::V4(address) if !address.is_unspecified() => Some(address),
            _ => None,
        };
        let boot_id = Clock::System.now() / 1000;
        Self { uuid: uuid.to_owned(), port: http.port(), only, boot_id }
    }
}

/// Announces on the named links (none: all that fit) until told to stop, then says goodbye.
pub(crate) async fn run(
    announced: Announced,
    names: Vec<String>,
    holder: fn(u16) -> String,
    stop: CancellationToken,
) {
    let announced = Arc::new(announced);
    let mut running: HashMap<NonZeroU32, (Link, CancellationToken, JoinHandle<()>)> =
        HashMap::new();
    let mut refused: HashSet<NonZeroU32> = HashSet::new();
    let mut every = time::interval(LOOK);
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        let links = match interfaces::links(&names, announced.only) {
            Ok(links) => links,
            // Those that run go on.
            Err(error) => {
                tracing::debug!("the links cannot be listed: {error}");
                continue;
            }
        };
        running.retain(|index, (link, ended, task)| {
            let stays = links.iter().any(|now| now == link) && !task.is_finished();
            if !stays {
                tracing::info!(link = link.name, "no longer announcing on this link as it was");
                ended.cancel();
                refused.remove(index);
            }
            stays
        });
        for link in links {
            if running.contains_key(&link.index) {
                continue;
            }
            match socket::open(&link) {
                Ok(socket) => {
                    tracing::info!(link = link.name, addresses = ?link.addresses, "announcing by SSDP");
                    refused.remove(&link.index);
                    let ended = stop.child_token();
                    let serving =
                        Responder::new(announced.clone(), link.clone(), socket).run(ended.clone());
                    running.insert(link.index, (link, ended, tokio::spawn(serving)));
                }
                // Told once, then tried again in silence.
                Err(error) if refused.insert(link.index) => report(&link, &error, holder),
                Err(_) => (),
            }
        }
    }
    for (_, (.., task)) in running {
        let _ = task.await;
    }
}

fn report(link: &Link, error: &std::io::Error, holder: fn(u16) -> String) {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        tracing::warn!(
            link = link.name,
            "going on without SSDP, so DLNA devices will not find this server by themselves: UDP port 1900 is in use and not shared, {}",
            holder(socket::GROUP.port())
        );
    } else {
        tracing::warn!(link = link.name, %error, "cannot announce by SSDP on this link");
    }
}

/// One link.
struct Responder {
    announced: Arc<Announced>,
    link: Link,
    socket: Arc<UdpSocket>,
    limits: Limits,
    /// Who waits for an answer to what: the same question twice is answered once.
    pending: Arc<Mutex<HashSet<(SocketAddr, String)>>>,
}

impl Responder {
    fn new(announced: Arc<Announced>, link: Link, socket: UdpSocket) -> Self {
        let limits = Limits::new(Instant::now());
        Self { announced, link, socket: Arc::new(socket), limits, pending: Arc::default() }
    }

    async fn run(mut self, stop: CancellationToken) {
        // A goodbye first: it flushes what devices remember of a crash.
        self.announce(&self.announced.goodbye()).await;
        let mut next = time::Instant::now() + Duration::from_millis(rand::random_range(0..100));
        let mut copies = 2;
        let mut buffer = [0; MAX_DATAGRAM + 1];
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = time::sleep_until(next) => {
                    if let Some((address, _)) = self.link.addresses.first() {
                        self.announce(&self.announced.alive(*address)).await;
                    }
                    copies -= 1;
                    next = time::Instant::now() + if copies > 0 { AGAIN } else {
                        copies = 2;
                        PERIOD.mul_f64(rand::random_range(0.8..1.0))
                    };
                }
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, SocketAddr::V4(from))) => {
                        self.hear(&buffer[..length], *from.ip(), from.into());
                    }
                    Ok(_) => (),
                    // A link that went down says so here; the next look decides.
                    Err(error) => {
                        tracing::debug!(link = self.link.name, %error, "cannot receive");
                        time::sleep(AGAIN).await;
                    }
                }
            }
        }
        let goodbye = self.announced.goodbye();
        self.announce(&goodbye).await;
        time::sleep(AGAIN / 4).await;
        self.announce(&goodbye).await;
    }

    async fn announce(&self, messages: &[String]) {
        for message in messages {
            if let Err(error) = self.socket.send_to(message.as_bytes(), socket::GROUP).await {
                tracing::debug!(link = self.link.name, %error, "cannot announce");
                return;
            }
        }
    }

    /// Answers a search of somebody on the link, after a moment of chance so that not all
    /// devices answer at once.
    fn hear(&mut self, datagram: &[u8], source: Ipv4Addr, from: SocketAddr) {
        let Some(search) = Search::parse(datagram) else { return };
        let Some(address) = self.link.facing(source) else { return };
        if !self.limits.admit(source.into(), Instant::now()) {
            return;
        }
        let answers = self.announced.answers(&search.target, address, &date());
        if answers.is_empty() {
            return;
        }
        let key = (from, search.target);
        {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            if MAX_PENDING <= pending.len() || !pending.insert(key.clone()) {
                return;
            }
        }
        // TVs listen briefly: a second at most, however long they say.
        let longest = search.within.unwrap_or(0).min(1) * 1000;
        let delay = Duration::from_millis(u64::from(rand::random_range(0..=longest)));
        let (socket, pending) = (self.socket.clone(), self.pending.clone());
        tokio::spawn(async move {
            time::sleep(delay).await;
            for answer in answers {
                if socket.send_to(answer.as_bytes(), from).await.is_err() {
                    break;
                }
                // Small devices have small buffers.
                time::sleep(Duration::from_millis(5)).await;
            }
            pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        });
    }
}

/// Now, as HTTP writes it.
fn date() -> String {
    jiff::Timestamp::from_millisecond(Clock::System.now())
        .map(|now| now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}
