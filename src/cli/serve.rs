//! `serve`: the daemon, from the lock to the last byte.

use super::{address, control::Control, failure::Failure, print};
use crate::{
    app::{self, App},
    clock::Clock,
    config::Config,
    ops::{
        lifecycle,
        lock::{Attempt, DataLock},
        logs, memory,
    },
};

/// Serves until a signal.
pub(super) fn run(config: &Config) -> Result<(), Failure> {
    app::vet(config)?;
    memory::settle();
    logs::start(&config.log);
    let lock = match DataLock::attempt(&config.data)? {
        Attempt::Taken(lock) => lock,
        Attempt::Held(holder) => return Err(taken(config, holder)),
    };
    let served = app::block_on(serve(config));
    drop(lock);
    served
}

async fn serve(config: &Config) -> Result<(), Failure> {
    let app = App::build(config.clone(), Clock::System).await?;
    let accounts = app.services().accounts.clone();
    if let Some((name, password)) = &config.first_admin {
        accounts.ensure_first_admin(name, password).await?;
        app.services().ingest.list_libraries().await?;
    }
    let place = address::of(config, app.http_address());
    let control = Control::bind(&config.data, &place)?;
    let stop = app.stop_token();
    lifecycle::watch_signals(stop.clone())?;
    tokio::spawn(control.run(app.services().clone(), stop));

    let scheme = app.scheme();
    let http = app.http_address();
    let mut ready = format!("ready http={scheme}://{http}");
    if let Some(lan) = app.lan_address() {
        ready = format!("{ready} lan=http://{lan}");
    }
    print::line(&ready);
    lifecycle::ready(&ready);
    match accounts.set_up_token().await {
        // On the console alone, never in the log: whoever has it becomes the administrator.
        Ok(Some(token)) => {
            print::line(&format!(
                "setup {scheme}://{}/setup?token={token}",
                address::reachable(http)
            ));
        }
        Ok(None) => (),
        Err(error) => tracing::error!("no set-up link could be made: {error:?}"),
    }
    app.run_until_stopped().await?;
    Ok(())
}

fn taken(config: &Config, holder: Option<u32>) -> Failure {
    let who = holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
    Failure::new(format!("{who} already serves the data folder {}", config.data.display()))
}
