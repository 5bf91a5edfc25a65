-- An upload that replaces a file needs room for the difference only. Of those that wait for one place
-- one gets that credit, for as long as it is open: the bytes that it may leave unpromised.
alter table upload add column credit_bytes integer not null default 0 check (credit_bytes >= 0);
create unique index upload_credit on upload (locker_id, path) where 0 < credit_bytes and etag is null;
