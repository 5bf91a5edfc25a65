-- What is known of apps, by the name that they give themselves, and what people want of playback.

-- `client` is matched as a prefix, whatever the case; '*' stands for all that no other row fits.
create table client_profile (
    client_profile_id integer primary key autoincrement not null,
    client          text not null unique collate nocase check (client <> ''),
    note            text not null default '',
    -- JSON array of 'codec' or 'container/codec', by the catalogue's names. Empty: it plays everything.
    plays           text not null default '[]',
    -- What it plays at most; null is no limit.
    max_sample_rate integer,
    max_channels    integer,
    max_bit_depth   integer,
    -- What it is given where it does not play the original or the original is over a limit.
    target          text not null default 'mp3',
    mode            text not null default 'constant' check (mode in ('constant', 'variable')),
    -- Most kbit/s inside and outside of the house; null is no limit.
    lan_kbps        integer,
    outside_kbps    integer,
    -- Loudness correction of its transcodes; null leaves it to the user.
    gain            text check (gain in ('off', 'track', 'album', 'auto')),
    changed_at      integer not null default 0
) strict;

-- Nobody is transcoded for unasked, except where an app is known not to play a codec.
insert into client_profile (client, note) values
    ('*', 'Everybody else'),
    ('Symfonium', 'Android'),
    ('DSub', 'Android'),
    ('Ultrasonic', 'Android'),
    ('Tempo', 'Android'),
    ('Tempus', 'Android'),
    ('substreamer', 'Android and iOS'),
    ('Subtracks', 'Android'),
    ('play:Sub', 'iOS'),
    ('Amperfy', 'iOS and macOS'),
    ('Arpeggi', 'iOS'),
    ('Nautiline', 'iOS'),
    ('Musly', 'Phones and desktop'),
    ('Feishin', 'Desktop and web'),
    ('Supersonic', 'Desktop'),
    ('Sublime Music', 'Linux'),
    ('Strawberry', 'Desktop'),
    ('Music Assistant', 'Home automation');
insert into client_profile (client, note, plays) values
    ('Jamstash', 'Web; plays FLAC badly', '["mp3","mp4/aac","adts/aac","ogg/vorbis","wav/pcm"]'),
    ('Aonsoku', 'Web: what browsers play',
     '["mp3","flac/flac","ogg/vorbis","ogg/opus","ogg/flac","mp4/aac","adts/aac","wav/pcm"]'),
    ('SubMusic', 'Garmin watches', '["mp3","mp4/aac","adts/aac","wav/pcm"]');
insert into client_profile (client, note, plays, max_sample_rate, max_channels, target) values
    ('bonob', 'Sonos', '["mp3","flac/flac","mp4/aac","mp4/alac","adts/aac","ogg/vorbis","wav/pcm","aiff/pcm"]',
     48000, 2, 'flac');

-- A user's own wishes.
create table listening_preference (
    user_id integer primary key not null references user on delete cascade,
    gain    text not null default 'off' check (gain in ('off', 'track', 'album', 'auto'))
) strict;
