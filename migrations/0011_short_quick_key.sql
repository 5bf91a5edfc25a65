-- Keys are hashes, so each new one lands on another page of their index: eight of its 32 bytes tell
-- files apart as well, in a third of the pages.
drop index media_file_quick;
create index media_file_quick on media_file (substr(quick_key, 1, 8)) where quick_key is not null;
