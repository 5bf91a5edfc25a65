//! The process boundary: untrusted bytes are understood in processes of the daemon's own program
//! (`tunelocker worker`) that hold nothing but the descriptors they were passed.

mod child;
pub mod decoder;
mod frames;
mod pool;
mod probe;
mod process;
pub mod sandbox;
pub mod selftest;
mod unpack;
mod wire;

use std::{fs::File, os::fd::OwnedFd, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use child::serve;
use frames::Kind;
use pool::{Failure, Shared};
pub use unpack::Unpacking;

pub use crate::media::tags::ReadOptions;
use crate::{
    Error, Result,
    media::{
        analysis::{self, Heard, Unheard},
        feed::Feed,
        tags::{PictureFacts, Tags},
    },
};

/// Reading a file takes milliseconds, but its disk may have to wake up.
const PATIENCE: Duration = Duration::from_secs(15);
/// Hearing one takes longer, above all on a busy machine.
const BACKGROUND_PATIENCE: Duration = Duration::from_mins(10);
/// As far back as a process can stand.
const NICEST: i32 = 19;

/// Worker processes: started when needed, at most so many, ended when idle. Cheap to clone; the
/// workers end with the last clone.
#[derive(Clone)]
pub struct Pool {
    open: Arc<Open>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("processes", &self.processes()).finish()
    }
}

/// One file to be read.
#[derive(Debug)]
pub struct ReadItem {
    /// Open for reading, a regular file: opened and checked by the caller.
    pub file: File,
    /// Its path below its library, `/` between names. Only names are guessed from it.
    pub relative_path: String,
    /// How to split names.
    pub options: Arc<ReadOptions>,
}

/// What is looked at in a batch.
enum Item {
    Music(ReadItem),
    Picture(File),
}

impl Item {
    fn file(&self) -> &File {
        match self {
            Self::Music(item) => &item.file,
            Self::Picture(file) => file,
        }
    }
}

/// What came of an [`Item`].
enum Known {
    Music(Box<Understood>),
    Picture(PictureFacts),
}

/// What is known of a file after reading it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Understood {
    /// What it says about itself, completed from its path where it says nothing.
    pub tags: Tags,
    /// BLAKE3 of its first 64 KiB; together with its size the quick key.
    pub quick_key: [u8; 32],
    /// Its size in bytes.
    pub size: u64,
}

/// A file that is not music, or not as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Why, as a sentence.
    pub reason: String,
    /// Whether it looks like music that the decode worker may know.
    pub(crate) may_be_decoded: bool,
    /// Whether the disk did not give it, which says nothing about the file.
    pub(crate) is_unread: bool,
}

impl Unreadable {
    /// Nobody else needs to be asked.
    pub(crate) fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_be_decoded: false, is_unread: false }
    }
}

/// Answers about music and about pictures, in order.
pub type ReadAll = (Vec<Result<Understood, Unreadable>>, Vec<Result<PictureFacts, Unreadable>>);

/// Where the picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PicturePlace {
    /// The file is the picture.
    Whole,
    /// Inside a file of music: its front cover, else its first picture.
    Embedded,
}

/// A picture that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureBytes {
    /// As found.
    pub bytes: Bytes,
    /// By content.
    pub mime: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// BLAKE3 of the bytes, hex.
    pub hash: String,
}

/// Closes the queue with the last [`Pool`]; the threads hold only what is shared.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Pool {
    /// A pool of at most `processes` of `program` (the daemon itself). Nothing is started yet.
    #[must_use]
    pub fn new(program: PathBuf, processes: usize) -> Self {
        Self::with_patience(program, processes, PATIENCE)
    }

    /// The same, and what these processes do not understand is asked of the decode worker.
    #[must_use]
    pub fn with_decoder(program: PathBuf, processes: usize, decoder: decoder::Program) -> Self {
        let shared = Shared::new(program, processes, PATIENCE, 0, Some(decoder));
        Self { open: Arc::new(Open(shared)) }
    }

    /// The same with another time after which a worker that says nothing counts as hanging.
    #[must_use]
    pub fn with_patience(program: PathBuf, processes: usize, patience: Duration) -> Self {
        Self { open: Arc::new(Open(Shared::new(program, processes, patience, 0, None))) }
    }

    /// A pool whose processes work when nobody else does, and may take minutes over one file.
    #[must_use]
    pub fn in_background(program: PathBuf, processes: usize) -> Self {
        let shared = Shared::new(program, processes, BACKGROUND_PATIENCE, NICEST, None);
        Self { open: Arc::new(Open(shared)) }
    }

    /// Reads files; the answers are in the order of the items. A file that kills or hangs a worker
    /// is unreadable, the others of its batch are not. `Unavailable` if no worker can be started:
    /// that says nothing about the files.
    pub async fn understand(
        &self,
        items: Vec<ReadItem>,
    ) -> Result<Vec<Result<Understood, Unreadable>>> {
        Ok(self.read(items, Vec::new()).await?.0)
    }

    /// The same, and looks at files that are pictures beside them.
    pub async fn read(&self, music: Vec<ReadItem>, pictures: Vec<File>) -> Result<ReadAll> {
        let (of_music, of_pictures) = (music.len(), pictures.len());
        let items = music.into_iter().map(Item::Music);
        let items = items.chain(pictures.into_iter().map(Item::Picture)).collect();
        let answers = self.open.0.understand(items).await?;
        let mut all = (Vec::with_capacity(of_music), Vec::with_capacity(of_pictures));
        for (at, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(Known::Music(understood)) => all.0.push(Ok(*understood)),
                Ok(Known::Picture(facts)) => all.1.push(Ok(facts)),
                Err(unreadable) if at < of_music => all.0.push(Err(unreadable)),
                Err(unreadable) => all.1.push(Err(unreadable)),
            }
        }
        Ok(all)
    }

    /// Takes a picture out of a file and looks at it. `NotFound` if there is none.
    pub async fn picture(&self, file: File, place: PicturePlace) -> Result<PictureBytes> {
        let kind = match place {
            PicturePlace::Whole => Kind::WholePicture,
            PicturePlace::Embedded => Kind::EmbeddedPicture,
        };
        let answer = self.open.0.ask(kind, Vec::new(), vec![file.into()]).await?;
        let bytes = Bytes::from(answer);
        let (width, height) =
            (wire_number(&bytes, 0).unwrap_or(0), wire_number(&bytes, 4).unwrap_or(0));
        let bytes = bytes.slice(8.min(bytes.len())..);
        // The type decides how browsers treat the bytes, so the worker's word is not enough.
        let mime = crate::media::format::picture_mime(&bytes)
            .ok_or_else(|| Error::Invalid("This is not a picture".to_owned()))?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        Ok(PictureBytes { bytes, mime: mime.to_owned(), width, height, hash })
    }

    /// A picture as JPEG whose longer edge is at most `edge` pixels; never larger than it was.
    pub async fn scale(&self, bytes: Bytes, edge: u32) -> Result<Bytes> {
        let mut payload = Vec::with_capacity(bytes.len() + 4);
        payload.extend(edge.to_le_bytes());
        payload.extend_from_slice(&bytes);
        let scaled = Bytes::from(self.open.0.ask(Kind::Scale, payload, Vec::new()).await?);
        if crate::media::format::picture_mime(&scaled) == Some("image/jpeg") {
            Ok(scaled)
        } else {
            Err(Error::Invalid("This picture cannot be scaled".to_owned()))
        }
    }

    /// Four pictures as one JPEG that is `edge` pixels wide and high: each fills its quarter, in
    /// order from the upper left.
    pub async fn mosaic(&self, tiles: &[Bytes], edge: u32) -> Result<Bytes> {
        let mut payload = edge.to_le_bytes().to_vec();
        for tile in tiles {
            payload.extend((tile.len() as u32).to_le_bytes());
            payload.extend_from_slice(tile);
        }
        let made = Bytes::from(self.open.0.ask(Kind::Mosaic, payload, Vec::new()).await?);
        if crate::media::format::picture_mime(&made) == Some("image/jpeg") {
            Ok(made)
        } else {
            Err(Error::Invalid("These pictures cannot be put together".to_owned()))
        }
    }

    /// Reads a podcast's feed. `Invalid` with a sentence if it is none.
    pub async fn feed(&self, bytes: &[u8]) -> Result<Feed> {
        match self.open.0.ask(Kind::Feed, bytes.to_vec(), Vec::new()).await {
            Ok(answer) => wire::read::<Feed>(&answer)
                .map(Feed::held_to_bounds)
                .map_err(|_| Error::Invalid("The feed cannot be read".to_owned())),
            Err(Failure::Lost) => Err(Error::Invalid("The feed cannot be read".to_owned())),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Hears one file; `pcm` is the pipe that its decoded sound comes from, where the order says
    /// so. `Unavailable` if no worker could be started; a file that kills the worker is unheard.
    pub async fn analyse(
        &self,
        file: File,
        pcm: Option<OwnedFd>,
        order: &analysis::Order,
    ) -> Result<Result<Heard, Unheard>> {
        let files = std::iter::once(OwnedFd::from(file)).chain(pcm).collect();
        let mut payload = Vec::new();
        wire::write(&mut payload, order)?;
        match self.open.0.ask(Kind::Analyse, payload, files).await {
            Ok(answer) => Ok(wire::read(&answer)
                .map_or_else(|_| Err(Unheard::Failed(Failure::Lost.to_string())), checked)),
            Err(failure @ Failure::NotStarted(_)) => Err(failure.into()),
            Err(failure) => Ok(Err(Unheard::Failed(failure.to_string()))),
        }
    }

    /// BLAKE3 over the encoded sound of a file, without container and tags; `None` where it
    /// cannot be told apart. `Invalid` if that is open: the disk did not give the file, or a worker
    /// died over it. `Unavailable` if no worker could be started.
    pub async fn audio_hash(&self, file: File) -> Result<Option<[u8; 32]>> {
        match self.open.0.ask(Kind::AudioHash, Vec::new(), vec![file.into()]).await {
            Ok(hash) => Ok(hash.try_into().ok()),
            Err(Failure::Refused(_)) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The fingerprint of the first two minutes of decoded sound, little-endian words; empty where
    /// nothing could be heard. `Unavailable` if no worker could be started.
    pub async fn fingerprint(&self, pcm: OwnedFd, form: analysis::Pcm) -> Result<Vec<u8>> {
        let mut payload = Vec::new();
        wire::write(&mut payload, &form)?;
        match self.open.0.ask(Kind::Fingerprint, payload, vec![pcm]).await {
            Ok(print) if print.len() <= 64 << 10 => Ok(print),
            Err(Failure::NotStarted(reason)) => Err(Failure::NotStarted(reason).into()),
            Ok(_) | Err(_) => Ok(Vec::new()),
        }
    }

    /// The ids of the worker processes that run now.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        self.open.0.processes()
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(reason) if reason.is_empty() => Self::NotFound("picture"),
            Failure::Refused(reason) | Failure::Unread(reason) => Self::Invalid(reason),
            Failure::Lost => Self::Invalid(failure.to_string()),
            Failure::NotStarted(_) => Self::Unavailable(failure.to_string()),
        }
    }
}

/// What a worker says about a sound is kept and computed with, so it must be possible.
fn checked(heard: Result<Heard, Unheard>) -> Result<Heard, Unheard> {
    let mut heard = heard?;
    heard.sound = heard.sound.filter(|sound| {
        sound.features.len() == analysis::DIMENSIONS
            && sound.key.is_none_or(|key| key < 24)
            && sound.bpm.is_none_or(|bpm| (1.0..1000.0).contains(&bpm))
    });
    heard.loudness = heard.loudness.filter(|loudness| {
        (-70.0..30.0).contains(&loudness.lufs)
            && (0.0..1000.0).contains(&loudness.range_lu)
            && (0.0..1000.0).contains(&loudness.peak)
    });
    Ok(heard)
}

fn wire_number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
