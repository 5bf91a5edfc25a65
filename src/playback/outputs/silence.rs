//! A sink that takes sound as a device would and lets none out: for tests and for trying out.

use std::{io, time::Duration};

use super::pcm::{Format, Sink};
use crate::clock::{Clock, Millis};

/// How much a device holds.
const BUFFER: Duration = Duration::from_millis(200);

/// Keeps the time that sound would take, or a part of it.
#[derive(Debug)]
pub(super) struct Silence {
    clock: Clock,
    speed: f64,
    open: Option<(Format, Millis, u64)>,
}

impl Silence {
    /// `speed` times as fast as sound.
    pub(super) fn new(clock: Clock, speed: u32) -> Self {
        Self { clock, speed: f64::from(speed.max(1)), open: None }
    }

    /// Waits until no more than `left` has not sounded.
    async fn wait(&self, left: Duration) {
        let Some((format, began_at, written)) = self.open else { return };
        let due = format.time(written).saturating_sub(left).as_secs_f64() / self.speed;
        let elapsed = (self.clock.now() - began_at).max(0) as f64 / 1000.0;
        if elapsed < due {
            tokio::time::sleep(Duration::from_secs_f64(due - elapsed)).await;
        }
    }
}

impl Sink for Silence {
    async fn open(&mut self, format: Format) -> io::Result<()> {
        self.open = Some((format, self.clock.now(), 0));
        Ok(())
    }

    async fn write(&mut self, pcm: &[u8]) -> io::Result<()> {
        if let Some((_, _, written)) = &mut self.open {
            *written += pcm.len() as u64;
        }
        self.wait(BUFFER).await;
        Ok(())
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.wait(Duration::ZERO).await;
        self.open = None;
        Ok(())
    }

    async fn abort(&mut self) {
        self.open = None;
    }

    fn speed(&self) -> f64 {
        self.speed
    }
}
