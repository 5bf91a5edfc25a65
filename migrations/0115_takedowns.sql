-- Contents that an administrator had removed from every locker, and how far that is: what nobody hashed yet is hashed
-- first. Also after a restart.
create table takedown (
    takedown_id  integer primary key autoincrement not null,
    content_hash blob not null,
    -- Of one such file, once that is known: others need not be read.
    size_bytes   integer,
    reason       text not null,
    -- Who wanted it.
    user_id      integer references user on delete set null,
    created_at   integer not null,
    -- When everything had been looked at.
    done_at      integer,
    files        integer not null default 0,
    -- From trash and versions.
    kept         integer not null default 0,
    bytes        integer not null default 0,
    -- That could not be read, and so not be judged.
    unread       integer not null default 0
) strict;
create index takedown_open on takedown (takedown_id) where done_at is null;
create index takedown_user on takedown (user_id);
create index drive_kept_file_content on drive_kept_file (content_hash) where content_hash is not null;
create index drive_kept_file_unhashed on drive_kept_file (kept_id) where content_hash is null;
