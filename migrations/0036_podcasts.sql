-- Podcasts. A feed and its episodes are stored once; a channel is one user's subscription, a download one user's file.

-- A picture that came from outside, looked at and scaled by a worker: JPEG, by the BLAKE3 of its bytes.
create table remote_picture (
    hash       text primary key not null,
    bytes      blob not null,
    created_at integer not null
) strict;

create table podcast_feed (
    feed_id         integer primary key autoincrement not null,
    url             text not null unique,
    title           text not null default '',
    description     text not null default '',
    author          text not null default '',
    link            text not null default '',
    image_url       text not null default '',
    -- Of `remote_picture`; no foreign key, so that a picture may be dropped and fetched again.
    picture         text,
    -- Validators of the last answer, for a conditional request.
    etag            text not null default '',
    last_modified   text not null default '',
    refreshed_at    integer,
    -- When to look again; grows with `failures`.
    next_refresh_at integer not null default 0,
    failures        integer not null default 0,
    error           text not null default '',
    created_at      integer not null
) strict;
create index podcast_feed_due on podcast_feed (next_refresh_at);

create table podcast_channel (
    channel_id   integer primary key autoincrement not null,
    user_id      integer not null references user on delete cascade,
    feed_id      integer not null references podcast_feed on delete cascade,
    -- How many of the newest episodes are fetched unasked.
    fetch_newest integer not null default 1 check (fetch_newest between 0 and 100),
    -- Downloads beyond this many, or older than so many days, are removed; null keeps all.
    keep_newest  integer check (keep_newest is null or keep_newest > 0),
    keep_days    integer check (keep_days is null or keep_days > 0),
    created_at   integer not null,
    unique (user_id, feed_id)
) strict;
create index podcast_channel_feed on podcast_channel (feed_id);

create table podcast_episode (
    episode_id   integer primary key autoincrement not null,
    feed_id      integer not null references podcast_feed on delete cascade,
    guid         text not null,
    title        text not null,
    description  text not null default '',
    audio_url    text not null,
    audio_type   text not null default '',
    -- As the feed says; the file knows better.
    size_bytes   integer not null default 0,
    duration_ms  integer not null default 0,
    published_at integer not null,
    created_at   integer not null,
    unique (feed_id, guid)
) strict;
create index podcast_episode_newest on podcast_episode (feed_id, published_at desc, episode_id desc);

-- What became of an episode for one user. No row: it was never asked for.
create table podcast_download (
    user_id      integer not null references user on delete cascade,
    episode_id   integer not null references podcast_episode on delete cascade,
    status       text not null check (status in ('wanted', 'downloading', 'completed', 'error', 'deleted', 'skipped')),
    -- Where the file is: locker, and the path in it.
    locker_id    integer references locker on delete cascade,
    path         text not null default '',
    size_bytes   integer not null default 0,
    modified_ns  integer not null default 0,
    -- What a worker read in the file.
    container    text not null default '',
    codec        text not null default '',
    bitrate_kbps integer not null default 0,
    sample_rate  integer not null default 0,
    channels     integer not null default 0,
    duration_ms  integer not null default 0,
    tries        integer not null default 0,
    next_try_at  integer not null default 0,
    error        text not null default '',
    changed_at   integer not null,
    primary key (user_id, episode_id)
) strict, without rowid;
create index podcast_download_episode on podcast_download (episode_id);
create index podcast_download_due on podcast_download (next_try_at) where status = 'wanted';

-- What a user added to an episode; like `annotation` and `bookmark` for tracks.
create table podcast_mark (
    user_id             integer not null references user on delete cascade,
    episode_id          integer not null references podcast_episode on delete cascade,
    starred_at          integer,
    rating              integer check (rating between 1 and 5),
    play_count          integer not null default 0,
    played_at           integer,
    bookmark_ms         integer,
    bookmark_comment    text not null default '',
    bookmark_created_at integer,
    bookmark_changed_at integer,
    primary key (user_id, episode_id)
) strict, without rowid;
create index podcast_mark_episode on podcast_mark (episode_id);

-- One row a listen: late and repeated batches count once.
create table podcast_listen (
    user_id    integer not null references user on delete cascade,
    episode_id integer not null references podcast_episode on delete cascade,
    at         integer not null,
    primary key (user_id, episode_id, at)
) strict, without rowid;
create index podcast_listen_episode on podcast_listen (episode_id);
