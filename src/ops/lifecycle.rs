//! Start and stop as the service manager and the terminal see them. The first SIGTERM or SIGINT
//! asks everybody to finish, the second ends the process at once.

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a stop that was forced, as shells tell an interrupt.
const FORCED: i32 = 130;

/// Cancels `stop` at the first signal to end and leaves the process at the second.
pub fn watch_signals(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Where a shell or `less` went away, writing must fail, not kill.
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        one_of(&mut terminate, &mut interrupt, &mut hangup).await;
        tracing::info!("stopping: waiting for what is in flight; a second signal forces");
        tell(&[NotifyState::Stopping]);
        stop.cancel();
        one_of(&mut terminate, &mut interrupt, &mut hangup).await;
        tracing::warn!("stopping at once");
        std::process::exit(FORCED);
    });
    Ok(())
}

/// Tells the service manager that every socket is bound.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

async fn one_of(terminate: &mut Signal, interrupt: &mut Signal, hangup: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
        _ = hangup.recv() => (),
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the service manager could not be told: {error}");
    }
}
