-- Every album and track of a page names artists. Read from an index that holds nothing else, those of
-- fifty thousand stay in the few pages that a connection keeps.
create index artist_names on artist (artist_id, name);
