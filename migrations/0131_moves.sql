-- Moves that have begun: written before the disk is touched, gone with the transaction that counts
-- them. What is left at a start was cut short, and is finished or taken back.
create table drive_move (
    drive_move_id integer primary key autoincrement not null,
    source_id     integer not null references locker on delete cascade,
    source_path   text not null,
    target_id     integer not null references locker on delete cascade,
    target_path   text not null,
    -- Who moved it; 0 is the server.
    user_id       integer not null,
    -- Where what was at the target goes, and what it was; null if nothing was there.
    kept_id       text,
    shelf         text,
    name          text,
    is_folder     integer check (is_folder in (0, 1)),
    size_bytes    integer,
    modified_ns   integer
) strict;
create index drive_move_source on drive_move (source_id);
create index drive_move_target on drive_move (target_id);
