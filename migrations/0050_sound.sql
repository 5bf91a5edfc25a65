-- What the box heard in a track by itself (`media::analysis`): loudness, tempo, key, and a vector
-- that lies near those of tracks that sound alike. A row speaks of the file as it was then; when
-- size or time differ from the track's, or the version is not today's, the track waits to be heard.
create table sound (
    track_id      integer primary key not null references track on delete cascade,
    version       integer not null,
    size_bytes    integer not null,
    modified_ns   integer not null,
    -- Why nothing was heard, as a sentence; '' when it was.
    reason        text not null default '',
    -- EBU R128; null for silence.
    loudness_lufs real,
    range_lu      real,
    -- Highest sample; 1.0 is full scale.
    peak          real,
    -- Null where there is no beat or no key. key: 0 to 11 from C for major, 12 to 23 for minor.
    bpm           real,
    key           integer,
    -- `media::analysis::DIMENSIONS` signed bytes.
    features      blob,
    heard_at      integer not null
) strict;

-- Loudness of albums whose tracks were all heard.
create table album_sound (
    album_id      integer primary key not null references album on delete cascade,
    loudness_lufs real not null,
    peak          real not null
) strict;
