-- Files that are handed over (deliveries, imports) on their way to their place: written before the
-- rename, gone with the transaction that counts them. What is left at a start was cut short, and the
-- hash tells whether the file came to its place.
create table drive_handover (
    drive_handover_id integer primary key autoincrement not null,
    locker_id        integer not null references locker on delete cascade,
    path             text not null,
    content_hash     blob not null,
    user_id          integer not null,
    exempt           text,
    source           text,
    delivery_item_id integer references delivery_item on delete cascade
) strict;
create index drive_handover_locker on drive_handover (locker_id);
create index drive_handover_item on drive_handover (delivery_item_id);
