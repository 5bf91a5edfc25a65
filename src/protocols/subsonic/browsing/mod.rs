//! Browsing: music folders, directories as they lie on disk, the view by tags, and what goes with
//! what.

mod about;
mod directories;
mod either;
mod sonic;
mod tags;

pub(super) use about::{
    get_album_info, get_artist_info, get_artist_info2, get_similar_songs, get_similar_songs2,
    get_top_songs,
};
pub(super) use directories::{get_indexes, get_music_directory, get_music_folders};
pub(super) use sonic::{find_sonic_path, get_sonic_similar_tracks};
pub(super) use tags::{get_album, get_artist, get_artists, get_genres, get_song};
