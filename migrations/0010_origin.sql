-- Rows that were born when tracks of another row were tagged anew: if those that stayed behind
-- follow soon, the older row goes on under the new key, and with it what people added to it.
alter table album add column origin_id integer;
alter table artist add column origin_id integer;
