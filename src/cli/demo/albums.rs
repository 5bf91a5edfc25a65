//! What the demo library holds: names, words and scores.

use super::{score::Score, voice::Voice};

/// An album.
pub(super) struct Album {
    pub(super) artist: &'static str,
    pub(super) title: &'static str,
    pub(super) genre: &'static str,
    pub(super) year: &'static str,
    /// Sky, ground and sun of the cover.
    pub(super) colours: [[u8; 3]; 3],
    pub(super) songs: &'static [Song],
}

/// A song.
pub(super) struct Song {
    pub(super) title: &'static str,
    pub(super) score: Score,
    /// LRC text; may be empty.
    pub(super) lyrics: &'static str,
}

const MAJOR: &[u8] = &[0, 4, 7, 12];
const MINOR: &[u8] = &[0, 3, 7, 12];
const SEVENTH: &[u8] = &[0, 4, 7, 11];
const MINOR_SEVENTH: &[u8] = &[0, 3, 7, 10];

/// The library.
pub(super) const ALBUMS: &[Album] = &[
    Album {
        artist: "The Paper Lanterns",
        title: "Evening Tide",
        genre: "Folk",
        year: "2024",
        colours: [[250, 176, 118], [44, 62, 92], [255, 232, 190]],
        songs: &[
            Song {
                title: "Low Water",
                score: Score {
                    beats_per_minute: 96.0,
                    chords: &[(57, MINOR), (53, MAJOR), (48, MAJOR), (55, MAJOR)],
                    rounds: 3,
                    lead: Voice::Pluck,
                    bed: Voice::Pad,
                    seed: 3,
                },
                lyrics: "[00:00.00]Low water, slow water\n[00:10.00]The boats lie down to sleep\n[00:20.00]A lantern for the harbour\n[00:27.00]And songs are ours to keep\n",
            },
            Song {
                title: "Ropes and Bells",
                score: Score {
                    beats_per_minute: 112.0,
                    chords: &[(50, MAJOR), (57, MAJOR), (59, MINOR), (55, MAJOR)],
                    rounds: 4,
                    lead: Voice::Pluck,
                    bed: Voice::Pluck,
                    seed: 11,
                },
                lyrics: "",
            },
            Song {
                title: "Lamp in the Window",
                score: Score {
                    beats_per_minute: 80.0,
                    chords: &[(52, MINOR), (48, MAJOR), (55, MAJOR), (50, MAJOR)],
                    rounds: 3,
                    lead: Voice::Pluck,
                    bed: Voice::Pad,
                    seed: 29,
                },
                lyrics: "",
            },
        ],
    },
    Album {
        artist: "Ada Brook",
        title: "Small Machines",
        genre: "Electronic",
        year: "2025",
        colours: [[86, 204, 196], [28, 34, 64], [250, 250, 210]],
        songs: &[
            Song {
                title: "Clockwork Sparrow",
                score: Score {
                    beats_per_minute: 124.0,
                    chords: &[
                        (53, SEVENTH),
                        (52, MINOR_SEVENTH),
                        (50, MINOR_SEVENTH),
                        (48, SEVENTH),
                    ],
                    rounds: 4,
                    lead: Voice::Bell,
                    bed: Voice::Pluck,
                    seed: 5,
                },
                lyrics: "",
            },
            Song {
                title: "Counting Rain",
                score: Score {
                    beats_per_minute: 104.0,
                    chords: &[(50, MINOR_SEVENTH), (55, MAJOR), (48, SEVENTH), (57, MINOR)],
                    rounds: 3,
                    lead: Voice::Bell,
                    bed: Voice::Pad,
                    seed: 17,
                },
                lyrics: "[00:00.00]One for the roof, and two for the street\n[00:09.00]Three for the puddles that wait for your feet\n[00:18.00]Four for the window, and five for the light\n[00:25.00]Count them all slowly, and then say good night\n",
            },
            Song {
                title: "Paper Gears",
                score: Score {
                    beats_per_minute: 132.0,
                    chords: &[(57, MINOR), (52, MINOR), (53, MAJOR), (55, MAJOR)],
                    rounds: 4,
                    lead: Voice::Bell,
                    bed: Voice::Pluck,
                    seed: 23,
                },
                lyrics: "",
            },
        ],
    },
    Album {
        artist: "Night Ferry",
        title: "Harbour Lights",
        genre: "Ambient",
        year: "2023",
        colours: [[34, 40, 88], [12, 14, 30], [214, 190, 255]],
        songs: &[
            Song {
                title: "Casting Off",
                score: Score {
                    beats_per_minute: 66.0,
                    chords: &[(48, SEVENTH), (45, MINOR_SEVENTH), (41, SEVENTH)],
                    rounds: 3,
                    lead: Voice::Pad,
                    bed: Voice::Pad,
                    seed: 7,
                },
                lyrics: "",
            },
            Song {
                title: "Buoys",
                score: Score {
                    beats_per_minute: 72.0,
                    chords: &[(50, MINOR_SEVENTH), (46, SEVENTH), (48, MAJOR)],
                    rounds: 3,
                    lead: Voice::Bell,
                    bed: Voice::Pad,
                    seed: 13,
                },
                lyrics: "",
            },
            Song {
                title: "The Far Pier",
                score: Score {
                    beats_per_minute: 60.0,
                    chords: &[(45, MINOR_SEVENTH), (50, MINOR), (43, MAJOR), (48, SEVENTH)],
                    rounds: 2,
                    lead: Voice::Pluck,
                    bed: Voice::Pad,
                    seed: 31,
                },
                lyrics: "",
            },
        ],
    },
];
