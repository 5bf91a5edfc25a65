//! `[jukebox]`: the speakers of the machine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the jukebox sounds. Written as `auto`, `off`, `silence`, or the path of a program that
/// plays raw PCM from its standard input and takes the arguments of `aplay`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub enum JukeboxOutput {
    /// The sound device of this machine, if it has one.
    #[default]
    Auto,
    /// Nowhere: there is no jukebox.
    Off,
    /// It keeps time and makes no sound: for trying out.
    Silence {
        /// How many times faster than sound.
        speed: u32,
    },
    /// This program.
    Program(PathBuf),
}

/// The jukebox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jukebox {
    /// Where it sounds.
    pub output: JukeboxOutput,
}

impl From<String> for JukeboxOutput {
    fn from(text: String) -> Self {
        match text.as_str() {
            "" | "auto" => Self::Auto,
            "off" => Self::Off,
            "silence" => Self::Silence { speed: 1 },
            _ => Self::Program(text.into()),
        }
    }
}

impl From<JukeboxOutput> for String {
    fn from(output: JukeboxOutput) -> Self {
        match output {
            JukeboxOutput::Auto => "auto".to_owned(),
            JukeboxOutput::Off => "off".to_owned(),
            JukeboxOutput::Silence { .. } => "silence".to_owned(),
            JukeboxOutput::Program(path) => path.to_string_lossy().into_owned(),
        }
    }
}
