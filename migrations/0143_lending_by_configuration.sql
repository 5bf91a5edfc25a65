-- The configuration says whether lockers may point at files of this folder (`lends.NAME`): then nobody else does.
alter table library add column is_lending_configured integer not null default 0 check (is_lending_configured in (0, 1));
