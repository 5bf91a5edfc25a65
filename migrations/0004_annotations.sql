-- What people added. It belongs to (user, item) and survives the file's absence.

create table annotation (
    user_id    integer not null references user on delete cascade,
    -- 'track', 'album', 'artist', 'folder', 'playlist'
    kind       text not null,
    item_id    integer not null,
    starred_at integer,
    rating     integer check (rating between 1 and 5),
    rated_at   integer,
    play_count integer not null default 0,
    played_at  integer,
    primary key (user_id, kind, item_id)
) strict, without rowid;
create index annotation_item on annotation (kind, item_id);
create index annotation_starred on annotation (user_id, kind, starred_at) where starred_at is not null;
create index annotation_played on annotation (user_id, kind, played_at) where played_at is not null;
create index annotation_count on annotation (user_id, kind, play_count) where play_count > 0;
create index annotation_rating on annotation (user_id, kind, rating) where rating is not null;

-- History: one event a listen. The unique key makes late and repeated batches count once.
create table listen (
    listen_id integer primary key autoincrement not null,
    user_id   integer not null references user on delete cascade,
    track_id  integer not null references track on delete cascade,
    at        integer not null,
    client    text not null default '',
    unique (user_id, track_id, at)
) strict;
create index listen_recent on listen (user_id, at);

create table playlist (
    playlist_id integer primary key autoincrement not null,
    user_id     integer not null references user on delete cascade,
    name        text not null,
    comment     text not null default '',
    is_public   integer not null default 0 check (is_public in (0, 1)),
    -- Set for a playlist kept in step with a file: clients may not change it.
    library_id  integer references library on delete cascade,
    path        text,
    created_at  integer not null,
    changed_at  integer not null,
    unique (library_id, path)
) strict;
create index playlist_user on playlist (user_id, name);

create table playlist_entry (
    playlist_id integer not null references playlist on delete cascade,
    position    integer not null,
    track_id    integer not null references track on delete cascade,
    primary key (playlist_id, position)
) strict, without rowid;
create index playlist_entry_track on playlist_entry (track_id);

create table bookmark (
    user_id     integer not null references user on delete cascade,
    track_id    integer not null references track on delete cascade,
    position_ms integer not null,
    comment     text not null default '',
    created_at  integer not null,
    changed_at  integer not null,
    primary key (user_id, track_id)
) strict, without rowid;

-- One queue a user behind both forms of the API.
create table play_queue (
    user_id       integer primary key not null references user on delete cascade,
    current_index integer not null default 0,
    position_ms   integer not null default 0,
    changed_at    integer not null,
    changed_by    text not null default '',
    -- JSON array of track ids, in order.
    tracks        text not null default '[]'
) strict;
