-- Stations of internet radio. Clients play their streams themselves.
create table radio_station (
    station_id   integer primary key autoincrement not null,
    name         text not null,
    stream_url   text not null,
    homepage_url text not null default '',
    -- Of `remote_picture`.
    picture      text,
    created_at   integer not null,
    changed_at   integer not null
) strict;
