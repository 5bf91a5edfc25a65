//! The decode worker: libav behind a sandbox, descriptors in, one pipe out, one order a process. The
//! only code that names `ffmpeg_next`. Standard input is the control socket.
//!
//! `tunelocker-worker` waits for an order; `--degraded` works without seccomp too; `--selftest`
//! tries to break out of the sandbox.

mod control;
mod encoder;
mod facts;
mod frames;
mod input;
mod mp4;
mod output;
mod pipeline;
mod probe;
mod riff;
mod source;
mod xing;

use std::process::ExitCode;

use rustix::process::setpriority_process;
use tunelocker::media::{
    decode::{Order, Report},
    worker::{
        sandbox::{Profile, confine},
        selftest,
    },
};

fn main() -> ExitCode {
    let mut degraded = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--selftest" | "--inside" => return selftest::run(Profile::Decode),
            "--degraded" => degraded = true,
            _ => {
                eprintln!("usage: tunelocker-worker [--degraded | --selftest]");
                return ExitCode::from(2);
            }
        }
    }
    // Whoever listens to the server comes before whoever waits for a transcode.
    let _ = setpriority_process(None, 10);
    if ffmpeg_next::init().is_err() {
        return ExitCode::FAILURE;
    }
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
    let layers = confine(Profile::Decode);
    if !layers.seccomp && !degraded {
        let reason = "This system has no seccomp, and undecoded files are only opened behind it; \
                      set workers.sandbox = \"degraded\" to decode anyway"
            .to_owned();
        let _ = control::tell(&Report::Failed { reason });
        return ExitCode::FAILURE;
    }
    match work(&layers.to_string()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = control::tell(&Report::Failed { reason: error.to_string() });
            ExitCode::FAILURE
        }
    }
}

fn work(layers: &str) -> anyhow::Result<()> {
    control::tell(&Report::Ready { layers: layers.to_owned() })?;
    // Nobody has work any more: a spare that is not needed.
    let Some(task) = control::next()? else { return Ok(()) };
    let done = match &task.order {
        Order::Transcode(job) => pipeline::run(job, task.input, task.output)?,
        Order::Probe(probe) => probe::run(probe, task.input, task.output)?,
    };
    control::tell(&done)
}
