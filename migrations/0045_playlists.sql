-- Playlists that other people may change, and playlists that are rules instead of entries.

-- Whoever sees it may change its tracks.
alter table playlist add column is_open integer not null default 0 check (is_open in (0, 1));
-- Rules of a smart playlist, JSON as `catalog::smart` writes it; null: it has entries.
alter table playlist add column rules text;

-- With whom its owner shares it.
create table playlist_member (
    playlist_id integer not null references playlist on delete cascade,
    user_id     integer not null references user on delete cascade,
    may_edit    integer not null default 0 check (may_edit in (0, 1)),
    primary key (playlist_id, user_id)
) strict, without rowid;
create index playlist_member_user on playlist_member (user_id);
