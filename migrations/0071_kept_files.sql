-- All that a row says of a file comes back with it. How its bytes got here is `origin` (0085), which `stored_as` said twice.
alter table drive_file drop column stored_as;
alter table drive_kept_file drop column stored_as;
alter table drive_kept_file add column quick_key blob;
alter table drive_kept_file add column origin text not null default 'own';
alter table drive_kept_file add column exempt text;
alter table drive_kept_file add column charged_bytes integer;
alter table drive_kept_file add column stored_at integer not null default 0;
