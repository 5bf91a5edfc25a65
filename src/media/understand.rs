//! Everything that is known of one open file, read in one pass inside a worker.

use std::fs::File;

use super::{
    source::{Room, Source},
    tags::{self, Audio, ReadOptions},
    worker::Understood,
};

/// Why there is no answer, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not music, or it cannot be read at all.
    Final(String),
    /// It looks like music that is not understood here; the decode worker may know it.
    Pass(String),
}

impl Refusal {
    /// Sound that only programs of whoever sold it can play (DRM).
    pub(crate) fn protected(by: &str) -> Self {
        Self::Final(format!(
            "It is copy-protected ({by}): it is kept, but only programs of whoever sold it can play it"
        ))
    }
}

/// What a reader here does not understand, the decode worker may.
impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Pass(reason)
    }
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Self {
        Self::Pass(reason.to_owned())
    }
}

/// Reads one file. An error is a sentence that says why it is not music.
pub(crate) fn understand(
    file: &File,
    relative_path: &str,
    options: &ReadOptions,
    room: &mut Room,
) -> Result<Understood, Refusal> {
    let mut source = Source::open_in(file, room).map_err(|error| Refusal::Final(cannot(&error)))?;
    let quick_key = *blake3::hash(source.head()).as_bytes();
    let size = source.size();
    let tags = tags::read(&mut source, relative_path, options);
    source.leave(room);
    let tags = tags?;
    Ok(Understood { tags, quick_key, size })
}

/// The same for a file that only the decode worker understands: what it found there, as pairs of
/// libav's names and texts, completed like the rest. Called inside that worker.
pub fn understand_decoded(
    file: &File,
    audio: Audio,
    texts: &[(String, String)],
    relative_path: &str,
    options: &ReadOptions,
) -> Result<Understood, String> {
    let source = Source::open(file).map_err(|error| cannot(&error))?;
    let quick_key = *blake3::hash(source.head()).as_bytes();
    let tags = tags::decoded(audio, texts, relative_path, options);
    Ok(Understood { tags, quick_key, size: source.size() })
}

fn cannot(error: &std::io::Error) -> String {
    format!("It cannot be read: {error}")
}
