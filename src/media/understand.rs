//! Everything that is known of one open file, read in one pass inside a worker.

use std::fs::File;

use super::{
    source::{Room, Source},
    tags::{self, Audio, ReadOptions},
    worker::Understood,
};
use crate::error::in_words;

/// Why there is no answer, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not music, or it cannot be read at all.
    Final(String),
    /// It looks like music that is not understood here; the decode worker may know it.
    Pass(String),
    /// The disk did not give it just now, which says nothing about the file.
    Unread(String),
}

impl Refusal {
    /// Why, for people.
    pub(crate) fn into_sentence(self) -> String {
        match self {
            Self::Final(reason) | Self::Pass(reason) | Self::Unread(reason) => reason,
        }
    }

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
    let mut source = Source::open_in(file, room).map_err(|error| unread(&in_words(&error)))?;
    let quick_key = *blake3::hash(source.head()).as_bytes();
    let size = source.size();
    let tags = tags::read(&mut source, relative_path, options);
    let failure = source.failure();
    source.leave(room);
    // A reader of tags takes a failing disk for the end of the file, and tags for none.
    if let Some(failure) = failure {
        return Err(unread(&failure));
    }
    Ok(Understood { tags: tags?, quick_key, size })
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
    let source = Source::open(file).map_err(|error| cannot(&in_words(&error)))?;
    let quick_key = *blake3::hash(source.head()).as_bytes();
    let tags = tags::decoded(audio, texts, relative_path, options);
    Ok(Understood { tags, quick_key, size: source.size() })
}

/// The disk did not give it, for this reason.
pub(crate) fn unread(failure: &str) -> Refusal {
    Refusal::Unread(cannot(failure))
}

fn cannot(failure: &str) -> String {
    format!("It cannot be read: {failure}")
}
