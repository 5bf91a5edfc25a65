-- The tracks of an album in their order, and who of them is there, inside the index alone: their rows are wide.
drop index track_album;
create index track_album on track (album_id, missing_at, disc, number, order_key, track_id);
