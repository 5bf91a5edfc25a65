-- What a broken connection or a stop left of a file that is imported: the upload of the drive that holds what
-- arrived, and by what its server knows the file again (its ETag, or the date of its last change).
create table import_begun (
    import_id integer not null references import on delete cascade,
    -- As it was asked for.
    url       text not null,
    upload_id text not null,
    validator text not null,
    primary key (import_id, url)
) strict, without rowid;
