-- What people did about files that are there more than once, so that it can be taken back.
create table duplicate_action (
    action_id  integer primary key autoincrement not null,
    user_id    integer not null references user on delete cascade,
    what       text not null check (what in ('keep', 'link', 'delete')),
    -- Which group: how its files are alike, and what they have in common.
    kind       text not null check (kind in ('exact', 'audio', 'recording')),
    group_key  text not null,
    -- The file that was linked or deleted; '' for a group that is kept.
    locker_id  integer references locker on delete cascade,
    path       text not null default '',
    -- In the trash it has this id.
    kept_id    text,
    done_at    integer not null,
    undone_at  integer
) strict;
create index duplicate_action_user on duplicate_action (user_id, action_id);
create index duplicate_action_kept on duplicate_action (user_id, kind, group_key)
    where what = 'keep' and undone_at is null;

-- Chromaprint of the first two minutes of tracks that look like others; size and time say of which
-- file. Empty where nothing could be heard. Little-endian words of 32 bits.
create table fingerprint (
    track_id    integer primary key not null references track on delete cascade,
    size_bytes  integer not null,
    modified_ns integer not null,
    print       blob not null
) strict;

-- Two tracks whose prints were compared: which part of the shorter one the other has, 0 to 1.
create table same_recording (
    one_id   integer not null references track on delete cascade,
    other_id integer not null references track on delete cascade,
    likeness real not null,
    primary key (one_id, other_id)
) strict, without rowid;
create index same_recording_other on same_recording (other_id);
