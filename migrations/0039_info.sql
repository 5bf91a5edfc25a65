-- What others know about artists and albums, kept so that a request never waits for them.
create table remote_info (
    kind       text not null check (kind in ('artist', 'album')),
    item_id    integer not null,
    mbid       text not null default '',
    -- Plain text.
    text       text not null default '',
    url        text not null default '',
    image_url  text not null default '',
    -- JSON array of names, nearest first.
    similar    text not null default '[]',
    failures   integer not null default 0,
    -- When it may be asked again; null while it waits to be asked.
    next_at    integer,
    asked_at   integer not null,
    fetched_at integer,
    primary key (kind, item_id)
) strict, without rowid;
create index remote_info_waiting on remote_info (asked_at) where next_at is null;
