-- What people brought along from another server, so that bringing it again adds only what is new.

-- `origin`: which account of which server. What of an item was taken from there: the star and the
-- rating once, and how many plays so far.
create table moved_mark (
    user_id    integer not null references user on delete cascade,
    origin     text not null,
    -- 'track', 'album', 'artist'
    kind       text not null,
    item_id    integer not null,
    has_star   integer not null default 0 check (has_star in (0, 1)),
    has_rating integer not null default 0 check (has_rating in (0, 1)),
    play_count integer not null default 0,
    primary key (user_id, origin, kind, item_id)
) strict, without rowid;

-- `key`: the playlist's name for itself over there. `entries`: BLAKE3 of what was written, to see
-- whether somebody changed it since.
create table moved_playlist (
    user_id     integer not null references user on delete cascade,
    origin      text not null,
    key         text not null,
    playlist_id integer not null references playlist on delete cascade,
    entries     blob not null,
    primary key (user_id, origin, key)
) strict, without rowid;
create index moved_playlist_playlist on moved_playlist (playlist_id);
