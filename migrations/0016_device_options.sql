-- What an administrator told of a device on the LAN that its own words do not tell.
alter table lan_device add column numbers_titles integer not null default 0 check (numbers_titles in (0, 1));
alter table lan_device add column hides_length integer not null default 0 check (hides_length in (0, 1));
