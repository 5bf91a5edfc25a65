-- Albums by genre in the order in which lists show them, so that any page of such a list is one
-- stretch of an index. Only albums with tracks that are there; made anew with the album's counts.
create table genre_album (
    genre_id   integer not null references genre on delete cascade,
    -- The album's own, and its library: a list needs nothing else.
    order_key  text not null,
    album_id   integer not null references album on delete cascade,
    library_id integer not null,
    -- 0 is the genre that most of its tracks have.
    place      integer not null,
    -- How many of its tracks have it.
    tracks     integer not null,
    primary key (genre_id, order_key, album_id)
) strict, without rowid;
create index genre_album_place on genre_album (album_id, place, genre_id);
create index genre_album_counts on genre_album (genre_id, library_id, tracks);

insert into genre_album (genre_id, order_key, album_id, library_id, place, tracks)
select genre_id, order_key, album_id, library_id,
       row_number() over (partition by album_id order by tracks desc, position, name) - 1, tracks
from (select a.album_id, a.library_id, a.order_key, g.genre_id, g.name,
             count(*) as tracks, min(tg.position) as position
      from album a cross join track t on t.album_id = a.album_id and t.missing_at is null
           cross join track_genre tg using (track_id) cross join genre g using (genre_id)
      where a.track_count > 0
      group by a.album_id, g.genre_id);

-- What a user starred, rated and played, in the orders of the lists of it.
drop index annotation_starred;
drop index annotation_played;
drop index annotation_count;
drop index annotation_rating;
create index annotation_starred on annotation (user_id, kind, starred_at, item_id) where starred_at is not null;
create index annotation_played on annotation (user_id, kind, played_at, item_id, play_count) where played_at is not null;
create index annotation_count on annotation (user_id, kind, play_count, played_at, item_id) where play_count > 0;
create index annotation_rating on annotation (user_id, kind, rating, rated_at, item_id) where rating is not null;

-- The picture that stands for a folder: its own, else that of an album in it or below; with the
-- beginning of its hash, as identifiers of covers carry it. A picture's hash never changes.
alter table folder add column face_id integer;
alter table folder add column face_hash text;
update folder set (face_id, face_hash) = (
    select p.picture_id, hex(substr(p.hash, 1, 4)) from picture p where p.picture_id = coalesce(
        folder.picture_id,
        (select b.picture_id from album b where b.folder_id = folder.folder_id and b.picture_id is not null limit 1),
        (select b.picture_id
         from (select c.folder_id from folder c
               where c.library_id = folder.library_id and folder.path <> ''
                 and c.path > folder.path || '/' and c.path < folder.path || '0'
               order by c.path limit 300) c
              join album b on b.folder_id = c.folder_id
         where b.picture_id is not null limit 1)));

-- Likewise beside albums, and beside what a library holds of an artist.
alter table album add column picture_hash text;
update album set picture_hash =
    (select hex(substr(p.hash, 1, 4)) from picture p where p.picture_id = album.picture_id)
where picture_id is not null;
alter table artist_work add column picture_hash text;
update artist_work set picture_hash =
    (select hex(substr(p.hash, 1, 4)) from picture p where p.picture_id = artist_work.picture_id)
where picture_id is not null;
