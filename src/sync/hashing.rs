//! Hashes of many files at once, on all cores.

use std::{fs::File, io::Read as _, path::PathBuf};

use futures_util::{StreamExt as _, stream};

use super::local::{Identity, Local};

/// What a quick key is made of.
const QUICK: u64 = 64 * 1024;

/// What is computed of a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    /// BLAKE3 of the first 64 KiB.
    Beginning,
    /// BLAKE3 of everything.
    Everything,
    /// The same under a key.
    Keyed([u8; 32]),
}

/// Computes it for all of these; `done` hears of each with its bytes. In their order; an error is
/// a sentence about one file.
pub(super) async fn all<'f>(
    files: impl IntoIterator<Item = (&'f Local, Of)>,
    done: impl Fn(u64),
) -> Vec<Result<[u8; 32], String>> {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let jobs = files.into_iter().map(|(file, of)| {
        let (place, identity) = (file.place.clone(), file.identity);
        async move {
            let hashed = tokio::task::spawn_blocking(move || hash(place, identity, of)).await;
            let hashed = hashed.unwrap_or_else(|error| Err(error.to_string()));
            (identity.size(), hashed)
        }
    });
    stream::iter(jobs)
        .buffered(2 * cores)
        .map(|(size, hashed)| {
            done(size);
            hashed
        })
        .collect()
        .await
}

fn hash(place: PathBuf, identity: Identity, of: Of) -> Result<[u8; 32], String> {
    let cannot = |error: std::io::Error| format!("it cannot be read: {error}");
    let file = File::open(place).map_err(cannot)?;
    let mut hasher = match of {
        Of::Beginning | Of::Everything => blake3::Hasher::new(),
        Of::Keyed(key) => blake3::Hasher::new_keyed(&key),
    };
    let most = if matches!(of, Of::Beginning) { QUICK } else { u64::MAX };
    let mut part = (&file).take(most);
    let mut buffer = vec![0; if matches!(of, Of::Beginning) { 64 << 10 } else { 256 << 10 }];
    loop {
        match part.read(&mut buffer).map_err(cannot)? {
            0 => break,
            read => {
                hasher.update(&buffer[..read]);
            }
        }
    }
    if Identity::of(&file.metadata().map_err(cannot)?) != identity {
        return Err("it was changed while it was read; the next run brings it".to_owned());
    }
    Ok(hasher.finalize().into())
}
