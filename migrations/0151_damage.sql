-- Files of lockers, trash and versions whose bytes are no longer those that were stored, or cannot be read: found by
-- reading everything now and then.
create table drive_damage (
    -- Below the drive's root.
    place     text primary key not null,
    locker_id integer not null references locker on delete cascade,
    -- What is wrong, as a sentence, with a place where the same bytes are still whole.
    detail    text not null,
    found_at  integer not null
) strict, without rowid;
create index drive_damage_locker on drive_damage (locker_id);
