-- Lockers may point at files of a watched folder instead of copying them, where an administrator said so.
alter table library add column may_refer integer not null default 0 check (may_refer in (0, 1));

-- A file of a watched folder that files of lockers point at: as it was when its bytes were proved. It is the bytes of
-- those files only while it still is of this size and time.
create table drive_reference (
    reference_id integer primary key autoincrement not null,
    library_id   integer not null references library,
    -- Relative to the library, as `path_text` writes it.
    path         text not null,
    -- The same as an absolute path, byte for byte.
    target       blob not null unique,
    size_bytes   integer not null check (size_bytes >= 0),
    modified_ns  integer not null,
    -- When anything about it last changed (ctime) as its bytes were proved. Later, they are proved again.
    changed_ns   integer not null,
    content_hash blob not null,
    quick_key    blob not null,
    -- Since when it is not there, or another one. What points at it is missing since then, too.
    missing_at   integer
) strict;
create index drive_reference_place on drive_reference (library_id, path);
create index drive_reference_content on drive_reference (content_hash);

alter table drive_file add column reference_id integer references drive_reference;
create index drive_file_reference on drive_file (reference_id) where reference_id is not null;
create index drive_file_lent on drive_file (locker_id, path) where reference_id is not null;
alter table drive_kept_file add column reference_id integer references drive_reference;
create index drive_kept_file_reference on drive_kept_file (reference_id) where reference_id is not null;

-- Where a symlink is about to be put: one without a row there was left by a crash.
create table drive_placing (
    locker_id integer not null references locker on delete cascade,
    path      text not null,
    primary key (locker_id, path)
) strict, without rowid;

-- `reference`: nothing of it is here but a symlink.
alter table drive_file rename column origin to was_origin;
alter table drive_file add column origin text not null default 'own'
    check (origin in ('own', 'reflink', 'hardlink', 'copy', 'reference'));
update drive_file set origin = was_origin where was_origin <> 'own';
alter table drive_file drop column was_origin;
