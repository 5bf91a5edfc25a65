-- Files that look like music and are not playable, by path, for the lists that say why.
create index media_file_unreadable on media_file (library_id, path) where state = 'unreadable';

-- Who types the beginning of a title wants that title: a match there outweighs any number of
-- matches in the names of album and artist, which are equal among themselves.
insert into track_search (track_search, rank) values ('rank', 'bm25(1000.0, 1.0, 1.0)');
insert into album_search (album_search, rank) values ('rank', 'bm25(1000.0, 1.0)');
