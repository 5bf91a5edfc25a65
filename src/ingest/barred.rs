//! Files whose content must not be here: they are kept out of the catalogue before anybody sees
//! them, in watched folders too, which are not ours to change. Only files that look like one are
//! read whole.

use std::sync::Arc;

use super::{
    Ingest,
    open::open,
    read::{Read, Reader},
    scan::parent,
};
use crate::{
    Error, Result,
    catalog::write::Content,
    drive::{Barred, digest},
    error::in_words,
};

/// Encoders and readers differ about lengths by no more, ms.
const SAME_LENGTH_MS: u64 = 1000;

impl Ingest {
    /// Makes those of these files that must not be here unreadable, and those of which nobody can
    /// tell until the next scan.
    pub(super) async fn keep_out(&self, reader: &Reader, found: &mut Read) -> Result<()> {
        let barred = self.drive.barred().await?;
        if barred.is_empty() {
            return Ok(());
        }
        for (file, _) in &mut found.files {
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
            let (hash, sound) = match read(reader, &file.path, by_content, by_sound).await? {
                Ok(known) => known,
                Err(reason) => {
                    tracing::warn!(path = %file.path, reason, "a file waits until it can be checked");
                    let sentence =
                        format!("It could not be checked for what was taken down. {reason}");
                    file.content = Content::Unreadable(sentence);
                    (file.size_bytes, file.modified_ns) = (0, 0);
                    found.incomplete.push(parent(&file.path).to_owned());
                    continue;
                }
            };
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

/// Content hash and sound of a file, as far as there are any.
type Known = (Option<[u8; 32]>, Option<[u8; 32]>);

/// What is known of a file, as far as it is wanted; a sentence if it cannot be read just now.
async fn read(
    reader: &Reader,
    path: &str,
    by_content: bool,
    by_sound: bool,
) -> Result<Result<Known, String>> {
    let (root, lent, path) = (Arc::clone(&reader.root), Arc::clone(&reader.lent), path.to_owned());
    let opened = tokio::task::spawn_blocking(move || {
        let file = open(&root, &lent, &path)?;
        let hash = if by_content { digest(&file, None, |_| true)? } else { None };
        Ok::<_, std::io::Error>((hash.map(|it| it.content), file))
    });
    let (hash, file) = match opened.await? {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(format!("It cannot be read: {}", in_words(&error)))),
    };
    if !by_sound {
        return Ok(Ok((hash, None)));
    }
    match reader.pool.audio_hash(file).await {
        Ok(sound) => Ok(Ok((hash, sound))),
        Err(Error::Invalid(reason)) => Ok(Err(reason)),
        Err(error) => Err(error),
    }
}
