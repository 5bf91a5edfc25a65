-- What a duplicate's removal added to the track that stays, as JSON of `catalog::Merged`, so that
-- it can be taken back.
alter table duplicate_action add column merged text;
