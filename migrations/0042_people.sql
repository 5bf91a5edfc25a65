-- What the people of the house say to each other. Only the latest are kept.
create table chat_message (
    chat_message_id integer primary key autoincrement not null,
    user_id         integer not null references user on delete cascade,
    -- Strictly growing, so that whoever asks for what came since misses nothing.
    at              integer not null unique,
    message         text not null
) strict;

-- A person's picture, encoded anew by us whatever was uploaded.
create table avatar (
    user_id    integer primary key not null references user on delete cascade,
    jpeg       blob not null,
    changed_at integer not null
) strict;
