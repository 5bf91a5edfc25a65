-- Ways in: uploads whose length is not known yet or which are archives to be unpacked, those that
-- were given up, where files came from, and what is fetched from addresses or unpacked.

-- What is `length` so far; it grows with what arrives until the client says it.
alter table upload add column is_deferred integer not null default 0 check (is_deferred in (0, 1));
-- An archive: its contents become files, it does not.
alter table upload add column unpacks integer not null default 0 check (unpacks in (0, 1));

-- Uploads that nobody came back to, so that whoever does is told so. Forgotten after a month.
create table upload_expired (
    upload_id  text primary key not null,
    user_id    integer not null references user on delete cascade,
    expired_at integer not null
) strict, without rowid;
create index upload_expired_user on upload_expired (user_id);

-- The address that a file was fetched from, without name and password.
alter table drive_file add column source text;

-- The word of a refusal, beside its sentence.
alter table delivery_item add column word text not null default '';

create table import (
    import_id   integer primary key autoincrement not null,
    user_id     integer not null references user on delete cascade,
    locker_id   integer not null references locker on delete cascade,
    -- The folder of the locker that it goes to, and as its user called place and folder.
    target      text not null,
    place       text not null,
    folder      text not null,
    -- Refuse when something is there already.
    only_new    integer not null check (only_new in (0, 1)),
    -- An address; null for an archive that was sent.
    url         text,
    -- The resumable upload that the archive was.
    upload_id   text,
    name        text not null,
    state       text not null check (state in ('waiting', 'fetching', 'unpacking', 'done', 'failed', 'cancelled')),
    received    integer not null default 0,
    total       integer,
    stored      integer not null default 0,
    refused     integer not null default 0,
    -- Why it failed: a word and a sentence.
    word        text not null default '',
    problem     text not null default '',
    created_at  integer not null,
    ended_at    integer
) strict;
create index import_user on import (user_id);
create index import_locker on import (locker_id);
create index import_ended on import (ended_at);

-- What became of each file of it.
create table import_item (
    import_item_id integer primary key autoincrement not null,
    import_id      integer not null references import on delete cascade,
    -- Below the import's folder.
    path           text not null,
    size_bytes     integer,
    content_hash   blob,
    etag           text,
    -- Why it was refused: a word, the rule of a name, and a sentence. All empty when it is stored.
    word           text not null default '',
    rule           text not null default '',
    problem        text not null default ''
) strict;
create index import_item_import on import_item (import_id);
