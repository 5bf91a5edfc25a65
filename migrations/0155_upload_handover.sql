-- What else is known of an upload that is fetched or handed over: the address that its bytes come from, why
-- it will not count, and the file of a delivery that it is to be. It becomes the file's in the transaction
-- that publishes it, whatever crashes before.
alter table upload add column source text;
alter table upload add column exempt text;
alter table upload add column delivery_item_id integer references delivery_item on delete set null;
create index upload_delivery_item on upload (delivery_item_id) where delivery_item_id is not null;
