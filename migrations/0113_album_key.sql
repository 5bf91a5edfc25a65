-- Finds albums that are in several libraries.
create index album_key on album (key, library_id) where track_count > 0;
