//! Typed ids: `i64` row ids inside, a kind prefix and the decimal row id outside (`tr-88`).
//! DLNA writes a dot (`tr.88`). Authority always comes from the row, never from the id.

use std::fmt;

/// Makes an id type over `i64` with its public prefix.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type, serde::Serialize, serde::Deserialize,
        )]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// The kind prefix of the public form, without the separator.
            pub const PREFIX: &'static str = $prefix;

            /// Reads the public form with `-` or `.` between prefix and number.
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?;
                let digits = rest.strip_prefix('-').or_else(|| rest.strip_prefix('.'))?;
                parse_row(digits).map(Self)
            }
        }

        impl From<i64> for $name {
            fn from(row: i64) -> Self {
                Self(row)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{}"), self.0)
            }
        }
    };
}

id!(/// A person's account.
    UserId, "us");
id!(/// A tier.
    PlanId, "pn");
id!(/// An app's secret.
    AppPasswordId, "ap");
id!(/// Bytes given to a user on top of the plan.
    GrantId, "gr");
id!(/// A secret of a shop that delivers.
    DeliveryKeyId, "dk");
id!(/// Something handed over by a shop.
    DeliveryId, "dv");
id!(/// Something fetched from an address, or an archive that is unpacked.
    ImportId, "im");
id!(/// A charged tree of files.
    LockerId, "lo");
id!(/// A root of files. Subsonic shows it as a plain integer.
    LibraryId, "li");
id!(/// A directory of a library.
    FolderId, "fo");
id!(/// A file that the scanner saw.
    MediaFileId, "mf");
id!(/// A picture, by content.
    PictureId, "pi");
id!(/// An artist.
    ArtistId, "ar");
id!(/// An album.
    AlbumId, "al");
id!(/// A track.
    TrackId, "tr");
id!(/// A genre.
    GenreId, "ge");
id!(/// A playlist.
    PlaylistId, "pl");
id!(/// A listen of the history.
    ListenId, "hi");
id!(/// Something shown to people without an account.
    ShareId, "sh");
id!(/// One user's subscription of a podcast.
    PodcastId, "pc");
id!(/// A folder that is shared with a user.
    FolderShareId, "sf");
id!(/// An episode of a podcast.
    EpisodeId, "pe");
id!(/// A station of internet radio.
    StationId, "ra");
id!(/// A device on the LAN.
    LanDeviceId, "de");

impl EpisodeId {
    /// Stands for the episode where tracks alone are known: below 0, and so no track's.
    #[must_use]
    pub fn as_track(self) -> TrackId {
        TrackId(-self.0)
    }

    /// The episode that such an id stands for.
    #[must_use]
    pub fn of_track(track: TrackId) -> Option<Self> {
        track.0.checked_neg().filter(|row| 0 < *row).map(Self)
    }
}

/// A row id: decimal digits, no sign, no leading zero, above 0.
fn parse_row(digits: &str) -> Option<i64> {
    let plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_form_goes_there_and_back() {
        assert_eq!(TrackId(88).to_string(), "tr-88");
        assert_eq!(TrackId::parse("tr-88"), Some(TrackId(88)));
        assert_eq!(TrackId::parse("tr.88"), Some(TrackId(88)));
        assert_eq!(EpisodeId::of_track(EpisodeId(7).as_track()), Some(EpisodeId(7)));
        assert_eq!(EpisodeId::of_track(TrackId(7)), None);
        assert_eq!(EpisodeId::of_track(TrackId(i64::MIN)), None);
        for wrong in
            ["", "tr", "tr-", "tr-0", "tr-08", "tr--1", "al-88", "tr-99999999999999999999", "tr-1 "]
        {
            assert_eq!(TrackId::parse(wrong), None, "{wrong}");
        }
    }
}
