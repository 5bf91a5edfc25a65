-- Albums that are called alike by one artist are told apart where apps file songs by name: the first
-- is 0. It counts on from the highest there was, so that no other album ever gets a kept one's name.
alter table album add column edition integer not null default 0;
update album set edition = alike.number
from (select album_id, row_number() over (partition by artist_order_key, order_key order by album_id) - 1 as number
      from album) alike
where alike.album_id = album.album_id and alike.number > 0;

-- What a track shows of its album, and nothing else: a list that is drawn by lot would else read a
-- page of whole albums for each track.
create index album_shown on album (album_id, picture_id, picture_hash, edition);
