//! What is known to go wrong with which client, and what is sent to it instead. A client is told
//! by its headers; a request that says nothing is judged by what came from its address before.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::protocol_info::Spelling;
use crate::accounts::DeviceOptions;

/// What a client needs otherwise than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a table of quirks, each by itself")]
pub(crate) struct Profile {
    /// Its name, for the log.
    pub(crate) name: &'static str,
    /// Types as it knows them.
    pub(crate) spelling: Spelling,
    /// It takes the first `res`, so MP3 comes first.
    pub(crate) is_mp3_first: bool,
    /// It refuses what says that it was converted.
    pub(crate) is_ci_zero: bool,
    /// Text beyond ASCII breaks it.
    pub(crate) is_ascii_only: bool,
    /// It can't read folders that are plain containers.
    pub(crate) is_storage_folder: bool,
    /// Containers that change by themselves make it browse without end.
    pub(crate) hides_dynamic: bool,
    /// It asks for X_GetFeatureList and sends Interactive for audio.
    pub(crate) is_samsung: bool,
    /// It lists only what looks like Windows Media Player.
    pub(crate) is_windows: bool,
    /// It looks for the cover among the `res` of a track; others take it for a form of the track.
    pub(crate) wants_image_res: bool,
    /// It has one SortCriteria for everything, which its users did not choose.
    pub(crate) ignores_sort: bool,
    /// It refuses more than this, Hz: what is beyond is offered converted first.
    pub(crate) most_sample_rate: Option<u32>,
    /// It sorts what it lists by title: titles of tracks begin with their place.
    pub(crate) numbers_titles: bool,
    /// It takes what is converted only without a length, to the end of the connection.
    pub(crate) hides_length: bool,
}

impl Profile {
    /// The same with what an administrator told of the device.
    pub(crate) fn with(self, options: DeviceOptions) -> Self {
        Self {
            numbers_titles: self.numbers_titles || options.numbers_titles,
            hides_length: self.hides_length || options.hides_length,
            ..self
        }
    }
}

/// Nothing special.
pub(crate) const GENERIC: Profile = Profile {
    name: "generic",
    spelling: Spelling::USUAL,
    is_mp3_first: false,
    is_ci_zero: false,
    is_ascii_only: false,
    is_storage_folder: false,
    hides_dynamic: false,
    is_samsung: false,
    is_windows: false,
    wants_image_res: false,
    ignores_sort: false,
    most_sample_rate: None,
    numbers_titles: false,
    hides_length: false,
};

const SAMSUNG: Profile = Profile {
    name: "Samsung",
    is_samsung: true,
    hides_dynamic: true,
    wants_image_res: true,
    ..GENERIC
};

const X_FLAC: Spelling = Spelling { flac: "audio/x-flac", ..Spelling::USUAL };

/// In order of trust: a word in the headers, and what it means.
const KNOWN: &[(&str, Profile)] = &[
    ("SEC_HHP", SAMSUNG),
    ("samsung-agent", SAMSUNG),
    (
        "LGE_DLNA_SDK",
        Profile {
            name: "LG",
            is_mp3_first: true,
            spelling: Spelling { ogg: "application/ogg", ..Spelling::USUAL },
            ..GENERIC
        },
    ),
    ("Xbox", Profile { name: "Xbox", is_storage_folder: true, is_windows: true, ..GENERIC }),
    ("Freebox", Profile { name: "Freebox", is_ci_zero: true, ..GENERIC }),
    ("KnOS/3.2", Profile { name: "Yamaha", is_ascii_only: true, ..GENERIC }),
    (
        "PLAYSTATION",
        Profile { name: "PlayStation", is_mp3_first: true, spelling: X_FLAC, ..GENERIC },
    ),
    ("Kodi", Profile { name: "Kodi", wants_image_res: true, ..GENERIC }),
    ("Panasonic MIL DLNA", Profile { name: "Panasonic", ignores_sort: true, ..GENERIC }),
    ("Sonos", Profile { name: "Sonos", most_sample_rate: Some(48_000), ..GENERIC }),
    ("Denon", Profile { name: "Denon", spelling: X_FLAC, ..GENERIC }),
    ("Naim", Profile { name: "Naim", spelling: X_FLAC, ..GENERIC }),
    ("Lumin", Profile { name: "Lumin", spelling: X_FLAC, ..GENERIC }),
    ("WiiM", Profile { name: "WiiM", spelling: X_FLAC, ..GENERIC }),
    ("SoundBridge", Profile { name: "SoundBridge", hides_length: true, ..GENERIC }),
    ("Rocki", Profile { name: "Rocki", hides_length: true, ..GENERIC }),
    ("Linn", Profile { name: "Linn", spelling: X_FLAC, ..GENERIC }),
];

const REMEMBER: Duration = Duration::from_hours(1);
const MAX_REMEMBERED: usize = 256;

/// What came from which address.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<IpAddr, (Profile, Instant)>>);

/// The profile that headers tell, if they do.
pub(crate) fn from_headers(headers: &[&str]) -> Option<Profile> {
    let known = KNOWN.iter().find(|(word, _)| headers.iter().any(|header| header.contains(word)));
    known.map(|(_, profile)| *profile)
}

impl Seen {
    /// The profile of a request. `found` is what its own headers tell, which always wins.
    /// A named but unknown program at an address is not the device that was there before:
    /// only a request without any name falls back on it.
    pub(crate) fn judge(&self, address: IpAddr, found: Option<Profile>, is_named: bool) -> Profile {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(profile) = found {
            if MAX_REMEMBERED <= seen.len() {
                seen.retain(|_, (_, at)| now.duration_since(*at) < REMEMBER);
            }
            if seen.len() < MAX_REMEMBERED {
                seen.insert(address, (profile, now));
            }
            return profile;
        }
        match seen.get(&address) {
            Some((profile, at)) if !is_named && now.duration_since(*at) < REMEMBER => *profile,
            _ => GENERIC,
        }
    }
}

/// Text for clients that show ASCII alone: marks are taken off letters, the rest becomes `?`.
pub(crate) fn ascii(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfkd()
        .filter(|character| !unicode_normalization::char::is_combining_mark(*character))
        .map(|character| match character {
            '\u{2018}' | '\u{2019}' => '\'',
            '\u{201c}' | '\u{201d}' => '"',
            '\u{2010}'..='\u{2015}' => '-',
            other if other.is_ascii() => other,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_win_and_silence_falls_back() {
        let seen = Seen::default();
        let tv = IpAddr::from([10, 0, 0, 2]);
        let samsung = from_headers(&["SEC_HHP_[TV]UE40/1.0"]);
        assert_eq!(seen.judge(tv, None, false).name, "generic");
        assert_eq!(seen.judge(tv, samsung, true).name, "Samsung");
        assert_eq!(seen.judge(tv, None, false).name, "Samsung");
        assert_eq!(seen.judge(tv, None, true).name, "generic");
        assert_eq!(seen.judge(tv, from_headers(&["LGE_DLNA_SDK"]), true).name, "LG");
        assert_eq!(seen.judge(IpAddr::from([10, 0, 0, 3]), None, false).name, "generic");
    }

    #[test]
    fn ascii_keeps_what_can_be_kept() {
        assert_eq!(ascii("Björk \u{2013} Jóga’s"), "Bjork - Joga's");
        assert_eq!(ascii("\u{5317}"), "?");
    }
}
