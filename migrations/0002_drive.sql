-- What is kept: one row for each file of a locker. The file on disk is the truth; the row says what it counts.
create table drive_file (
    drive_file_id integer primary key autoincrement not null,
    locker_id     integer not null references locker on delete cascade,
    -- Relative to the locker, '/' between parts, as sent.
    path          text not null,
    size_bytes    integer not null check (size_bytes >= 0),
    modified_ns   integer not null,
    -- BLAKE3 of the whole file; null for files found on disk and not hashed yet.
    content_hash  blob,
    -- Changes with every replacement; the ETag is made from it.
    version       integer not null default 1,
    missing_at    integer,
    created_at    integer not null,
    unique (locker_id, path)
) strict;
create index drive_file_hash on drive_file (content_hash) where content_hash is not null;
