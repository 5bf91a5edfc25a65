-- Who may do what: people, their credentials, plans, and how many bytes each locker holds.
-- Times are milliseconds since the Unix epoch (UTC). Sizes are bytes.

-- One row of facts about this installation each: server id, set-up state, catalogue revision.
create table meta (
    key   text primary key not null,
    value text not null
) strict, without rowid;

-- A named tier. A null cap is "no limit".
create table plan (
    plan_id          integer primary key autoincrement not null,
    name             text not null unique collate nocase,
    label            text not null default '',
    quota_bytes      integer check (quota_bytes is null or quota_bytes >= 0),
    max_bitrate_kbps integer,
    max_streams      integer,
    max_transcodes   integer,
    created_at       integer not null
) strict;

-- `name` is the login name, fixed for life because the locker's folder carries it.
create table user (
    user_id       integer primary key autoincrement not null,
    name          text not null unique collate nocase,
    display_name  text not null default '',
    email         text not null default '',
    role          text not null check (role in ('admin', 'user')),
    -- Argon2id in PHC form; never recoverable.
    password_hash text not null,
    plan_id       integer not null references plan,
    -- Subsonic role switches and per-user settings, as JSON of `accounts::Abilities`.
    abilities     text not null default '{}',
    -- The user's own ceiling on top of the plan's.
    max_bitrate_kbps integer,
    created_at    integer not null,
    changed_at    integer not null,
    disabled_at   integer
) strict;
create index user_plan on user (plan_id);

-- One random secret an app. `sealed` is XChaCha20-Poly1305 under the server key (t+s needs the clear text);
-- `lookup` is a keyed hash of it, so that an apiKey is found without opening any.
create table app_password (
    app_password_id integer primary key autoincrement not null,
    user_id         integer not null references user on delete cascade,
    label           text not null,
    lookup          blob not null unique,
    sealed          blob not null,
    created_at      integer not null,
    used_at         integer,
    used_by         text not null default '',
    used_from       text not null default ''
) strict;
create index app_password_user on app_password (user_id);

-- A browser that signed in. Only a keyed hash of the cookie is kept.
create table session (
    session_id  blob primary key not null,
    user_id     integer not null references user on delete cascade,
    created_at  integer not null,
    seen_at     integer not null,
    expires_at  integer not null,
    user_agent  text not null default '',
    address     text not null default ''
) strict, without rowid;
create index session_user on session (user_id);
create index session_expiry on session (expires_at);

-- A tree of files that is charged: one for each user, one for the household.
create table locker (
    locker_id      integer primary key autoincrement not null,
    kind           text not null check (kind in ('user', 'household')),
    user_id        integer unique references user on delete set null,
    -- The household locker's own tier; a user's locker follows the user's plan.
    plan_id        integer references plan,
    -- Folder below the drive root.
    path           text not null unique,
    used_bytes     integer not null default 0 check (used_bytes >= 0),
    reserved_bytes integer not null default 0 check (reserved_bytes >= 0),
    created_at     integer not null
) strict;

-- Bytes promised to uploads in flight. What a crash left is released at start.
create table reservation (
    reservation_id integer primary key autoincrement not null,
    locker_id      integer not null references locker on delete cascade,
    bytes          integer not null check (bytes >= 0),
    staging        text not null,
    created_at     integer not null
) strict;
create index reservation_locker on reservation (locker_id);

-- Every change of a figure, so that any figure can be explained.
create table ledger (
    ledger_id integer primary key autoincrement not null,
    at        integer not null,
    locker_id integer not null references locker on delete cascade,
    user_id   integer references user on delete set null,
    bytes     integer not null,
    reason    text not null,
    path      text not null default ''
) strict;
create index ledger_locker on ledger (locker_id, at);

-- Devices seen on the LAN listener. DLNA devices act as the household unless bound to a user.
create table lan_device (
    lan_device_id integer primary key autoincrement not null,
    address       text not null unique,
    user_agent    text not null default '',
    name          text not null default '',
    blocked_at    integer,
    user_id       integer references user on delete set null,
    first_seen_at integer not null,
    seen_at       integer not null
) strict;
