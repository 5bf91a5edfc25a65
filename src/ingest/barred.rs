//! Files whose content must not be here: they are kept out of the catalogue before anybody sees
//! them, in watched folders too, which are not ours to change. Only files that look like one are
//! read whole.

use std::sync::Arc;

use super::{Ingest, read::Reader, sounds::open, walk::absolute};
use crate::{
    Result,
    catalog::write::{Content, FileFound},
    drive::{Barred, digest},
};

/// Encoders and readers differ about lengths by no more, ms.
const SAME_LENGTH_MS: u64 = 1000;

impl Ingest {
    /// Makes those of these files that must not be here unreadable.
    pub(super) async fn keep_out(
        &self,
        reader: &Reader,
        files: &mut [(FileFound, bool)],
    ) -> Result<()> {
        let barred = self.drive.barred().await?;
        if barred.is_empty() {
            return Ok(());
        }
        for (file, _) in files {
            let Content::Tracks { tracks, .. } = &file.content else { continue };
            let size = file.size_bytes.unsigned_abs();
            let length = match tracks.as_slice() {
                [track] if track.cue_index.is_none() => Some(track.tags.audio.duration_ms),
                _ => None,
            };
            let by_content = barred.iter().any(|one| one.size == Some(size));
            let by_sound = barred.iter().any(|one| sounds_as_long(one, length));
            if !by_content && !by_sound {
                continue;
            }
            let (hash, sound) = read(reader, &file.path, by_content, by_sound).await?;
            if file.audio_hash.is_none() {
                file.audio_hash = sound;
            }
            let is_it = |one: &&Barred| {
                hash == Some(one.hash)
                    || one.sound.as_ref().is_some_and(|barred| sound == Some(barred.hash))
            };
            if let Some(one) = barred.iter().find(is_it) {
                tracing::info!(path = %file.path, "a file is kept out: {}", one.sentence);
                file.content = Content::Unreadable(one.sentence.clone());
            }
        }
        Ok(())
    }
}

fn sounds_as_long(one: &Barred, length: Option<u64>) -> bool {
    let (Some(sound), Some(length)) = (&one.sound, length) else { return false };
    sound.duration_ms.is_none_or(|wanted| wanted.abs_diff(length) <= SAME_LENGTH_MS)
}

/// Content hash and sound of a file, as far as they are wanted and can be had.
async fn read(
    reader: &Reader,
    path: &str,
    by_content: bool,
    by_sound: bool,
) -> Result<(Option<[u8; 32]>, Option<[u8; 32]>)> {
    let (root, path) = (Arc::clone(&reader.root), path.to_owned());
    let opened = tokio::task::spawn_blocking(move || {
        let file = open(&absolute(&root, &path))?;
        let hash = if by_content { digest(&file, None, |_| true) } else { Ok(None) };
        let hash = hash.unwrap_or_else(|error| {
            // Whatever hashes it later bars it then.
            tracing::warn!("{path} could not be read to see whether it was taken down: {error}");
            None
        });
        Some((hash.map(|it| it.content), file))
    });
    let Some((hash, file)) = opened.await? else { return Ok((None, None)) };
    let sound = if by_sound { reader.pool.audio_hash(file).await? } else { None };
    Ok((hash, sound))
}
