-- What administrators chose in the panel: one row each, absent means the default. Secrets are sealed under the server key.
create table setting (
    name       text primary key not null,
    value      text not null,
    changed_at integer not null
) strict, without rowid;
