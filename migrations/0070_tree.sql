-- What was deleted or replaced and can come back. It counts as reclaimable: it gives way, oldest first, when room
-- is needed. The bytes lie at SHELF/KEPT_ID/NAME below the drive's root.
create table drive_kept (
    -- 64 random bits, hex.
    kept_id    text primary key not null,
    locker_id  integer not null references locker on delete cascade,
    kind       text not null check (kind in ('trash', 'version')),
    -- Where it was, relative to the locker. Versions follow their file when it moves.
    path       text not null,
    name       text not null,
    shelf      text not null,
    is_folder  integer not null check (is_folder in (0, 1)),
    size_bytes integer not null default 0 check (size_bytes >= 0),
    files      integer not null default 0,
    -- Who deleted or replaced it.
    user_id    integer references user on delete set null,
    kept_at    integer not null,
    -- It was let go: no longer counted, and its bytes are about to be deleted.
    gone_at    integer
) strict, without rowid;
create index drive_kept_path on drive_kept (locker_id, path);
create index drive_kept_age on drive_kept (locker_id, kept_at);
create index drive_kept_gone on drive_kept (gone_at) where gone_at is not null;
create index drive_kept_user on drive_kept (user_id);

-- The rows that its files had, to come back with them. `path` is relative to what was kept, '' for a file itself.
create table drive_kept_file (
    kept_id      text not null references drive_kept on delete cascade,
    path         text not null,
    size_bytes   integer not null check (size_bytes >= 0),
    modified_ns  integer not null,
    content_hash blob,
    stored_as    text not null,
    primary key (kept_id, path)
) strict, without rowid;

-- Bytes of the above that count.
alter table locker add column reclaimable_bytes integer not null default 0 check (reclaimable_bytes >= 0);

-- How the bytes lie on the disk: 'own', or how the copy of a file was made. The inode of a 'hardlink' is read-only and may
-- belong to several rows.
alter table drive_file add column stored_as text not null default 'own'
    check (stored_as in ('own', 'reflink', 'hardlink', 'copy'));

-- A folder of a locker that its owner lets another user see or change.
create table folder_share (
    folder_share_id integer primary key autoincrement not null,
    locker_id       integer not null references locker on delete cascade,
    path            text not null,
    user_id         integer not null references user on delete cascade,
    may_write       integer not null check (may_write in (0, 1)),
    created_at      integer not null,
    unique (locker_id, path, user_id)
) strict;
create index folder_share_user on folder_share (user_id);
