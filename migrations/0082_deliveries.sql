-- Purchases handed over by shops: keys, orders with their files, what an album brings, and invitations.

-- A shop's secret. Only a keyed hash of it is kept.
create table delivery_key (
    delivery_key_id integer primary key autoincrement not null,
    label           text not null,
    lookup          blob not null unique,
    -- Whose uploads it may hand over.
    user_id         integer not null references user on delete cascade,
    created_at      integer not null,
    used_at         integer,
    revoked_at      integer
) strict;
create index delivery_key_user on delivery_key (user_id);

create table delivery (
    delivery_id integer primary key autoincrement not null,
    -- Who hands over: `key:ID`, `command`, or `folder:USER`.
    source      text not null,
    order_id    text not null,
    -- BLAKE3 of what was asked for: the same order with another content is refused.
    digest      blob not null,
    user_id     integer references user on delete set null,
    product     text not null check (product in ('album', 'other')),
    -- Null where the files count.
    exempt      text check (exempt in ('purchase', 'gift', 'import')),
    -- As sent: what is granted once everything is there.
    grants      text not null default '[]',
    state       text not null default 'open' check (state in ('open', 'done')),
    created_at  integer not null,
    done_at     integer,
    unique (source, order_id)
) strict;
create index delivery_user on delivery (user_id);

create table delivery_item (
    delivery_item_id integer primary key autoincrement not null,
    delivery_id      integer not null references delivery on delete cascade,
    -- `upload:ID`, `url:ADDRESS` or `file:PATH`.
    origin           text not null,
    -- Where it goes, then where it lies.
    path             text not null,
    size_bytes       integer,
    state            text not null default 'waiting' check (state in ('waiting', 'stored', 'failed')),
    -- Why it failed, as a sentence.
    problem          text not null default ''
) strict;
create index delivery_item_delivery on delivery_item (delivery_id);

-- What a delivery brings by itself.
create table bonus_rule (
    bonus_rule_id integer primary key autoincrement not null,
    product       text not null check (product in ('album', 'any')),
    -- A tier by its plan, or so many bytes more.
    plan_id       integer references plan on delete cascade,
    bytes         integer check (bytes >= 0),
    -- Null has no end.
    days          integer check (0 < days),
    created_at    integer not null,
    check ((plan_id is null) <> (bytes is null))
) strict;
create index bonus_rule_plan on bonus_rule (plan_id) where plan_id is not null;

-- A link by which somebody chooses a password for an account that was made for him.
create table invitation (
    user_id    integer primary key not null references user on delete cascade,
    lookup     blob not null unique,
    -- The link's secret, closed under the server's key, to be shown to the shop again.
    sealed     blob not null,
    created_at integer not null,
    expires_at integer not null
) strict;
