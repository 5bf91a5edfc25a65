-- Lists pass over albums without tracks inside the index alone.
drop index album_order;
drop index album_by_artist;
drop index album_newest;
drop index album_year;
create index album_order on album (order_key, album_id, library_id) where track_count > 0;
create index album_by_artist on album (artist_order_key, order_key, album_id, library_id) where track_count > 0;
create index album_newest on album (created_at, album_id, library_id) where track_count > 0;
create index album_year on album (year, order_key, album_id, library_id) where track_count > 0;
create index album_present on album (album_id, library_id) where track_count > 0;

-- What each library holds of an artist, so that lists of artists need not look at every track.
-- Worked out anew for those who stand in `artist_stale`, before the next read that needs it.
create table artist_work (
    artist_id    integer not null references artist on delete cascade,
    library_id   integer not null references library on delete cascade,
    -- Present ones, in any role; albums as album artist.
    tracks       integer not null,
    albums       integer not null,
    -- Distinct roles with a comma before, between and after.
    roles        text not null,
    -- The cover of the latest album that has one, and that album's year.
    picture_id   integer,
    picture_year integer,
    primary key (artist_id, library_id)
) strict, without rowid;
create index artist_work_library on artist_work (library_id);

create table artist_stale (artist_id integer primary key not null) strict;
create trigger artist_is_new after insert on artist begin
    insert or ignore into artist_stale values (new.artist_id);
end;
insert into artist_stale select artist_id from artist;
