//! `tunelocker sync`: a folder to a locker, once or for as long as it runs.

use std::{collections::HashSet, sync::atomic::AtomicBool};

use super::{
    Fault, Options, Result,
    bandwidth::Gate,
    local::walk,
    progress::Bar,
    remote::Remote,
    report::{Outcome, Report},
    rounds::{Pass, total},
    secret,
    send::Sender,
    state::{State, default_folder},
    watch::Watch,
};

/// Brings the folder to the locker. `told` hears of each pass; with `watch` there are many, and
/// this ends when `stop` does.
pub async fn sync(
    options: &Options,
    stop: impl Future<Output = ()>,
    mut told: impl FnMut(&Report),
) -> Result<Report> {
    let secret = secret::get(&options.secret, &options.server, &options.user)?;
    let remote = Remote::new(&options.server, &options.user, &secret, &options.locker)?;
    let remote = remote.within(&options.locker, &options.path).await?;
    // Says at once whether name, secret and locker are right.
    remote.look(&[]).await?;
    if options.remember {
        secret::keep(&options.server, &options.user, &secret)?;
    }
    let folder = match &options.state {
        Some(folder) => folder.clone(),
        None => default_folder()?,
    };
    let server = options.server.trim_end_matches('/');
    let place = match options.path.trim().trim_matches('/') {
        "" => options.locker.clone(),
        path => format!("{}\n{path}", options.locker),
    };
    let state = State::open(&folder, server, &options.user, &place)?;
    let mut stop = std::pin::pin!(stop);
    // Before the first walk, so that nothing falls between.
    let mut watch = if options.watch { Some(Watch::over(&options.folder)?) } else { None };
    let is_stopped = AtomicBool::new(false);
    loop {
        let pass = one_pass(options, &remote, &state, &is_stopped);
        let passed = tokio::select! {
            passed = pass => passed,
            // Whoever watches is stopped at some time; the next run goes on.
            () = &mut stop => return if options.watch {
                Ok(Report::default())
            } else {
                Err(Fault::Here("stopped; the next run goes on".to_owned()))
            },
        };
        let report = match (passed, &mut watch) {
            (Ok(report), None) => {
                told(&report);
                return Ok(report);
            }
            (Ok(report), Some(_)) => report,
            // Whoever watches waits for the server to come back.
            (Err(fault), Some(_)) if fault.may_pass() => {
                tracing::warn!("{fault}");
                Report::default()
            }
            (Err(fault), _) => return Err(fault),
        };
        if !report.files.is_empty() {
            told(&report);
        }
        let Some(watch) = &mut watch else { return Ok(report) };
        tokio::select! {
            () = watch.changed() => (),
            () = &mut stop => return Ok(report),
        }
    }
}

async fn one_pass(
    options: &Options,
    remote: &Remote,
    state: &State,
    stop: &AtomicBool,
) -> Result<Report> {
    let folder = options.folder.clone();
    let tree = tokio::task::spawn_blocking(move || walk(&folder))
        .await
        .map_err(|error| Fault::Here(error.to_string()))?
        .map_err(|error| {
            Fault::Here(format!("{} cannot be read: {error}", options.folder.display()))
        })?;
    let mut report = Report::default();
    for (path, reason) in tree.refused {
        report.add(path, 0, Outcome::Refused(reason));
    }
    let paths: HashSet<String> = tree.files.iter().map(|file| file.path.clone()).collect();
    let gate = Gate::new(options.rate);
    let bar = Bar::new("sending", total(&tree.files));
    let sender = Sender { remote, state, gate: &gate, bar: &bar, stop };
    // However it was called, and from where.
    let folder = options.folder.canonicalize()?;
    let mut pass = Pass {
        remote,
        state,
        sender,
        folder: &folder,
        jobs: options.jobs,
        dry_run: options.dry_run,
        paths: &paths,
        report: &mut report,
    };
    let brought = pass.bring(&tree.files).await;
    drop(bar);
    report.files.sort_by(|one, other| one.0.cmp(&other.0));
    // What was done is told even where it ended early.
    if let Some(path) = &options.report {
        report.write(path)?;
    }
    brought.map(|()| report)
}
