-- Files of an order that are fetched from addresses: by what their server knows a file again of which a part
-- has arrived (its ETag, or the date of its last change). The part itself is an upload with the file's number.
alter table delivery_item add column validator text;
