-- The promise that something kept gave way to: as long as nobody knows whether its upload will come to
-- anything, the bytes stay where they are. They go when it is settled, and come back when it is given up.
alter table drive_kept add column held_by integer;
create index drive_kept_held on drive_kept (held_by) where held_by is not null;
