-- A removed user's locker whose files go for good, where an administrator said so. It stays until they
-- are gone: what a crash interrupts goes on at the next start.
alter table locker add column is_erased integer not null default 0 check (is_erased in (0, 1));
