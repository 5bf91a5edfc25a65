//! Everything that is known of one open file, read in one pass inside a worker.

use std::fs::File;

use super::{
    source::{Room, Source},
    tags::{self, ReadOptions},
    worker::Understood,
};

/// Reads one file. An error is a sentence that says why it is not music.
pub(crate) fn understand(
    file: &File,
    relative_path: &str,
    options: &ReadOptions,
    room: &mut Room,
) -> Result<Understood, String> {
    let mut source =
        Source::open_in(file, room).map_err(|error| format!("It cannot be read: {error}"))?;
    let quick_key = *blake3::hash(source.head()).as_bytes();
    let size = source.size();
    let tags = tags::read(&mut source, relative_path, options);
    source.leave(room);
    let tags = tags?;
    Ok(Understood { tags, quick_key, size })
}
