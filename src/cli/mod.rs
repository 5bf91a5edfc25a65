//! The command line: one file a subcommand. Scripts rely on its syntax, its output with `--json`
//! and its exit codes: 0 done, 1 failed, 2 wrong usage, 78 configuration or newer schema.

mod address;
mod backup;
mod carry;
mod control;
mod demo;
mod failure;
mod import;
mod import_told;
mod line;
mod print;
mod request;
mod room;
mod rows;
mod serve;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;

use self::{
    failure::Failure,
    line::{Command, CommandLine},
};
use crate::{app, config, media};

/// Runs the command line of this process to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Hidden, and first: a worker must not even look at the environment or the configuration.
    if arguments.get(1).is_some_and(|first| first == "worker") {
        return media::worker::serve(&arguments[2..]);
    }
    let line = CommandLine::parse_from(arguments);
    let is_json = line.common.json;
    match run(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(is_json),
    }
}

fn run(line: CommandLine) -> Result<(), Failure> {
    let CommandLine { common, command } = line;
    let mut sources = common.sources();
    match command {
        Command::Serve(choices) => {
            choices.apply(&mut sources);
            serve::run(&config::load(&sources)?.0)
        }
        Command::Check(choices) => {
            choices.apply(&mut sources);
            let (config, text) = config::load(&sources)?;
            app::vet(&config)?;
            print::configuration(&text, common.json)
        }
        Command::Sync(push) => carry::push(push, common.json),
        Command::Pull(pull) => carry::pull(pull, common.json),
        Command::Restore(bringing) => {
            if let Some(drive) = &bringing.drive {
                sources.flag("drive", drive.to_string_lossy().into_owned());
            }
            backup::restore(&bringing, &config::load(&sources)?.0, common.json)
        }
        Command::Import(import) => import.run(&config::load(&sources)?.0, common.json),
        Command::Demo { folder } => demo::write(&folder),
        Command::Rows { tracks, library } => {
            rows::write(&config::load(&sources)?.0, &library, tracks)
        }
        Command::Address { ready } => {
            print::line(&address::from_ready(&ready)?);
            Ok(())
        }
        other => {
            let request = other.into_request()?;
            let (config, _) = config::load(&sources)?;
            let reply = control::perform(&config, request)?;
            print::reply(&reply, common.json)?;
            match reply.failure() {
                None => Ok(()),
                // Each difference was said already.
                Some(sentence) => Err(Failure::said(sentence)),
            }
        }
    }
}
