-- How much may be streamed: caps of a plan, and what each user took, day by day of the server's own time.
alter table plan add column stream_day_bytes integer check (stream_day_bytes >= 0);
alter table plan add column stream_month_bytes integer check (stream_month_bytes >= 0);
-- kbit/s, all streams of a user together.
alter table plan add column stream_rate_kbps integer check (0 < stream_rate_kbps);

create table stream_use (
    user_id integer not null references user on delete cascade,
    -- `2026-11-25`
    day     text not null,
    bytes   integer not null check (bytes >= 0),
    primary key (user_id, day)
) strict, without rowid;
