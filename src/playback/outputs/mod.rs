//! Speakers of the house. [`jukebox`] holds one queue that every client drives; an [`output`] is
//! where it sounds: a sound device of this machine ([`program`]), silence that keeps time for
//! tests ([`silence`]), later a renderer on the network. Outputs are asynchronous, lossy and late:
//! a command may fail, what they say of themselves comes afterwards, and they may vanish.

mod driver;
mod jukebox;
mod output;
mod pcm;
mod program;
mod queue;
mod silence;

use std::sync::Arc;

pub use jukebox::{Command, Jukebox, Snapshot};
pub use output::{Item, Output, Phase, Status};
pub use queue::Entry;

use super::Playback;
use crate::{clock::Clock, config::JukeboxOutput};

/// The output that was chosen, if this machine has it.
#[must_use]
pub fn chosen(
    choice: &JukeboxOutput,
    playback: &Playback,
    clock: &Clock,
) -> Option<Arc<dyn Output>> {
    let (playback, clock) = (playback.clone(), clock.clone());
    match choice {
        JukeboxOutput::Off => None,
        JukeboxOutput::Silence { speed } => {
            let sink = silence::Silence::new(clock.clone(), *speed);
            Some(Arc::new(pcm::Pcm::start("silence", playback, clock, sink)))
        }
        JukeboxOutput::Auto => {
            let sink = program::Program::found()?;
            let name = sink.name();
            Some(Arc::new(pcm::Pcm::start(&name, playback, clock, sink)))
        }
        JukeboxOutput::Program(path) => {
            let sink = program::Program::named(path);
            let name = sink.name();
            Some(Arc::new(pcm::Pcm::start(&name, playback, clock, sink)))
        }
    }
}
