-- What is known of bytes, so that none are sent twice.

-- BLAKE3 of the first 64 KiB: with the size it says quickly whether a file is surely new.
alter table drive_file add column quick_key blob;
-- How its bytes got here: sent or found; or from a file that was here, as shared blocks, as another
-- name of a read-only inode, or as a copy.
alter table drive_file add column origin text not null default 'own'
    check (origin in ('own', 'reflink', 'hardlink', 'copy'));
create index drive_file_quick on drive_file (substr(quick_key, 1, 8)) where quick_key is not null;
create index drive_file_unhashed on drive_file (drive_file_id)
    where (content_hash is null or quick_key is null) and missing_at is null;

-- BLAKE3 of whole files of watched folders, as they were then: where size or time differ from the
-- file's row, it says nothing.
create table folder_hash (
    media_file_id integer primary key not null references media_file on delete cascade,
    size_bytes    integer not null,
    modified_ns   integer not null,
    content_hash  blob not null
) strict;
create index folder_hash_content on folder_hash (content_hash);

-- Finds what has as long a sound, when a file was retagged and moved at once.
create index track_length on track (library_id, duration_ms) where audio_hash is not null;
