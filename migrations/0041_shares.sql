-- What somebody shows to people without an account. The address carries a random token: `lookup` is
-- a keyed hash of it, by which it is found; `sealed` is the token itself under the server's key,
-- because its owner copies the address again later.
create table share (
    share_id      integer primary key autoincrement not null,
    user_id       integer not null references user on delete cascade,
    lookup        blob not null unique,
    sealed        blob not null,
    description   text not null default '',
    -- Argon2id in PHC form; null: no password.
    password_hash text,
    may_download  integer not null default 0 check (may_download in (0, 1)),
    created_at    integer not null,
    expires_at    integer,
    visited_at    integer,
    visit_count   integer not null default 0
) strict;
create index share_user on share (user_id, share_id);

-- Exactly what is shown, as ids. An album or a playlist shows the tracks that it has when somebody looks.
create table share_item (
    share_id integer not null references share on delete cascade,
    position integer not null,
    kind     text not null check (kind in ('track', 'album', 'playlist', 'folder')),
    item_id  integer not null,
    primary key (share_id, position)
) strict, without rowid;
