//! What was decided once, given out to be brought back: text that carries everything and cannot
//! be changed, so that nothing has to be remembered. A keyed hash stands in front.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use subtle::ConstantTimeEq as _;

use super::{
    Target,
    decision::{BitrateMode, Recipe},
    gain::Level,
};
use crate::{Error, Result, catalog::TrackFacts, ids::TrackId};

/// Bytes of the hash.
const MAC: usize = 16;

/// Longer texts are not ours.
const LONGEST: usize = 2000;

/// Signs and checks.
pub(super) struct Signer {
    key: [u8; 32],
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

impl Signer {
    /// With this secret, or a random one.
    pub(super) fn new(secret: Option<[u8; 32]>) -> Result<Self> {
        let secret = match secret {
            Some(secret) => secret,
            None => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes)
                    .map_err(|error| Error::internal(anyhow::anyhow!("no randomness: {error}")))?;
                bytes
            }
        };
        Ok(Self { key: blake3::derive_key("tunelocker 2026 playback tickets", &secret) })
    }

    /// A text for URLs. `purpose` keeps kinds of tickets apart.
    pub(super) fn seal<T: Serialize>(&self, purpose: &str, value: &T) -> Result<String> {
        let content = serde_json::to_vec(value)?;
        let mut text = self.mac(purpose, &content).to_vec();
        text.extend_from_slice(&content);
        Ok(URL_SAFE_NO_PAD.encode(text))
    }

    /// What [`Self::seal`] put in; `None` if we did not write it for this purpose.
    pub(super) fn open<T: DeserializeOwned>(&self, purpose: &str, text: &str) -> Option<T> {
        if LONGEST < text.len() {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (mac, content) = bytes.split_first_chunk::<MAC>()?;
        let is_ours = bool::from(mac.ct_eq(&self.mac(purpose, content)));
        is_ours.then(|| serde_json::from_slice(content).ok()).flatten()
    }

    fn mac(&self, purpose: &str, content: &[u8]) -> [u8; MAC] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(purpose.as_bytes());
        hasher.update(&[0]);
        hasher.update(content);
        let mut mac = [0; MAC];
        mac.copy_from_slice(&hasher.finalize().as_bytes()[..MAC]);
        mac
    }
}

/// A recipe as tickets carry it: target, kbit/s, variable, rate, channels, depth, level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written(
    String,
    Option<u32>,
    bool,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<(i32, bool)>,
);

impl From<&Recipe> for Written {
    fn from(recipe: &Recipe) -> Self {
        Self(
            recipe.target.suffix().to_owned(),
            recipe.bitrate_kbps,
            recipe.mode == BitrateMode::Variable,
            recipe.sample_rate,
            recipe.channels,
            recipe.bit_depth,
            recipe.level.map(|level| (level.milli_db, level.is_limited)),
        )
    }
}

impl Written {
    /// `None` for a target that a later version knew.
    pub(super) fn recipe(&self) -> Option<Recipe> {
        let Self(target, bitrate_kbps, is_variable, sample_rate, channels, bit_depth, level) = self;
        Some(Recipe {
            target: Target::parse(target)?,
            bitrate_kbps: *bitrate_kbps,
            mode: if *is_variable { BitrateMode::Variable } else { BitrateMode::Constant },
            is_rigid: false,
            sample_rate: *sample_rate,
            channels: *channels,
            bit_depth: *bit_depth,
            level: level.map(|(milli_db, is_limited)| Level { milli_db, is_limited }),
        })
    }
}

/// Which bytes of a track a decision was about: the track, file time, length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version(TrackId, i64, u64);

impl Version {
    pub(super) fn of(file: &TrackFacts) -> Self {
        Self(file.id, file.modified_ns, file.size_bytes)
    }

    pub(super) fn track(self) -> TrackId {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_wrote_is_read() {
        type Pair = (Version, Written);
        let signer = Signer::new(Some([7; 32])).unwrap();
        let file = TrackFacts { id: TrackId(5), bit_depth: 16, ..TrackFacts::default() };
        let level = Some(Level { milli_db: -1500, is_limited: true });
        let recipe = Recipe { level, channels: Some(1), ..Recipe::lossy(&file, Target::Opus, 96) };
        let value = (Version::of(&file), Written::from(&recipe));
        let text = signer.seal("a", &value).unwrap();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        let read: Pair = signer.open("a", &text).unwrap();
        assert_eq!((read.0.track(), read.1.recipe()), (TrackId(5), Some(recipe)));

        assert!(signer.open::<Pair>("b", &text).is_none(), "another purpose");
        let other = Signer::new(Some([8; 32])).unwrap();
        assert!(other.open::<Pair>("a", &text).is_none(), "another key");
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(signer.open::<Pair>("a", &changed).is_none() || changed == text, "{at}");
        }
        for nonsense in ["", "AAAA", "not base64!", &"A".repeat(3000)] {
            assert!(signer.open::<Pair>("a", nonsense).is_none());
        }
        let random = [Signer::new(None).unwrap(), Signer::new(None).unwrap()];
        assert_ne!(random[0].mac("a", b"x"), random[1].mac("a", b"x"));
    }
}
