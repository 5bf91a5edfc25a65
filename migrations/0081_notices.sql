-- What a user is told about his room: nearly full, over, a grant that ends. Each is kept once.
create table notice (
    notice_id integer primary key autoincrement not null,
    user_id   integer not null references user on delete cascade,
    -- `used:80`, `over`, `ends:30:GRANT`: the same is not told twice while it is open.
    key       text not null,
    text      text not null,
    at        integer not null,
    -- It no longer holds; should it come again, it is told again.
    closed_at integer,
    seen_at   integer,
    -- Sent as e-mail and to the webhook; tried so often.
    mailed_at integer,
    posted_at integer,
    tries     integer not null default 0,
    try_at    integer not null default 0
) strict;
create index notice_user on notice (user_id, at);
create unique index notice_open on notice (user_id, key) where closed_at is null;
create index notice_unsent on notice (try_at) where mailed_at is null or posted_at is null;
