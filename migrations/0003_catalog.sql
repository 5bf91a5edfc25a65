-- What there is to hear. A row here is derived from files and can be rebuilt by a scan, except what people added (0004).

-- A root of files. `folder`: watched, read-only. `locker`, `household`: below the drive.
create table library (
    library_id    integer primary key autoincrement not null,
    name          text not null unique,
    kind          text not null check (kind in ('folder', 'locker', 'household')),
    path          text not null unique,
    locker_id     integer unique references locker on delete cascade,
    -- Seen by every user (folder and household libraries), or only by those with a grant.
    is_shared     integer not null default 0 check (is_shared in (0, 1)),
    -- Offered to DLNA devices on the LAN.
    is_on_lan     integer not null default 0 check (is_on_lan in (0, 1)),
    -- Present in the configuration or an existing locker. A library that left keeps its rows, unseen.
    is_active     integer not null default 1 check (is_active in (0, 1)),
    -- 'ok', or why the last scan could not read it, as a sentence.
    state         text not null default 'ok',
    -- True once a scan has seen files here: an empty root then means "unmounted".
    was_seen_full integer not null default 0,
    scanned_at    integer,
    created_at    integer not null
) strict;

create table library_grant (
    user_id    integer not null references user on delete cascade,
    library_id integer not null references library on delete cascade,
    primary key (user_id, library_id)
) strict, without rowid;
create index library_grant_library on library_grant (library_id);

-- The tree as it lies on disk. path is relative to the library, '' for its root.
create table folder (
    folder_id   integer primary key autoincrement not null,
    library_id  integer not null references library on delete cascade,
    parent_id   integer references folder on delete cascade,
    path        text not null,
    name        text not null,
    modified_ns integer not null default 0,
    picture_id  integer references picture on delete set null,
    -- What its listing (names, sizes, times) hashed to when all of it was in the catalogue: a scan
    -- skips the folder while this stays. Null: not complete yet.
    fingerprint blob,
    created_at  integer not null,
    unique (library_id, path)
) strict;
create index folder_parent on folder (parent_id);

-- One file that the scanner looked at. `reason` says why an unreadable one is not playable.
create table media_file (
    media_file_id integer primary key autoincrement not null,
    library_id    integer not null references library on delete cascade,
    folder_id     integer not null references folder on delete cascade,
    path          text not null,
    size_bytes    integer not null,
    modified_ns   integer not null,
    inode         integer not null default 0,
    state         text not null check (state in ('ok', 'unreadable')),
    reason        text not null default '',
    -- BLAKE3 of the first 64 KiB; with the size it finds a file again that moved.
    quick_key     blob,
    -- Sizes and times of what lies beside it and belongs to it (.lrc, .txt, .cue), as one number.
    sidecar_stamp integer not null default 0,
    scanned_at    integer not null,
    unique (library_id, path)
) strict;
create index media_file_inode on media_file (inode, library_id);
create index media_file_folder on media_file (folder_id);
create index media_file_quick on media_file (quick_key) where quick_key is not null;

-- Pictures by content. Bytes come from the source again whenever the cache is gone.
create table picture (
    picture_id    integer primary key autoincrement not null,
    hash          blob not null unique,
    mime          text not null,
    width         integer not null,
    height        integer not null,
    size_bytes    integer not null,
    -- Where the bytes are: a file, and whether the picture is that file or is embedded in its tags.
    library_id    integer not null references library on delete cascade,
    path          text not null,
    is_embedded   integer not null check (is_embedded in (0, 1))
) strict;
create index picture_path on picture (path);

-- A name shared by all libraries; visible to those who can see a work of theirs.
create table artist (
    artist_id  integer primary key autoincrement not null,
    -- MusicBrainz id, else the NFC case-folded name.
    key        text not null unique,
    name       text not null,
    -- The folded name in any case: finds the artist where a file gives no MusicBrainz id.
    name_key   text not null,
    sort_name  text not null,
    -- What lists are ordered by: case-folded, leading article dropped.
    order_key  text not null,
    mbid       text,
    picture_id integer references picture on delete set null,
    created_at integer not null
) strict;
create index artist_order on artist (order_key, artist_id);
create index artist_name on artist (name_key);

create table album (
    album_id       integer primary key autoincrement not null,
    library_id     integer not null references library on delete cascade,
    -- See `catalog::identity`.
    key            text not null,
    name           text not null,
    version        text not null default '',
    sort_name      text not null,
    order_key      text not null,
    -- Album artist as one line, and what "by artist" lists are ordered by.
    display_artist   text not null default '',
    artist_order_key text not null default '',
    mbid           text,
    release_group_mbid text,
    -- Dates as the tag's own precision: 'YYYY', 'YYYY-MM' or 'YYYY-MM-DD'; '' when unknown.
    release_date   text not null default '',
    original_date  text not null default '',
    year           integer,
    is_compilation integer not null default 0,
    explicit       text not null default '' check (explicit in ('', 'clean', 'explicit')),
    -- JSON arrays of text.
    release_types  text not null default '[]',
    record_labels  text not null default '[]',
    moods          text not null default '[]',
    genre          text not null default '',
    picture_id     integer references picture on delete set null,
    folder_id      integer references folder on delete set null,
    track_count    integer not null default 0,
    duration_ms    integer not null default 0,
    size_bytes     integer not null default 0,
    created_at     integer not null,
    unique (library_id, key)
) strict;
-- Lists skip deep offsets inside these alone, so they carry what visibility needs.
create index album_order on album (order_key, album_id, library_id);
create index album_by_artist on album (artist_order_key, order_key, album_id, library_id);
create index album_newest on album (created_at, album_id, library_id);
create index album_year on album (year, order_key, album_id, library_id);
create index album_genre on album (genre, album_id);
create index album_folder on album (folder_id);

create table album_artist (
    album_id  integer not null references album on delete cascade,
    position  integer not null,
    artist_id integer not null references artist,
    primary key (album_id, position)
) strict, without rowid;
create index album_artist_artist on album_artist (artist_id, album_id);

create table album_disc (
    album_id integer not null references album on delete cascade,
    disc     integer not null,
    title    text not null,
    primary key (album_id, disc)
) strict, without rowid;

create table track (
    track_id       integer primary key autoincrement not null,
    library_id     integer not null references library on delete cascade,
    -- Null while the file is gone: annotations survive its absence.
    media_file_id  integer references media_file on delete set null,
    folder_id      integer references folder on delete set null,
    album_id       integer references album on delete set null,
    -- Tracks of an image with a cue sheet: number and range; null for a whole file.
    cue_index      integer,
    start_ms       integer not null default 0,
    -- Copied from media_file, so that a list needs no join.
    path           text not null,
    size_bytes     integer not null,
    modified_ns    integer not null,
    title          text not null,
    sort_title     text not null,
    order_key      text not null,
    display_artist text not null default '',
    display_album_artist text not null default '',
    display_composer text not null default '',
    album_name     text not null default '',
    disc           integer,
    disc_total     integer,
    number         integer,
    number_total   integer,
    year           integer,
    release_date   text not null default '',
    original_date  text not null default '',
    duration_ms    integer not null,
    -- `media::Format` names, e.g. container 'flac', codec 'flac'.
    container      text not null,
    codec          text not null,
    suffix         text not null,
    bitrate_kbps   integer not null default 0,
    sample_rate    integer not null default 0,
    channels       integer not null default 0,
    bit_depth      integer not null default 0,
    genre          text not null default '',
    bpm            integer not null default 0,
    comment        text not null default '',
    explicit       text not null default '' check (explicit in ('', 'clean', 'explicit')),
    is_compilation integer not null default 0,
    mbid_recording text,
    mbid_track     text,
    track_gain_db  real,
    album_gain_db  real,
    track_peak     real,
    album_peak     real,
    -- Everything that only a single song's full answer shows, as JSON of `media::tags::Extra`:
    -- isrc, moods, groupings, works, movements, contributors.
    extra          text not null default '{}',
    picture_id     integer references picture on delete set null,
    has_lyrics     integer not null default 0,
    -- BLAKE3 of the whole file and of its audio packets, filled in the background.
    content_hash   blob,
    audio_hash     blob,
    -- Since when its file is gone, and the quick key that the file had, to know it again.
    missing_at     integer,
    quick_key      blob,
    created_at     integer not null,
    changed_at     integer not null
) strict;
create index track_album on track (album_id, disc, number, track_id);
create index track_file on track (media_file_id, cue_index);
create index track_folder on track (folder_id, order_key);
create index track_order on track (order_key, track_id, library_id) where missing_at is null;
create index track_present on track (track_id, library_id) where missing_at is null;
create index track_library on track (library_id, path);
create index track_newest on track (created_at, track_id, library_id) where missing_at is null;
create index track_picture on track (picture_id) where picture_id is not null;
create index track_missing on track (library_id, order_key) where missing_at is not null;
create index track_audio on track (audio_hash) where audio_hash is not null;

-- role: 'artist', 'albumartist', 'composer', 'conductor', 'lyricist', 'remixer', 'performer', ...
create table track_artist (
    track_id  integer not null references track on delete cascade,
    role      text not null,
    position  integer not null,
    sub_role  text not null default '',
    artist_id integer not null references artist,
    primary key (track_id, role, position)
) strict, without rowid;
create index track_artist_artist on track_artist (artist_id, role, track_id);

create table genre (
    genre_id integer primary key autoincrement not null,
    name     text not null unique collate nocase
) strict;

create table track_genre (
    track_id integer not null references track on delete cascade,
    position integer not null,
    genre_id integer not null references genre,
    primary key (track_id, position)
) strict, without rowid;
create index track_genre_genre on track_genre (genre_id, track_id);

-- Lyrics as found: 'lrc' text for synced, plain text else.
create table lyrics (
    track_id  integer not null references track on delete cascade,
    position  integer not null,
    lang      text not null default 'und',
    is_synced integer not null check (is_synced in (0, 1)),
    -- 'embedded' or the file it came from.
    source    text not null,
    body      text not null,
    primary key (track_id, position)
) strict, without rowid;

-- Full text: rowid is the entity's id. No content is kept twice.
create virtual table track_search  using fts5 (title, album, artist, content='', contentless_delete=1, prefix='2 3', tokenize="unicode61 remove_diacritics 2");
create virtual table album_search  using fts5 (name, artist, content='', contentless_delete=1, prefix='2 3', tokenize="unicode61 remove_diacritics 2");
create virtual table artist_search using fts5 (name, content='', contentless_delete=1, prefix='2 3', tokenize="unicode61 remove_diacritics 2");
