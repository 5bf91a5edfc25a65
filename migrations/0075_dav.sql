-- Write locks (RFC 4918, 6 and 7): who may not be disturbed where, and until when.
create table drive_lock (
    -- 'urn:uuid:...'
    token      text primary key not null,
    locker_id  integer not null references locker on delete cascade,
    -- As the locker spells it; '' is its root.
    path       text not null,
    user_id    integer not null references user on delete cascade,
    is_shared  integer not null check (is_shared in (0, 1)),
    -- Everything below too.
    is_deep    integer not null check (is_deep in (0, 1)),
    -- What the client says of itself: XML, kept as it is.
    owner      text not null,
    expires_at integer not null
) strict, without rowid;
create index drive_lock_place on drive_lock (locker_id, path);
create index drive_lock_user on drive_lock (user_id);

-- Dead properties (RFC 4918, 4): what clients keep beside a file or folder.
create table drive_property (
    locker_id integer not null references locker on delete cascade,
    -- As the locker spells it; '' is its root.
    path      text not null,
    namespace text not null,
    name      text not null,
    -- The whole element, with every namespace that it uses.
    element   text not null,
    primary key (locker_id, path, namespace, name)
) strict, without rowid;
