-- Files that are handed over (deliveries, imports) on their way to their place: written before the
-- rename, gone with the transaction that counts them. What is left at a start was cut short, and the
-- hash tells whether the file came to its place.
create table drive_placing (
    drive_placing_id integer primary key autoincrement not null,
    locker_id        integer not null references locker on delete cascade,
    path             text not null,
    content_hash     blob not null,
    user_id          integer not null,
    exempt           text,
    source           text,
    delivery_item_id integer references delivery_item on delete cascade
) strict;
create index drive_placing_locker on drive_placing (locker_id);
create index drive_placing_item on drive_placing (delivery_item_id);
