-- Where listens are passed on to. The history itself (`listen`) is the outbox: an account remembers how far it was sent.
create table scrobble_account (
    user_id     integer not null references user on delete cascade,
    service     text not null check (service in ('lastfm', 'listenbrainz')),
    -- The user's name there.
    name        text not null,
    -- Session key or token, sealed under the server key.
    sealed      blob not null,
    -- Love there what is starred here.
    sends_stars integer not null default 1 check (sends_stars in (0, 1)),
    -- The last listen that was sent, or given up.
    listen_id   integer not null,
    failures    integer not null default 0,
    next_try_at integer not null default 0,
    -- Why nothing goes through now, as a sentence; '' while all is well.
    error       text not null default '',
    -- The service refuses the credential: only the user can mend that.
    is_broken   integer not null default 0 check (is_broken in (0, 1)),
    -- Listens that the service did not want.
    refused     integer not null default 0,
    sent        integer not null default 0,
    sent_at     integer,
    created_at  integer not null,
    primary key (user_id, service)
) strict, without rowid;

-- What the service was told to love; compared with the stars.
create table scrobble_love (
    user_id  integer not null,
    service  text not null,
    track_id integer not null references track on delete cascade,
    primary key (user_id, service, track_id),
    foreign key (user_id, service) references scrobble_account (user_id, service) on delete cascade
) strict, without rowid;
create index scrobble_love_track on scrobble_love (track_id);
