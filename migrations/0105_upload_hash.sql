-- BLAKE3 of a whole upload, known before it is put in its place: after a crash it tells which of the
-- two files, the one in staging or the one in the place, is the upload.
alter table upload add column content_hash blob;
