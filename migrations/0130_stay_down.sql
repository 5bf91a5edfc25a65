-- What was taken down stays away until an administrator allows it again, and where it was found
-- since is known.
alter table takedown add column lifted_at integer;
alter table takedown add column lifted_by integer references user on delete set null;
-- Set where files with other bytes and the same sound go and stay away too: BLAKE3 of the sound, and
-- how long it is.
alter table takedown add column audio_hash blob;
alter table takedown add column duration_ms integer;
-- How often somebody tried to bring it back.
alter table takedown add column refused integer not null default 0;
create index takedown_content on takedown (content_hash) where lifted_at is null;
create index takedown_lifter on takedown (lifted_by);

-- Files that went: what was made of them (transcodes, pictures) goes next, also after a restart.
create table takedown_file (
    takedown_file_id integer primary key autoincrement not null,
    takedown_id      integer not null references takedown on delete cascade,
    locker_id        integer not null references locker on delete cascade,
    path             text not null
) strict;
create index takedown_file_takedown on takedown_file (takedown_id);
create index takedown_file_locker on takedown_file (locker_id);
