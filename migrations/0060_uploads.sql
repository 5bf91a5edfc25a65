-- Resumable uploads (tus): what has arrived lies in the drive's staging as `up-` and the id.
create table upload (
    -- 128 random bits, hex.
    upload_id      text primary key not null,
    user_id        integer not null references user on delete cascade,
    locker_id      integer not null references locker on delete cascade,
    -- The bytes promised to it; null once it is published.
    reservation_id integer references reservation on delete set null,
    -- Where it goes; '' for a part of another.
    path           text not null,
    is_part        integer not null check (is_part in (0, 1)),
    -- Refuse when something is there already.
    only_new       integer not null check (only_new in (0, 1)),
    length         integer not null check (length >= 0),
    -- Bytes that are on the disk for sure.
    received       integer not null default 0 check (received between 0 and length),
    -- `Upload-Metadata` and the parts of `Upload-Concat`, as sent.
    metadata       text not null default '',
    parts          text not null default '',
    -- Entity tag of the published file.
    etag           text,
    created_at     integer not null,
    expires_at     integer not null
) strict, without rowid;
create index upload_expiry on upload (expires_at);
create index upload_user on upload (user_id);
