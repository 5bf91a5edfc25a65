-- What a listen is known by. `source`: 'scrobble' (an app said that it was heard), 'report' (an app
-- told how it went), 'player' (the panel), 'jukebox' (the speakers of the house).
alter table listen add column source text not null default 'scrobble';
-- How much of the track sounded; null when nobody said.
alter table listen add column heard_ms integer;
-- When it ended, where that is known.
alter table listen add column ended_at integer;
-- The time under which the same client told the same listen in the other way (scrobble and report),
-- so that neither way counts it again.
alter table listen add column twin_at integer;
create index listen_track on listen (user_id, track_id, at);
