//! How many bytes a second go out, all files together.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub u64);

/// Reads `500k`, `2M`, `1.5M` or plain bytes; k and M are powers of ten.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let wrong = || "a rate is bytes a second, as 500k or 2M".to_owned();
    let text = text.trim();
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text[..at], 1e6),
        Some((at, 'g' | 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let rate = number * factor;
    if rate.is_finite() && (1.0..1e15).contains(&rate) {
        Ok(Rate(rate as u64))
    } else {
        Err(wrong())
    }
}

/// Lets bytes through at a rate. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    rate: Option<Rate>,
    next: Arc<Mutex<Option<Instant>>>,
}

impl Gate {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { rate, next: Arc::default() }
    }

    /// Waits for the turn of so many bytes.
    pub(super) async fn pass(&self, bytes: usize) {
        if let Some(turn) = self.turn(bytes, Instant::now()) {
            tokio::time::sleep_until(turn).await;
        }
    }

    /// When so many bytes may go that come now: when those before them are through.
    fn turn(&self, bytes: usize, now: Instant) -> Option<Instant> {
        let Rate(rate) = self.rate?;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + Duration::from_secs_f64(bytes as f64 / rate as f64));
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        assert_eq!(parse_rate("2M").unwrap(), Rate(2_000_000));
        assert_eq!(parse_rate("1.5k").unwrap(), Rate(1500));
        assert_eq!(parse_rate("77").unwrap(), Rate(77));
        for wrong in ["", "M", "0", "-1", "2X", "nan", "1e300G"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn all_together_keep_to_the_rate() {
        let gate = Gate::new(Some(Rate(1000)));
        let now = Instant::now();
        let turns: Vec<_> = (0..3).filter_map(|_| gate.clone().turn(500, now)).collect();
        let after: Vec<_> = turns.iter().map(|turn| (*turn - now).as_millis()).collect();
        assert_eq!(after, [0, 500, 1000]);
        // Who was quiet has nothing saved up.
        let later = now + Duration::from_secs(60);
        assert_eq!(gate.turn(500, later), Some(later));
        assert_eq!(Gate::new(None).turn(500, now), None);
    }
}
