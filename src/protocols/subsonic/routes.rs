//! The table of contents: every method of the protocol and where it is answered. Sorted, so that
//! a name is found by bisection.

use futures_util::future::LocalBoxFuture;

use super::{
    album_song_lists, bookmarks, browsing,
    call::{Answer, Call},
    chat, hls, internet_radio, jukebox, media_annotation, media_library_scanning, media_retrieval,
    playlists, podcasts,
    reply::Spelling,
    searching, sharing, system, transcoding, unoffered, user_management,
};

/// Who may call a method.
#[derive(Clone, Copy)]
pub(super) enum Access {
    /// Anybody, unasked.
    Anyone(fn(Spelling<'_>) -> Answer),
    /// Who has signed in; it is answered at once.
    Plain(fn(&Call) -> Answer),
    /// Who has signed in; it may take a while.
    Known(for<'a> fn(&'a Call) -> LocalBoxFuture<'a, Answer>),
}

/// The method of this name.
pub(super) fn find(name: &str) -> Option<Access> {
    let at = ROUTES.binary_search_by(|(each, _)| (*each).cmp(name)).ok()?;
    Some(ROUTES[at].1)
}

/// The names of all methods, sorted.
pub fn methods() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|(name, _)| *name)
}

use Access::{Anyone, Known, Plain};

const ROUTES: &[(&str, Access)] = &[
    ("addChatMessage", Known(|call| Box::pin(chat::add_chat_message(call)))),
    ("changePassword", Known(|call| Box::pin(user_management::change_password(call)))),
    ("createBookmark", Known(|call| Box::pin(bookmarks::create_bookmark(call)))),
    (
        "createInternetRadioStation",
        Known(|call| Box::pin(internet_radio::create_internet_radio_station(call))),
    ),
    ("createPlaylist", Known(|call| Box::pin(playlists::create_playlist(call)))),
    ("createPodcastChannel", Known(|call| Box::pin(podcasts::create_podcast_channel(call)))),
    ("createShare", Known(|call| Box::pin(sharing::create_share(call)))),
    ("createUser", Known(|call| Box::pin(user_management::create_user(call)))),
    ("deleteBookmark", Known(|call| Box::pin(bookmarks::delete_bookmark(call)))),
    (
        "deleteInternetRadioStation",
        Known(|call| Box::pin(internet_radio::delete_internet_radio_station(call))),
    ),
    ("deletePlaylist", Known(|call| Box::pin(playlists::delete_playlist(call)))),
    ("deletePodcastChannel", Known(|call| Box::pin(podcasts::delete_podcast_channel(call)))),
    ("deletePodcastEpisode", Known(|call| Box::pin(podcasts::delete_podcast_episode(call)))),
    ("deleteShare", Known(|call| Box::pin(sharing::delete_share(call)))),
    ("deleteUser", Known(|call| Box::pin(user_management::delete_user(call)))),
    ("download", Known(|call| Box::pin(media_retrieval::download(call)))),
    ("downloadPodcastEpisode", Known(|call| Box::pin(podcasts::download_podcast_episode(call)))),
    ("findSonicPath", Known(|call| Box::pin(browsing::find_sonic_path(call)))),
    ("getAlbum", Known(|call| Box::pin(browsing::get_album(call)))),
    ("getAlbumInfo", Known(|call| Box::pin(browsing::get_album_info(call)))),
    ("getAlbumInfo2", Known(|call| Box::pin(browsing::get_album_info(call)))),
    ("getAlbumList", Known(|call| Box::pin(album_song_lists::get_album_list(call)))),
    ("getAlbumList2", Known(|call| Box::pin(album_song_lists::get_album_list2(call)))),
    ("getArtist", Known(|call| Box::pin(browsing::get_artist(call)))),
    ("getArtistInfo", Known(|call| Box::pin(browsing::get_artist_info(call)))),
    ("getArtistInfo2", Known(|call| Box::pin(browsing::get_artist_info2(call)))),
    ("getArtists", Known(|call| Box::pin(browsing::get_artists(call)))),
    ("getAvatar", Known(|call| Box::pin(media_retrieval::get_avatar(call)))),
    ("getBookmarks", Known(|call| Box::pin(bookmarks::get_bookmarks(call)))),
    ("getCaptions", Plain(unoffered::no_captions)),
    ("getChatMessages", Known(|call| Box::pin(chat::get_chat_messages(call)))),
    ("getCoverArt", Known(|call| Box::pin(media_retrieval::get_cover_art(call)))),
    ("getGenres", Known(|call| Box::pin(browsing::get_genres(call)))),
    ("getIndexes", Known(|call| Box::pin(browsing::get_indexes(call)))),
    (
        "getInternetRadioStations",
        Known(|call| Box::pin(internet_radio::get_internet_radio_stations(call))),
    ),
    ("getLicense", Plain(system::get_license)),
    ("getLyrics", Known(|call| Box::pin(media_retrieval::get_lyrics(call)))),
    ("getLyricsBySongId", Known(|call| Box::pin(media_retrieval::get_lyrics_by_song_id(call)))),
    ("getMusicDirectory", Known(|call| Box::pin(browsing::get_music_directory(call)))),
    ("getMusicFolders", Known(|call| Box::pin(browsing::get_music_folders(call)))),
    ("getNewestPodcasts", Known(|call| Box::pin(podcasts::get_newest_podcasts(call)))),
    ("getNowPlaying", Known(|call| Box::pin(album_song_lists::get_now_playing(call)))),
    ("getOpenSubsonicExtensions", Anyone(system::get_open_subsonic_extensions)),
    ("getPlayQueue", Known(|call| Box::pin(bookmarks::get_play_queue(call)))),
    ("getPlayQueueByIndex", Known(|call| Box::pin(bookmarks::get_play_queue_by_index(call)))),
    ("getPlaylist", Known(|call| Box::pin(playlists::get_playlist(call)))),
    ("getPlaylists", Known(|call| Box::pin(playlists::get_playlists(call)))),
    ("getPodcastEpisode", Known(|call| Box::pin(podcasts::get_podcast_episode(call)))),
    ("getPodcasts", Known(|call| Box::pin(podcasts::get_podcasts(call)))),
    ("getRandomSongs", Known(|call| Box::pin(album_song_lists::get_random_songs(call)))),
    ("getScanStatus", Plain(media_library_scanning::get_scan_status)),
    ("getShares", Known(|call| Box::pin(sharing::get_shares(call)))),
    ("getSimilarSongs", Known(|call| Box::pin(browsing::get_similar_songs(call)))),
    ("getSimilarSongs2", Known(|call| Box::pin(browsing::get_similar_songs2(call)))),
    ("getSong", Known(|call| Box::pin(browsing::get_song(call)))),
    ("getSongsByGenre", Known(|call| Box::pin(album_song_lists::get_songs_by_genre(call)))),
    ("getSonicSimilarTracks", Known(|call| Box::pin(browsing::get_sonic_similar_tracks(call)))),
    ("getStarred", Known(|call| Box::pin(album_song_lists::get_starred(call)))),
    ("getStarred2", Known(|call| Box::pin(album_song_lists::get_starred2(call)))),
    ("getTopSongs", Known(|call| Box::pin(browsing::get_top_songs(call)))),
    ("getTranscodeDecision", Known(|call| Box::pin(transcoding::get_transcode_decision(call)))),
    ("getTranscodeStream", Known(|call| Box::pin(transcoding::get_transcode_stream(call)))),
    ("getUser", Known(|call| Box::pin(user_management::get_user(call)))),
    ("getUsers", Known(|call| Box::pin(user_management::get_users(call)))),
    ("getVideoInfo", Plain(unoffered::no_video)),
    ("getVideos", Plain(unoffered::no_videos)),
    ("hls", Known(|call| Box::pin(hls::hls(call)))),
    ("hls.m3u8", Known(|call| Box::pin(hls::hls(call)))),
    ("jukeboxControl", Known(|call| Box::pin(jukebox::jukebox_control(call)))),
    ("ping", Plain(system::ping)),
    ("refreshPodcasts", Known(|call| Box::pin(podcasts::refresh_podcasts(call)))),
    ("reportPlayback", Known(|call| Box::pin(media_annotation::report_playback(call)))),
    ("savePlayQueue", Known(|call| Box::pin(bookmarks::save_play_queue(call)))),
    ("savePlayQueueByIndex", Known(|call| Box::pin(bookmarks::save_play_queue_by_index(call)))),
    ("scrobble", Known(|call| Box::pin(media_annotation::scrobble(call)))),
    ("search", Known(|call| Box::pin(searching::search(call)))),
    ("search2", Known(|call| Box::pin(searching::search2(call)))),
    ("search3", Known(|call| Box::pin(searching::search3(call)))),
    ("setRating", Known(|call| Box::pin(media_annotation::set_rating(call)))),
    ("star", Known(|call| Box::pin(media_annotation::star(call)))),
    ("startScan", Plain(media_library_scanning::start_scan)),
    ("stream", Known(|call| Box::pin(media_retrieval::stream(call)))),
    ("tokenInfo", Plain(system::token_info)),
    ("unstar", Known(|call| Box::pin(media_annotation::unstar(call)))),
    (
        "updateInternetRadioStation",
        Known(|call| Box::pin(internet_radio::update_internet_radio_station(call))),
    ),
    ("updatePlaylist", Known(|call| Box::pin(playlists::update_playlist(call)))),
    ("updateShare", Known(|call| Box::pin(sharing::update_share(call)))),
    ("updateUser", Known(|call| Box::pin(user_management::update_user(call)))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found() {
        assert!(ROUTES.is_sorted_by(|(one, _), (other, _)| one < other));
        for name in methods() {
            assert!(find(name).is_some(), "{name}");
        }
        for name in ["", "Ping", "getalbum", "getAlbum.view", "zzz"] {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
