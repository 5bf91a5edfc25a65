-- A download that broke off: the upload of the drive that holds what arrived, and by what the server knows the
-- file again (its ETag, or the date of its last change).
alter table podcast_download add column upload_id text;
alter table podcast_download add column validator text not null default '';
