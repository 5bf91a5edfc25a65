//! What the jukebox does: commands in, wishes to the output out, and what the output says in
//! return. One at a time; nothing waits for the output longer than [`PATIENCE`].

use std::{sync::Arc, time::Duration};

use super::{Command, Entry, Item, Output, Phase, Snapshot, Status, queue::Queue};
use crate::{
    Error, Result,
    accounts::Principal,
    catalog::ListenSource,
    clock::Clock,
    events::{Event, Events},
    ids::TrackId,
    playback::{Counting, Media, PlayState, Playback, Player, Report},
};

/// How long an output may take for a command.
const PATIENCE: Duration = Duration::from_secs(20);
/// How the speakers call themselves in "now playing" and in the history.
const CLIENT: &str = "Jukebox";

/// A playing that the output was told of.
#[derive(Debug, Clone)]
struct Sounding {
    number: u64,
    entry: Entry,
}

#[derive(Debug)]
pub(super) struct State {
    playback: Playback,
    clock: Clock,
    events: Events,
    pub(super) output: Arc<dyn Output>,
    queue: Queue,
    /// What the output last said.
    said: Status,
    is_playing: bool,
    /// It was told to hold still within what it played.
    is_held: bool,
    gain: f32,
    numbers: u64,
    /// What it was told to play, and what after that.
    sounding: Option<Sounding>,
    following: Option<Sounding>,
    /// Failures one after the other.
    failures: usize,
    trouble: Option<String>,
}

impl State {
    /// Silent, over this output.
    pub(super) fn new(
        playback: Playback,
        clock: Clock,
        events: Events,
        output: Arc<dyn Output>,
    ) -> Self {
        Self {
            playback,
            clock,
            events,
            output,
            queue: Queue::default(),
            said: Status::default(),
            is_playing: false,
            is_held: false,
            gain: 1.0,
            numbers: 0,
            sounding: None,
            following: None,
            failures: 0,
            trouble: None,
        }
    }

    /// Carries a command out.
    pub(super) async fn obey(&mut self, who: &Principal, command: Command) -> Result<()> {
        let entries = |tracks: Vec<TrackId>| {
            tracks.into_iter().map(|track| Entry { track, by: who.clone() }).collect()
        };
        match command {
            Command::Look => return Ok(()),
            Command::Start => self.start().await?,
            Command::Stop => {
                self.is_playing = false;
                self.is_held = self.sounding.is_some();
                in_time(self.output.set_paused(true)).await?;
                self.report(PlayState::Paused).await;
            }
            Command::Skip { index, offset } => {
                if self.queue.entries.len() <= index {
                    return Err(Error::Invalid("There is no such place in the queue".to_owned()));
                }
                self.failures = 0;
                self.play(index, offset).await?;
            }
            Command::Add(tracks) => {
                self.queue.add(entries(tracks));
                self.follow().await;
            }
            Command::Set(tracks) => {
                self.queue.set(entries(tracks));
                self.follow().await;
            }
            Command::Clear => {
                self.queue.clear();
                self.fall_silent().await?;
            }
            Command::Remove(index) => match self.queue.remove(index) {
                None => {
                    return Err(Error::Invalid("There is no such place in the queue".to_owned()));
                }
                Some(false) => self.follow().await,
                Some(true) => match (self.is_playing, self.queue.current) {
                    // What was behind it plays on in its place.
                    (true, Some(at)) if at == index => self.play(at, Duration::ZERO).await?,
                    _ => self.fall_silent().await?,
                },
            },
            Command::Shuffle => {
                self.queue.shuffle(|below| rand::random_range(0..below.max(1)));
                self.follow().await;
            }
            Command::SetGain(gain) => {
                self.gain = gain.clamp(0.0, 1.0);
                in_time(self.output.set_gain(self.gain)).await?;
            }
        }
        self.events.publish(Event::JukeboxChanged);
        Ok(())
    }

    async fn start(&mut self) -> Result<()> {
        self.failures = 0;
        self.trouble = None;
        if self.is_playing {
            return Ok(());
        }
        if self.is_held && self.sounding.is_some() {
            self.is_held = false;
            self.is_playing = true;
            in_time(self.output.set_paused(false)).await?;
            self.follow().await;
            self.report(PlayState::Playing).await;
            return Ok(());
        }
        match self.queue.current.or_else(|| self.queue.next()) {
            Some(index) => self.play(index, Duration::ZERO).await,
            None => Ok(()),
        }
    }

    /// Tells the output to play this one now.
    async fn play(&mut self, index: usize, offset: Duration) -> Result<()> {
        self.report(PlayState::Stopped).await;
        self.queue.current = Some(index);
        self.is_playing = true;
        self.is_held = false;
        self.trouble = None;
        self.following = None;
        let sounding = self.number(index);
        let item = item(&sounding, offset);
        self.sounding = Some(sounding);
        let told = in_time(self.output.set_gain(self.gain)).await;
        let told = match told {
            Ok(()) => in_time(self.output.play(item)).await,
            failed => failed,
        };
        if let Err(error) = told {
            self.is_playing = false;
            self.trouble = Some(error.to_string());
            return Err(error);
        }
        self.report(PlayState::Starting).await;
        self.follow().await;
        Ok(())
    }

    /// Tells the output what comes next; that it may not care is for [`State::hear`].
    async fn follow(&mut self) {
        let next = self.queue.next().filter(|_| self.sounding.is_some());
        let track = next.map(|index| self.queue.entries[index].track);
        if track.is_some() && track == self.following.as_ref().map(|next| next.entry.track) {
            return;
        }
        self.following = next.map(|index| self.number(index));
        let item = self.following.as_ref().map(|next| item(next, Duration::ZERO));
        if let Err(error) = in_time(self.output.follow_with(item)).await {
            tracing::debug!("the speakers do not take what comes next: {error}");
        }
    }

    async fn fall_silent(&mut self) -> Result<()> {
        self.report(PlayState::Stopped).await;
        self.is_playing = false;
        self.is_held = false;
        self.sounding = None;
        self.following = None;
        in_time(self.output.stop()).await
    }

    /// What the output says of itself.
    pub(super) async fn hear(&mut self, status: Status) {
        let number = status.item;
        self.said = status;
        // The follower sounds: it is the current one now.
        if number.is_some() && number == self.following.as_ref().map(|next| next.number) {
            self.report(PlayState::Stopped).await;
            self.sounding = self.following.take();
            self.queue.current = self.queue.next();
            self.report(PlayState::Starting).await;
            self.follow().await;
        }
        if number.is_none() || number != self.sounding.as_ref().map(|now| now.number) {
            return;
        }
        match self.said.phase.clone() {
            Phase::Playing if self.is_playing => {
                self.failures = 0;
                self.report(PlayState::Playing).await;
            }
            Phase::Ended => self.advance().await,
            Phase::Failed(why) => {
                self.failures += 1;
                self.trouble = Some(why);
                if self.failures < 3 {
                    self.advance().await;
                } else {
                    self.is_playing = false;
                }
            }
            Phase::Gone => {
                self.report(PlayState::Stopped).await;
                self.is_playing = false;
                self.sounding = None;
                self.trouble = Some("The speakers are gone".to_owned());
            }
            Phase::Idle | Phase::Loading | Phase::Playing | Phase::Paused => (),
        }
        self.events.publish(Event::JukeboxChanged);
    }

    /// The current one is over: the next one, or the end.
    async fn advance(&mut self) {
        let trouble = self.trouble.take();
        let played = match self.queue.next().filter(|_| self.is_playing) {
            Some(index) => self.play(index, Duration::ZERO).await,
            None => {
                self.report(PlayState::Stopped).await;
                self.is_playing = false;
                self.sounding = None;
                self.following = None;
                self.said = Status::default();
                Ok(())
            }
        };
        match played {
            Ok(()) => self.trouble = trouble,
            Err(error) => tracing::warn!("the speakers do not go on: {error:?}"),
        }
    }

    /// "Now playing" and the history of whoever put it there.
    pub(super) async fn report(&self, state: PlayState) {
        let Some(Sounding { entry, .. }) = &self.sounding else { return };
        let report = Report {
            media: Media::Track(entry.track),
            state,
            position_ms: self.position(),
            rate: if self.said.rate > 0.0 { self.said.rate } else { 1.0 },
            counting: Counting::Listens,
            source: ListenSource::Jukebox,
        };
        let player = Player { client: CLIENT, device: "" };
        if let Err(error) = self.playback.report(&entry.by, player, &report).await {
            tracing::debug!("what the speakers play cannot be told: {error}");
        }
    }

    fn position(&self) -> u64 {
        let is_about_it = self.said.item.is_some()
            && self.said.item == self.sounding.as_ref().map(|now| now.number);
        if is_about_it { self.said.position(self.clock.now()) } else { 0 }
    }

    fn number(&mut self, index: usize) -> Sounding {
        self.numbers += 1;
        Sounding { number: self.numbers, entry: self.queue.entries[index].clone() }
    }

    /// How it is.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            entries: self.queue.entries.clone(),
            current: self.queue.current,
            is_playing: self.is_playing,
            gain: self.gain,
            position_ms: self.position(),
            output: self.output.name().to_owned(),
            trouble: self.trouble.clone(),
        }
    }
}

/// A command to the output, if it is taken soon enough.
async fn in_time(command: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout(PATIENCE, command)
        .await
        .map_err(|_| Error::Unavailable("The speakers do not answer".to_owned()))?
}

fn item(sounding: &Sounding, offset: Duration) -> Item {
    Item {
        number: sounding.number,
        track: sounding.entry.track,
        principal: sounding.entry.by.clone(),
        offset,
    }
}
