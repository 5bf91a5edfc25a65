//! An output made of PCM: tracks are decoded by the worker and go, one after the other without a
//! gap, into a sink that takes them at the speed of sound. Positions are reckoned from the time
//! that the sink has had, since what lies in its buffers has not sounded yet.

use std::{fmt, io, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture, stream};
use tokio::sync::{mpsc, watch};

use super::{Item, Output, Phase, Status};
use crate::{
    Error, Result,
    accounts::{Caps, Principal},
    body::FileBody,
    clock::{Clock, Millis},
    playback::{Opened, Playback, Target, Wish},
};

/// What a piece of sound lasts at most: how late a command is heard.
const PIECE: Duration = Duration::from_millis(50);

/// How PCM lies: 16 bit, little-endian, channels in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// Hz.
    pub(super) rate: u32,
    /// 1 or 2.
    pub(super) channels: u32,
}

impl Format {
    fn frame(self) -> usize {
        2 * self.channels as usize
    }

    /// Bytes of a while, in whole frames.
    fn bytes(self, time: Duration) -> usize {
        (time.as_secs_f64() * f64::from(self.rate)) as usize * self.frame()
    }

    /// How long so many bytes sound.
    pub(super) fn time(self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.frame() as f64 / f64::from(self.rate))
    }
}

/// Where PCM goes.
pub(super) trait Sink: fmt::Debug + Send + 'static {
    /// Begins anew in this format.
    fn open(&mut self, format: Format) -> impl Future<Output = io::Result<()>> + Send;
    /// Takes whole frames; waits while its buffers are full.
    fn write(&mut self, pcm: &[u8]) -> impl Future<Output = io::Result<()>> + Send;
    /// Waits until everything has sounded, and ends.
    fn finish(&mut self) -> impl Future<Output = io::Result<()>> + Send;
    /// Falls silent at once, whatever it still holds.
    fn abort(&mut self) -> impl Future<Output = ()> + Send;
    /// How much faster than sound it is.
    fn speed(&self) -> f64;
}

#[derive(Debug)]
enum Wanted {
    Play(Item),
    Follow(Option<Item>),
    Pause(bool),
    Stop,
    Gain(f32),
}

/// The output. Its task ends with it.
#[derive(Debug)]
pub(super) struct Pcm {
    name: String,
    wanted: mpsc::Sender<Wanted>,
    status: watch::Receiver<Status>,
}

impl Pcm {
    /// Starts the task that feeds `sink`.
    pub(super) fn start<S: Sink>(name: &str, playback: Playback, clock: Clock, sink: S) -> Self {
        let (wanted, wishes) = mpsc::channel(64);
        let (tell, status) = watch::channel(Status::default());
        let feeder = Feeder {
            playback,
            clock,
            sink,
            tell,
            gain: 1.0,
            current: None,
            next: None,
            paused: None,
            open: None,
        };
        tokio::spawn(feeder.run(wishes));
        Self { name: name.to_owned(), wanted, status }
    }

    fn send(&self, wanted: Wanted) -> BoxFuture<'_, Result<()>> {
        let sent = self.wanted.send(wanted);
        async { sent.await.map_err(|_| Error::Unavailable("The speakers are gone".to_owned())) }
            .boxed()
    }
}

impl Output for Pcm {
    fn name(&self) -> &str {
        &self.name
    }

    fn play(&self, item: Item) -> BoxFuture<'_, Result<()>> {
        self.send(Wanted::Play(item))
    }

    fn follow_with(&self, item: Option<Item>) -> BoxFuture<'_, Result<()>> {
        self.send(Wanted::Follow(item))
    }

    fn set_paused(&self, paused: bool) -> BoxFuture<'_, Result<()>> {
        self.send(Wanted::Pause(paused))
    }

    fn stop(&self) -> BoxFuture<'_, Result<()>> {
        self.send(Wanted::Stop)
    }

    fn set_gain(&self, gain: f32) -> BoxFuture<'_, Result<()>> {
        self.send(Wanted::Gain(gain.clamp(0.0, 1.0)))
    }

    fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }
}

type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// A track that goes into the sink.
struct Current {
    item: Item,
    format: Format,
    pieces: Pieces,
    /// What came and did not fit into a piece.
    rest: Vec<u8>,
    /// Bytes that the sink took.
    written: u64,
    /// When its first sample sounds, on the sink's clock.
    began_at: Millis,
}

struct Feeder<S> {
    playback: Playback,
    clock: Clock,
    sink: S,
    tell: watch::Sender<Status>,
    gain: f32,
    current: Option<Current>,
    next: Option<Item>,
    /// What was held, and where: pausing ends the sink, so that it is silent at once.
    paused: Option<Item>,
    open: Option<Format>,
}

impl<S: Sink> Feeder<S> {
    async fn run(mut self, mut wishes: mpsc::Receiver<Wanted>) {
        loop {
            let wanted = if self.current.is_some() {
                match wishes.try_recv() {
                    Ok(wanted) => Some(wanted),
                    Err(mpsc::error::TryRecvError::Disconnected) => break,
                    Err(mpsc::error::TryRecvError::Empty) => {
                        self.feed().await;
                        continue;
                    }
                }
            } else {
                wishes.recv().await
            };
            match wanted {
                Some(wanted) => self.obey(wanted).await,
                None => break,
            }
        }
        self.sink.abort().await;
    }

    async fn obey(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Gain(gain) => self.gain = gain,
            Wanted::Follow(item) => self.next = item,
            Wanted::Stop => {
                self.silence().await;
                self.next = None;
                self.say(None, Phase::Idle, 0);
            }
            Wanted::Play(item) => {
                self.silence().await;
                self.next = None;
                self.begin(item).await;
            }
            Wanted::Pause(true) => {
                let Some(current) = &self.current else { return };
                let position = self.position(current);
                let mut item = current.item.clone();
                item.offset = Duration::from_millis(position);
                self.silence().await;
                self.say(Some(item.number), Phase::Paused, position);
                self.paused = Some(item);
            }
            Wanted::Pause(false) => {
                if let Some(item) = self.paused.take() {
                    self.begin(item).await;
                }
            }
        }
    }

    /// Nothing sounds any more.
    async fn silence(&mut self) {
        self.current = None;
        self.paused = None;
        if self.open.take().is_some() {
            self.sink.abort().await;
        }
    }

    async fn begin(&mut self, item: Item) {
        let number = item.number;
        self.say(Some(number), Phase::Loading, millis(item.offset));
        if let Err(error) = self.load(item, self.clock.now()).await {
            self.fail(number, &error).await;
        }
    }

    /// Opens an item and, where the format changes, the sink.
    async fn load(&mut self, item: Item, began_at: Millis) -> Result<()> {
        let wish = Wish { offset: item.offset, ..Wish::to(Target::L16) };
        // What does not leave the machine is not held to the ceilings of streams.
        let principal = Principal { caps: Caps::default(), ..item.principal.clone() };
        let opened = self.playback.open(&principal, item.track, &wish, "Jukebox").await?;
        let (kind, pieces) = match opened {
            Opened::Live(body) => (body.content_type, body.stream),
            Opened::File(body) => (body.content_type.clone(), read(body)),
        };
        let format = format_of(&kind)
            .ok_or_else(|| Error::Unavailable(format!("The speakers cannot play {kind}")))?;
        let mut began_at = began_at;
        if self.open != Some(format) {
            if self.open.take().is_some() {
                self.sink.finish().await?;
            }
            self.sink.open(format).await.map_err(|error| {
                Error::Unavailable(format!("The speakers cannot be opened: {error}"))
            })?;
            self.open = Some(format);
            began_at = self.clock.now();
        }
        let offset = millis(item.offset);
        self.say(Some(item.number), Phase::Playing, offset);
        self.current =
            Some(Current { item, format, pieces, rest: Vec::new(), written: 0, began_at });
        Ok(())
    }

    /// One piece more, or what comes after the last.
    async fn feed(&mut self) {
        let Some(current) = &mut self.current else { return };
        let size = current.format.bytes(PIECE).max(current.format.frame());
        while current.rest.len() < size {
            match current.pieces.next().await {
                Some(Ok(piece)) => current.rest.extend_from_slice(&piece),
                Some(Err(error)) => {
                    let number = current.item.number;
                    return self.fail(number, &Error::Unavailable(error.to_string())).await;
                }
                None => break,
            }
        }
        let whole = current.rest.len() / current.format.frame() * current.format.frame();
        let size = size.min(whole);
        if size == 0 {
            return self.end().await;
        }
        let mut piece: Vec<u8> = current.rest.drain(..size).collect();
        amplify(&mut piece, self.gain);
        if let Err(error) = self.sink.write(&piece).await {
            let number = current.item.number;
            return self.fail(number, &Error::Unavailable(error.to_string())).await;
        }
        current.written += piece.len() as u64;
    }

    /// The track is in the sink to its last sample.
    async fn end(&mut self) {
        let Some(done) = self.current.take() else { return };
        let length = done.format.time(done.written).as_secs_f64() / self.sink.speed();
        let ends_at = done.began_at + (length * 1000.0) as Millis;
        if let Some(item) = self.next.take() {
            let number = item.number;
            if let Err(error) = self.load(item, ends_at).await {
                self.fail(number, &error).await;
            }
            return;
        }
        self.open = None;
        let finished = self.sink.finish().await;
        match finished {
            Ok(()) => {
                let position = millis(done.item.offset) + millis(done.format.time(done.written));
                self.say(Some(done.item.number), Phase::Ended, position);
            }
            Err(error) => {
                self.fail(done.item.number, &Error::Unavailable(error.to_string())).await;
            }
        }
    }

    async fn fail(&mut self, number: u64, error: &Error) {
        tracing::warn!("the speakers failed: {error:?}");
        self.silence().await;
        self.next = None;
        self.say(Some(number), Phase::Failed(error.to_string()), 0);
    }

    /// Where in the item the sink is.
    fn position(&self, current: &Current) -> u64 {
        let elapsed = (self.clock.now() - current.began_at).max(0) as f64 * self.sink.speed();
        let written = millis(current.format.time(current.written));
        millis(current.item.offset) + (elapsed as u64).min(written)
    }

    fn say(&self, item: Option<u64>, phase: Phase, position_ms: u64) {
        let at = self.clock.now();
        let rate = self.sink.speed();
        self.tell.send_replace(Status { item, phase, position_ms, at, rate });
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `audio/L16;rate=44100;channels=2`.
fn format_of(content_type: &str) -> Option<Format> {
    let mut parts = content_type.split(';').map(str::trim);
    if parts.next()? != "audio/L16" {
        return None;
    }
    let mut format = Format { rate: 0, channels: 0 };
    for part in parts {
        match part.split_once('=')? {
            ("rate", rate) => format.rate = rate.parse().ok()?,
            ("channels", channels) => format.channels = channels.parse().ok()?,
            _ => (),
        }
    }
    (0 < format.rate && (1..=8).contains(&format.channels)).then_some(format)
}

/// From the network's byte order to the machine's, as loud as wanted.
fn amplify(pcm: &mut [u8], gain: f32) {
    for sample in pcm.chunks_exact_mut(2) {
        let value = f32::from(i16::from_be_bytes([sample[0], sample[1]])) * gain;
        sample.copy_from_slice(&(value as i16).to_le_bytes());
    }
}

/// The bytes of a file, piece by piece.
fn read(body: FileBody) -> Pieces {
    const AT_ONCE: usize = 64 << 10;
    let file = tokio::fs::File::from_std(body.file);
    Box::pin(stream::try_unfold((file, body.hold), |(mut file, hold)| async move {
        let mut piece = vec![0; AT_ONCE];
        let length = tokio::io::AsyncReadExt::read(&mut file, &mut piece).await?;
        piece.truncate(length);
        Ok((0 < length).then_some((Bytes::from(piece), (file, hold))))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read() {
        let cd = Format { rate: 44_100, channels: 2 };
        assert_eq!(format_of("audio/L16;rate=44100;channels=2"), Some(cd));
        for wrong in ["audio/L16", "audio/L16;rate=0;channels=2", "audio/flac", "audio/L16;rate=x"]
        {
            assert_eq!(format_of(wrong), None, "{wrong}");
        }
        assert_eq!(cd.bytes(Duration::from_secs(1)), 176_400);
        assert_eq!(cd.time(88_200), Duration::from_millis(500));
    }

    #[test]
    fn gain_keeps_the_sign_and_the_order() {
        let mut pcm = [0x40, 0x00, 0xc0, 0x00];
        amplify(&mut pcm, 0.5);
        assert_eq!(pcm, [0x00, 0x20, 0x00, 0xe0]);
        let mut loudest = [0x80, 0x00];
        amplify(&mut loudest, 1.0);
        assert_eq!(loudest, [0x00, 0x80]);
    }
}
