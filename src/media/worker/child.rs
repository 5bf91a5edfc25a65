//! The worker's side: confines itself, then answers messages until its parent is gone.

use std::{
    fs::File,
    io,
    os::{fd::AsFd as _, unix::net::UnixStream},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::{Duration, Instant},
};

use super::{
    frames::{self, Frame, Kind, Receiver},
    sandbox::{Profile, confine},
    selftest,
    wire::{self, Asked, Items},
};
use crate::media::{
    analysis::{self, Unheard},
    feed, pictures,
    source::Room,
    understand::{self, Refusal},
    unpack,
};

/// Answers of a batch are sent together, at the latest when there are so many bytes of them.
const FLUSH_BYTES: usize = 32 << 10;
/// Or when so much time went by: the parent watches for signs of life.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// Runs this process as a worker until its parent closes the socket on standard input.
/// `arguments` are those after `worker`; `--selftest` tries to break out instead.
#[must_use]
pub fn serve(arguments: &[std::ffi::OsString]) -> ExitCode {
    if arguments.iter().any(|argument| argument == "--selftest") {
        return selftest::run(Profile::Tags);
    }
    // Cloned before the walls stand; standard input itself stays where it is.
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned() else { return ExitCode::FAILURE };
    let socket = UnixStream::from(socket);
    // A panic is an answer like any other; nobody reads its text.
    std::panic::set_hook(Box::new(|_| ()));
    let layers = confine(Profile::Tags);
    match say_ready(&socket, &layers.to_string()).and_then(|()| answer_all(&socket)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn say_ready(socket: &UnixStream, layers: &str) -> io::Result<()> {
    let mut out = Vec::new();
    let start = frames::begin(&mut out, Kind::Ready, 0);
    out.extend_from_slice(layers.as_bytes());
    frames::end(&mut out, start);
    frames::send(socket, &out, &[])
}

fn answer_all(socket: &UnixStream) -> io::Result<()> {
    let mut receiver = Receiver::new(socket.as_fd());
    let mut out = Vec::with_capacity(2 * FLUSH_BYTES);
    let mut room = Room::default();
    while let Some(frame) = receiver.next()? {
        if frame.kind == Kind::Understand {
            understand_all(socket, frame, &mut room, &mut out)?;
        } else {
            let answer = guarded(|| match frame.kind {
                Kind::AudioHash => audio_hash(frame),
                _ => answer_one(frame).map_err(Refusal::Final),
            });
            put(&mut out, answer, |out, payload| {
                out.extend_from_slice(&payload);
                Ok(())
            })?;
        }
        frames::send(socket, &out, &[])?;
        // One large picture must not stay for good.
        out.clear();
        out.shrink_to(2 * FLUSH_BYTES);
    }
    Ok(())
}

fn understand_all(
    socket: &UnixStream,
    frame: Frame,
    room: &mut Room,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let items = Items::read(&frame.payload)?;
    let mut flushed = Instant::now();
    for (item, descriptor) in items.iter().zip(frame.descriptors) {
        let file = File::from(descriptor);
        match item {
            Asked::Music(path, options) => {
                let understood = guarded(|| understand::understand(&file, path, options, room));
                put(out, understood, |out, understood| wire::write(out, &understood))?;
            }
            Asked::Picture => {
                let facts = guarded(|| pictures::whole_facts(&file));
                put(out, facts, |out, facts| wire::write(out, &facts))?;
            }
        }
        if out.len() > FLUSH_BYTES || flushed.elapsed() > FLUSH_AFTER {
            frames::send(socket, out, &[])?;
            out.clear();
            flushed = Instant::now();
        }
    }
    Ok(())
}

fn answer_one(frame: Frame) -> Result<Vec<u8>, String> {
    let mut descriptors = frame.descriptors.into_iter();
    let file = descriptors.next().map(File::from);
    match (frame.kind, file) {
        (Kind::Analyse, Some(file)) => {
            let order = wire::read(&frame.payload).map_err(|error| error.to_string())?;
            let heard = analysis::analyse(file, descriptors.next(), &order);
            let mut out = Vec::new();
            wire::write(&mut out, &heard).map_err(|error| error.to_string())?;
            Ok(out)
        }
        (Kind::Unpack, Some(archive)) => {
            let order = wire::read(&frame.payload).map_err(|error| error.to_string())?;
            let line = descriptors.next().ok_or_else(|| "No line".to_owned())?;
            let mut line = unpack::Line::new(UnixStream::from(line));
            unpack::read(archive, &mut line, order).map_err(|error| error.to_string())?;
            Ok(Vec::new())
        }
        (Kind::Feed, None) => {
            let read = feed::read(&frame.payload)?;
            let mut out = Vec::new();
            wire::write(&mut out, &read).map_err(|error| error.to_string())?;
            Ok(out)
        }
        (Kind::Fingerprint, Some(pcm)) => {
            let form = wire::read(&frame.payload).map_err(|error| error.to_string())?;
            let print = analysis::fingerprint(pcm, form).map_err(sentence)?;
            Ok(print.into_iter().flat_map(u32::to_le_bytes).collect())
        }
        (Kind::EmbeddedPicture, Some(file)) => pictures::embedded(&file).map(pictures::framed),
        (Kind::WholePicture, Some(file)) => pictures::whole(&file).map(pictures::framed),
        (Kind::Scale, _) => {
            let (edge, bytes) =
                frame.payload.split_first_chunk().ok_or_else(|| "No picture".to_owned())?;
            pictures::scale(bytes, u32::from_le_bytes(*edge))
        }
        (Kind::Mosaic, None) => {
            let (edge, mut rest) =
                frame.payload.split_first_chunk().ok_or_else(|| "No pictures".to_owned())?;
            let mut tiles = Vec::new();
            while let Some((length, after)) = rest.split_first_chunk() {
                let length = u32::from_le_bytes(*length) as usize;
                let (tile, after) =
                    after.split_at_checked(length).ok_or_else(|| "Half a picture".to_owned())?;
                tiles.push(tile);
                rest = after;
            }
            pictures::mosaic(&tiles, u32::from_le_bytes(*edge))
        }
        _ => Err("Unknown question".to_owned()),
    }
}

/// The hash of a file's sound. That the disk does not give it says nothing about the sound.
fn audio_hash(frame: Frame) -> Result<Vec<u8>, Refusal> {
    let file = frame.descriptors.into_iter().next().ok_or("No file")?;
    match analysis::audio_hash(File::from(file)) {
        Ok(hash) => Ok(hash.to_vec()),
        Err(Unheard::Unread(reason)) => Err(Refusal::Unread(reason)),
        Err(unheard) => Err(Refusal::Final(sentence(unheard))),
    }
}

fn sentence(unheard: Unheard) -> String {
    match unheard {
        Unheard::NoDecoder => "Its container is not known here".to_owned(),
        Unheard::Failed(reason) | Unheard::Unread(reason) => reason,
    }
}

/// Runs a parser so that a panic is a refusal.
fn guarded<T>(parse: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(parse))
        .unwrap_or_else(|_| Err(Refusal::Pass("The reader failed over this file".to_owned())))
}

/// Appends one answer or refusal to `out` as a whole message.
fn put<T>(
    out: &mut Vec<u8>,
    answer: Result<T, Refusal>,
    write: impl FnOnce(&mut Vec<u8>, T) -> io::Result<()>,
) -> io::Result<()> {
    let kind = match answer {
        Ok(_) => Kind::Answer,
        Err(Refusal::Final(_)) => Kind::Refusal,
        Err(Refusal::Pass(_)) => Kind::Pass,
        Err(Refusal::Unread(_)) => Kind::Unread,
    };
    let start = frames::begin(out, kind, 0);
    match answer {
        Ok(answer) => write(out, answer)?,
        Err(refusal) => out.extend_from_slice(refusal.into_sentence().as_bytes()),
    }
    frames::end(out, start);
    Ok(())
}
