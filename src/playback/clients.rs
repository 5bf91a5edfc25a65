//! What is known of apps: which codecs they play, what they are given instead, and how much of
//! it. Administrators edit it; it is found by the name that an app gives itself.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use super::{Gain, Playback, Target, decision::BitrateMode};
use crate::{Error, Result, accounts::Principal, catalog::TrackFacts};

/// The profile of whoever no other profile fits.
const EVERYBODY: &str = "*";

/// Profiles in all.
const MOST: usize = 500;

/// What is known of an app. The default plays everything and has no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientProfile {
    /// How its name begins, whatever the case; `*` is everybody else.
    pub client: String,
    /// For people.
    pub note: String,
    /// `codec` or `container/codec`, by the catalogue's names; empty = everything.
    pub plays: Vec<String>,
    /// Hz.
    pub max_sample_rate: Option<u32>,
    /// Channels.
    pub max_channels: Option<u32>,
    /// Bits a sample.
    pub max_bit_depth: Option<u32>,
    /// What it is given where the original will not do.
    pub target: Target,
    /// How MP3 is made for it.
    pub mode: BitrateMode,
    /// Most kbit/s in the house.
    pub lan_kbps: Option<u32>,
    /// Most kbit/s outside.
    pub outside_kbps: Option<u32>,
    /// Loudness correction of its transcodes; `None` leaves it to the user.
    pub gain: Option<Gain>,
}

impl Default for ClientProfile {
    fn default() -> Self {
        Self {
            client: EVERYBODY.to_owned(),
            note: String::new(),
            plays: Vec::new(),
            max_sample_rate: None,
            max_channels: None,
            max_bit_depth: None,
            target: Target::Mp3,
            mode: BitrateMode::Constant,
            lan_kbps: None,
            outside_kbps: None,
            gain: None,
        }
    }
}

impl ClientProfile {
    /// Whether it plays this codec in this container.
    pub(super) fn plays(&self, container: &str, codec: &str) -> bool {
        self.plays.is_empty()
            || self.plays.iter().any(|known| match known.split_once('/') {
                Some(pair) => pair == (container, codec),
                None => known == codec,
            })
    }

    /// Whether no file is too much for it, wherever it is.
    pub(super) fn plays_everything(&self) -> bool {
        let limits = [
            self.max_sample_rate,
            self.max_channels,
            self.max_bit_depth,
            self.lan_kbps,
            self.outside_kbps,
        ];
        self.plays.is_empty() && limits.iter().all(Option::is_none)
    }

    /// Whether a file has more of something than it plays.
    pub(super) fn is_over(&self, file: &TrackFacts) -> bool {
        let over = |most: Option<u32>, is: u32| most.is_some_and(|most| most < is);
        over(self.max_sample_rate, file.sample_rate)
            || over(self.max_channels, file.channels)
            || over(self.max_bit_depth, file.bit_depth)
    }

    /// What to call it in a sentence.
    pub(super) fn name(&self) -> &str {
        if self.client == EVERYBODY { "The client" } else { &self.client }
    }

    fn fits(&self, client: &str) -> bool {
        let begins = client.get(..self.client.len());
        self.client == EVERYBODY
            || begins.is_some_and(|begins| begins.eq_ignore_ascii_case(&self.client))
    }

    fn check(&self) -> Result<()> {
        let is_word = |word: &String| {
            let mut parts = word.split('/');
            let plain = |part: &str| {
                (1..=20).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            (1..=2).contains(&word.split('/').count()) && parts.all(plain)
        };
        let wrong = if self.client.is_empty() || 100 < self.client.chars().count() {
            "A client's name has 1 to 100 characters"
        } else if 100 < self.plays.len() || !self.plays.iter().all(is_word) {
            "What a client plays is a list of codec or container/codec"
        } else if self.max_sample_rate.is_some_and(|rate| rate < 8_000) {
            "No client plays less than 8000 Hz"
        } else if self.max_channels == Some(0) {
            "A client plays one channel at least"
        } else if self.max_bit_depth.is_some_and(|bits| bits < 16) {
            "A client plays 16 bit at least"
        } else if [self.lan_kbps, self.outside_kbps].iter().flatten().any(|kbps| *kbps < 8) {
            "A limit is 8 kbit/s at least"
        } else {
            return Ok(());
        };
        Err(Error::Invalid(wrong.to_owned()))
    }
}

/// The profile whose name is the longest beginning of the client's.
fn find<'a>(profiles: &'a [Arc<ClientProfile>], client: &str) -> Option<&'a Arc<ClientProfile>> {
    let fitting = profiles.iter().filter(|profile| profile.fits(client));
    fitting.max_by_key(|profile| match profile.client.as_str() {
        EVERYBODY => 0,
        name => name.len(),
    })
}

/// Profiles in memory, read when they are first needed.
#[derive(Debug, Default)]
pub(super) struct Known {
    list: RwLock<Option<Arc<[Arc<ClientProfile>]>>>,
    /// Grows with each change: what was read before one is not remembered after it.
    changes: AtomicU64,
}

impl Known {
    fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Playback {
    /// Every profile, by name. Admin only.
    pub async fn client_profiles(&self, admin: &Principal) -> Result<Arc<[Arc<ClientProfile>]>> {
        admin.require_admin()?;
        self.profiles().await
    }

    /// Makes or replaces the profile of this client. Admin only.
    pub async fn set_client_profile(
        &self,
        admin: &Principal,
        profile: &ClientProfile,
    ) -> Result<()> {
        admin.require_admin()?;
        profile.check()?;
        let plays = serde_json::to_string(&profile.plays)?;
        let (target, gain) = (profile.target.suffix(), profile.gain.map(Gain::as_str));
        let mode = match profile.mode {
            BitrateMode::Constant => "constant",
            BitrateMode::Variable => "variable",
        };
        let note: String = profile.note.chars().take(200).collect();
        let now = self.inner.clock.now();
        let mut tx = self.inner.db.write().await?;
        sqlx::query!(
            "insert into client_profile (client, note, plays, max_sample_rate, max_channels, max_bit_depth,
                                         target, mode, lan_kbps, outside_kbps, gain, changed_at)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             on conflict (client) do update set
                client = excluded.client, note = excluded.note, plays = excluded.plays,
                max_sample_rate = excluded.max_sample_rate, max_channels = excluded.max_channels,
                max_bit_depth = excluded.max_bit_depth, target = excluded.target, mode = excluded.mode,
                lan_kbps = excluded.lan_kbps, outside_kbps = excluded.outside_kbps, gain = excluded.gain,
                changed_at = excluded.changed_at",
            profile.client,
            note,
            plays,
            profile.max_sample_rate,
            profile.max_channels,
            profile.max_bit_depth,
            target,
            mode,
            profile.lan_kbps,
            profile.outside_kbps,
            gain,
            now
        )
        .execute(&mut *tx)
        .await?;
        let count =
            sqlx::query_scalar!("select count(*) from client_profile").fetch_one(&mut *tx).await?;
        if MOST < usize::try_from(count).unwrap_or(0) {
            return Err(Error::Conflict(format!("There are {MOST} profiles already")));
        }
        tx.commit().await?;
        self.inner.profiles.forget();
        Ok(())
    }

    /// Removes a profile; its clients are then treated like everybody else. Admin only.
    pub async fn remove_client_profile(&self, admin: &Principal, client: &str) -> Result<()> {
        admin.require_admin()?;
        if client == EVERYBODY {
            return Err(Error::Conflict("The profile of everybody else cannot go".to_owned()));
        }
        let mut tx = self.inner.db.write().await?;
        let gone = sqlx::query!("delete from client_profile where client = ?", client)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        self.inner.profiles.forget();
        if gone == 0 { Err(Error::NotFound("Profile")) } else { Ok(()) }
    }

    /// The user's own choice of loudness correction in transcodes.
    pub async fn gain_of(&self, principal: &Principal) -> Result<Gain> {
        let gain = sqlx::query_scalar!(
            "select gain from listening_preference where user_id = ?",
            principal.user
        )
        .fetch_optional(self.inner.db.read())
        .await?;
        Ok(gain.as_deref().and_then(Gain::parse).unwrap_or_default())
    }

    /// Sets it.
    pub async fn set_gain(&self, principal: &Principal, gain: Gain) -> Result<()> {
        if !principal.is_person() {
            return Err(Error::Forbidden("Only people have settings".to_owned()));
        }
        let gain = gain.as_str();
        let mut tx = self.inner.db.write().await?;
        sqlx::query!(
            "insert into listening_preference (user_id, gain) values (?, ?)
             on conflict (user_id) do update set gain = excluded.gain",
            principal.user,
            gain
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The profile of a client.
    pub(super) async fn profile_of(&self, client: &str) -> Result<Arc<ClientProfile>> {
        Ok(find(&self.profiles().await?, client).cloned().unwrap_or_default())
    }

    async fn profiles(&self) -> Result<Arc<[Arc<ClientProfile>]>> {
        let known = &self.inner.profiles;
        if let Some(list) = &*known.list.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(list.clone());
        }
        let changes = known.changes.load(Ordering::Acquire);
        let rows = sqlx::query!(
            "select client, note, plays, max_sample_rate, max_channels, max_bit_depth, target, mode,
                    lan_kbps, outside_kbps, gain
             from client_profile order by client"
        )
        .fetch_all(self.inner.db.read())
        .await?;
        let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        let mut read = Vec::with_capacity(rows.len());
        for row in rows {
            read.push(Arc::new(ClientProfile {
                client: row.client,
                note: row.note,
                plays: serde_json::from_str(&row.plays)?,
                max_sample_rate: number(row.max_sample_rate),
                max_channels: number(row.max_channels),
                max_bit_depth: number(row.max_bit_depth),
                target: Target::parse(&row.target).unwrap_or(Target::Mp3),
                mode: match row.mode.as_str() {
                    "variable" => BitrateMode::Variable,
                    _ => BitrateMode::Constant,
                },
                lan_kbps: number(row.lan_kbps),
                outside_kbps: number(row.outside_kbps),
                gain: row.gain.as_deref().and_then(Gain::parse),
            }));
        }
        let read: Arc<[Arc<ClientProfile>]> = read.into();
        let mut list = known.list.write().unwrap_or_else(PoisonError::into_inner);
        if known.changes.load(Ordering::Acquire) == changes {
            *list = Some(read.clone());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(client: &str) -> ClientProfile {
        ClientProfile { client: client.to_owned(), ..ClientProfile::default() }
    }

    #[test]
    fn the_longest_beginning_wins() {
        let profiles = ["*", "sub", "substreamer", "Tempo"].map(named).map(Arc::new);
        for (client, expected) in [
            ("substreamer8", "substreamer"),
            ("SUBSTREAMER", "substreamer"),
            ("Subtracks", "sub"),
            ("tempo 4", "Tempo"),
            ("Té", "*"),
            ("", "*"),
        ] {
            assert_eq!(find(&profiles, client).unwrap().client, expected, "{client}");
        }
        assert!(find(&profiles[1..], "x").is_none());
    }

    #[test]
    fn a_codec_counts_alone_or_in_its_container() {
        let plays = ["mp3", "mp4/aac"].map(str::to_owned).to_vec();
        let profile = ClientProfile { plays, ..named("x") };
        assert!(profile.plays("mp3", "mp3") && profile.plays("mp4", "aac"));
        assert!(!profile.plays("adts", "aac") && !profile.plays("mp4", "alac"));
        assert!(named("x").plays("dsf", "dsd"));
    }

    #[test]
    fn nonsense_is_refused() {
        let good = named("x");
        good.check().unwrap();
        for bad in [
            named(""),
            ClientProfile { plays: vec!["a/b/c".to_owned()], ..good.clone() },
            ClientProfile { plays: vec!["MP3".to_owned()], ..good.clone() },
            ClientProfile { plays: vec![String::new()], ..good.clone() },
            ClientProfile { max_channels: Some(0), ..good.clone() },
            ClientProfile { outside_kbps: Some(1), ..good },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
