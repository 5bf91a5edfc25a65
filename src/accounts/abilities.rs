//! What a user may do beyond seeing what is theirs: the Subsonic role switches and a few
//! settings, kept as one JSON column.

/// Switches of one user. Every face obeys them; Subsonic shows them as its `...Role` fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent switch of the protocol")]
pub struct Abilities {
    /// May play.
    pub stream: bool,
    /// May take original files home.
    pub download: bool,
    /// May add files to lockers.
    pub upload: bool,
    /// May make and change playlists.
    pub playlist: bool,
    /// May change covers and tags.
    pub cover_art: bool,
    /// May comment and rate.
    pub comment: bool,
    /// May change their own settings and password.
    pub settings: bool,
    /// May share with people outside.
    pub share: bool,
    /// May steer the speakers of the house.
    pub jukebox: bool,
    /// May manage podcasts.
    pub podcast: bool,
    /// Listens are passed on to scrobbling services.
    pub scrobbling: bool,
    /// Sees every shared library; else only those granted by name, and the own locker.
    pub sees_shared: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            stream: true,
            download: true,
            upload: true,
            playlist: true,
            cover_art: true,
            comment: true,
            settings: true,
            share: true,
            jukebox: true,
            podcast: true,
            scrobbling: true,
            sees_shared: true,
        }
    }
}
