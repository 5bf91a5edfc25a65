//! The control socket: how a command reaches the server that holds the data folder. One JSON line
//! in, one out. Who may connect: the server's own user and root.

use std::{
    fs::Permissions,
    os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
};
use tokio_util::sync::CancellationToken;

use super::{
    address,
    failure::{self, Failure},
    request::{Findings, Reply, Request},
};
use crate::{
    app::{self, Services},
    clock::Clock,
    config::Config,
    db::Db,
    drive,
    ops::lock::{Attempt, DataLock},
};

const SOCKET: &str = "control.sock";
/// Longest request: what a person brings along from another server in one piece. Only the server's
/// own user and root get this far.
const LIMIT: u64 = 256 << 20;
/// How long a command waits for a server that starts or stops, or for another command.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(50);

/// An answer on the wire.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Reply(Reply),
    Failed(String),
}

/// The server's end of the socket, bound. Dropping it removes the socket.
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// Where people find this server.
    place: Arc<str>,
}

impl Control {
    /// Binds. Only who holds the lock on the folder may call it: it replaces what a crash left.
    /// `place` is the address that people are told.
    pub(super) fn bind(data: &Path, place: &str) -> anyhow::Result<Self> {
        let path = data.join(SOCKET);
        let _ = std::fs::remove_file(&path);
        let folder = std::fs::File::open(data)?;
        let listener = UnixListener::bind(short(&folder))
            .with_context(|| format!("cannot make {}", path.display()))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, path, place: place.into() })
    }

    /// Answers commands until `stop`.
    pub(super) async fn run(self, services: Services, stop: CancellationToken) {
        while let Some(accepted) = stop.run_until_cancelled(self.listener.accept()).await {
            match accepted {
                Ok((stream, _)) => {
                    let (services, place) = (services.clone(), Arc::clone(&self.place));
                    let stop = stop.clone();
                    tokio::spawn(async move {
                        let serving = serve(stream, &services, &place);
                        let served = stop.run_until_cancelled(serving).await;
                        if let Some(Err(error)) = served {
                            tracing::debug!("a command went away: {error:#}");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!("the control socket failed: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(mut stream: UnixStream, services: &Services, place: &str) -> anyhow::Result<()> {
    let peer = stream.peer_cred()?.uid();
    anyhow::ensure!(
        peer == 0 || peer == rustix::process::geteuid().as_raw(),
        "user {peer} may not command this server"
    );
    let (read, mut write) = stream.split();
    let mut line = String::new();
    BufReader::new(read.take(LIMIT)).read_line(&mut line).await?;
    let answer = match serde_json::from_str::<Request>(&line) {
        Ok(request) => match request.carry_out(services, place).await {
            Ok(reply) => Answer::Reply(reply),
            Err(error) => Answer::Failed(failure::sentence(&error)),
        },
        // Not with the text: it may hold a password.
        Err(_) => {
            Answer::Failed("the command was not understood; is it of another version?".to_owned())
        }
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    write.write_all(&text).await?;
    Ok(())
}

/// Does what is asked: through the socket while somebody holds the lock, else here and now.
pub(super) fn perform(config: &Config, request: Request) -> Result<Reply, Failure> {
    app::block_on(async {
        let give_up = tokio::time::Instant::now() + PATIENCE;
        // Looked at first: taking the lock would make the folder.
        if !config.data.join("lock").exists() {
            request.require_data(&config.data)?;
        }
        loop {
            let holder = match DataLock::attempt(&config.data)? {
                Attempt::Taken(_lock) => {
                    request.require_data(&config.data)?;
                    return alone(config, request).await;
                }
                Attempt::Held(holder) => holder,
            };
            if let Some(stream) = connect(&config.data).await? {
                return ask(stream, &request).await;
            }
            if give_up < tokio::time::Instant::now() {
                let who = holder.map_or_else(String::new, |pid| format!(" (process {pid})"));
                return Err(Failure::new(format!(
                    "another process{who} uses {} and does not answer",
                    config.data.display()
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
}

async fn alone(config: &Config, request: Request) -> Result<Reply, Failure> {
    if let Request::Doctor { repair: false, reads } = request {
        // Starting the services would put in order what is to be seen.
        let db = Db::open(&config.data.join("tunelocker.db")).await?;
        let found = findings(&db, config, reads).await;
        db.close().await;
        return Ok(Reply::Findings(found?));
    }
    let services = Services::open(config, Clock::System).await?;
    let place = address::of(config, config.listen);
    let reply = if request.scans() {
        scan_alone(&services, request, &place).await
    } else {
        request.carry_out(&services, &place).await
    };
    services.db.close().await;
    Ok(reply?)
}

async fn findings(db: &Db, config: &Config, reads: bool) -> crate::Result<Findings> {
    let mut differences = db.damage().await?;
    differences.extend(drive::examine(db, config.drive.clone()).await?);
    let scrubbed =
        if reads { Some(drive::read_everything(db, config.drive.clone()).await?) } else { None };
    let (pointing, abilities) = (drive::pointing(db).await?, drive::abilities(db).await?);
    Ok(Findings::new(differences, pointing, abilities, scrubbed))
}

/// Without a server the scanner runs for the length of the command, which must therefore wait.
async fn scan_alone(services: &Services, request: Request, place: &str) -> crate::Result<Reply> {
    let request = match request {
        Request::Scan { full, .. } => Request::Scan { full, wait: true },
        other => other,
    };
    let stop = CancellationToken::new();
    services.ingest.list_libraries().await?;
    let running = tokio::spawn(services.ingest.clone().run(stop.clone()));
    let reply = request.carry_out(services, place).await;
    stop.cancel();
    running.await?;
    reply
}

/// `None` while nobody listens (yet).
async fn connect(data: &Path) -> Result<Option<UnixStream>, Failure> {
    let folder = std::fs::File::open(data)?;
    match UnixStream::connect(short(&folder)).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(Failure::new(format!(
                "the server over {} belongs to another user; run this as that user or as root",
                data.display()
            )))
        }
        Err(_) => Ok(None),
    }
}

async fn ask(mut stream: UnixStream, request: &Request) -> Result<Reply, Failure> {
    let mut text = serde_json::to_vec(request).map_err(crate::Error::from)?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await?;
    match serde_json::from_str(&line) {
        Ok(Answer::Reply(reply)) => Ok(reply),
        Ok(Answer::Failed(sentence)) => Err(Failure::new(sentence)),
        Err(_) => Err(Failure::new("the server ended before it answered")),
    }
}

/// Socket addresses hold 107 bytes; a data folder may lie deeper than that.
fn short(folder: &std::fs::File) -> PathBuf {
    format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()).into()
}
