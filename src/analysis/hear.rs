//! One track: opens its file, has it heard, and lets the decoder help where the reader knows no
//! codec.

use std::{fs::File, path::Path};

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::Analysis;
use crate::{
    Error, Result,
    catalog::write::{SoundFound, SoundWanted},
    media::{
        analysis::{Heard, Order, Unheard},
        worker::Pool,
    },
};

impl Analysis {
    /// Hears a track; `None` when its file is not what the catalogue knows, for the next scan
    /// will say what it is, and when it could not be heard for a reason that may pass, for the next
    /// round asks again. Fails when nothing can be heard at all.
    pub(super) async fn hear(
        &self,
        pool: &Pool,
        wanted: SoundWanted,
    ) -> Result<Option<SoundFound>> {
        let (path, size, modified) = (wanted.path.clone(), wanted.size_bytes, wanted.modified_ns);
        let opened = tokio::task::spawn_blocking(move || open_same(&path, size, modified)).await?;
        let Some(file) = opened else { return Ok(None) };
        let order = Order { range_ms: wanted.range_ms, known: wanted.known, pcm: None };
        let outcome = match pool.analyse(file.try_clone()?, None, &order).await? {
            Ok(heard) => Ok(heard),
            Err(Unheard::Failed(reason)) => Err(reason),
            Err(Unheard::Unread(reason)) => return Ok(not_now(&wanted, &reason)),
            Err(Unheard::NoDecoder) => match self.hear_decoded(pool, file, order).await {
                Err(Error::Unavailable(reason)) => return Ok(not_now(&wanted, &reason)),
                outcome => outcome?,
            },
        };
        if let Err(reason) = &outcome {
            tracing::info!(track = %wanted.track, path = %wanted.path.display(), reason, "not heard");
        }
        Ok(Some(SoundFound { wanted, outcome }))
    }

    /// Hears what the decode worker decodes. `Unavailable` if that says nothing about the track.
    async fn hear_decoded(
        &self,
        pool: &Pool,
        file: File,
        order: Order,
    ) -> Result<Result<Heard, String>> {
        let decoding = self.inner.playback.decode(file.try_clone()?, order.range_ms).await;
        let decoding = match decoding {
            Ok(decoding) => decoding,
            // A track is not asked for again before its file changes.
            Err(Error::Invalid(reason)) => return Ok(Err(reason)),
            Err(error) => return Err(error),
        };
        let order = Order { pcm: Some(decoding.form()), ..order };
        let (sound, rest) = decoding.split();
        let heard = pool.analyse(file, Some(sound), &order).await?;
        Ok(match (heard, rest.end().await) {
            (Ok(heard), Ok(())) => Ok(heard),
            (Ok(_), Err(error)) => Err(error.to_string()),
            (Err(Unheard::Failed(reason)), _) => Err(reason),
            (Err(Unheard::Unread(reason)), _) => return Err(Error::Unavailable(reason)),
            (Err(Unheard::NoDecoder), _) => Err("There is no decoder for it".to_owned()),
        })
    }
}

/// Nothing is written down about it, so it is asked for again.
fn not_now(wanted: &SoundWanted, reason: &str) -> Option<SoundFound> {
    tracing::warn!(track = %wanted.track, path = %wanted.path.display(), reason, "not heard now");
    None
}

/// Opens a file if it still is the one that was seen: through no link, waiting for nobody.
fn open_same(path: &Path, size: i64, modified_ns: i64) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(CWD, path, flags, Mode::empty()).ok()?);
    let stat = rustix::fs::fstat(&file).ok()?;
    let modified =
        stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec as i64);
    let is_same = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && stat.st_size == size
        && modified == modified_ns;
    is_same.then_some(file)
}
