-- A folder of a locker that is shared with somebody is a library for those, of its own: they see
-- its music, and nothing else of the locker. Whose it is at the moment says `folder_share`.
create table shared_library (
    library_id integer primary key not null references library on delete cascade,
    locker_id  integer not null references locker on delete cascade,
    path       text not null,
    unique (locker_id, path)
) strict;
