//! The library of iTunes or Apple Music.

use serde_json::json;
use tunelocker::{
    catalog::Trial,
    moving::{self, Outcome, Program},
};

use super::bring;
use crate::subsonic::{House, names};

const LIBRARY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Major Version</key><integer>1</integer>
	<key>Library Persistent ID</key><string>6B6A2D4B9C042AA1</string>
	<key>Tracks</key>
	<dict>
		<key>100</key>
		<dict>
			<key>Track ID</key><integer>100</integer>
			<key>Name</key><string>First</string><key>Artist</key><string>A Band</string><key>Album</key><string>Hits</string>
			<key>Total Time</key><integer>2000</integer>
			<key>Play Count</key><integer>21</integer><key>Play Date</key><integer>3579098239</integer>
			<key>Play Date UTC</key><date>2024-01-23T18:57:19Z</date>
			<key>Rating</key><integer>80</integer><key>Loved</key><true/>
			<key>Location</key><string>file://localhost/C:/Users/Ann/Music/iTunes/iTunes%20Media/Music/Various/Hits/01%20First.flac</string>
		</dict>
		<key>101</key>
		<dict>
			<key>Track ID</key><integer>101</integer>
			<key>Name</key><string>Second</string><key>Artist</key><string>O&#x304;ther Band</string><key>Album</key><string>Hits</string>
			<key>Total Time</key><integer>2400</integer>
			<key>Rating</key><integer>60</integer><key>Rating Computed</key><true/>
			<key>Album Rating</key><integer>100</integer><key>Album Artist</key><string>Various Artists</string>
			<key>Location</key><string>file:///Users/ann/Music/elsewhere.m4a</string>
		</dict>
		<key>102</key>
		<dict>
			<key>Track ID</key><integer>102</integer><key>Name</key><string>Talk</string><key>Podcast</key><true/>
			<key>Play Count</key><integer>3</integer>
		</dict>
		<key>103</key>
		<dict>
			<key>Track ID</key><integer>103</integer><key>Name</key><string>Rented &amp; gone</string>
			<key>Play Count</key><integer>1</integer><key>Track Type</key><string>Remote</string>
		</dict>
	</dict>
	<key>Playlists</key>
	<array>
		<dict><key>Name</key><string>Library</string><key>Master</key><true/>
			<key>Playlist Items</key><array><dict><key>Track ID</key><integer>100</integer></dict></array></dict>
		<dict><key>Name</key><string>Music</string><key>Distinguished Kind</key><integer>4</integer></dict>
		<dict><key>Name</key><string>A Folder</string><key>Folder</key><true/></dict>
		<dict><key>Name</key><string>Running</string><key>Playlist Persistent ID</key><string>2216D24E0458F2DD</string>
			<key>Playlist Items</key>
			<array>
				<dict><key>Track ID</key><integer>101</integer></dict>
				<dict><key>Track ID</key><integer>103</integer></dict>
				<dict><key>Track ID</key><integer>100</integer></dict>
			</array></dict>
		<dict><key>Name</key><string>Top Rated</string><key>Smart Info</key><data>AQEAAw==</data>
			<key>Playlist Items</key><array><dict><key>Track ID</key><integer>100</integer></dict></array></dict>
	</array>
	<key>Music Folder</key><string>file://localhost/C:/Users/Ann/Music/</string>
</dict>
</plist>
"#;

#[tokio::test]
async fn moving_itunes_belongs_to_whom_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Library.xml");
    std::fs::write(&path, LIBRARY).unwrap();
    let house = House::open().await;
    let ann = &house.ann;
    let came = bring(&house, Program::ITunes, &path, Some("ann"), Trial::No).await;
    let taken = came.taken("");
    assert_eq!(taken.tracks, [Outcome::Path, Outcome::Unknown, Outcome::Tags], "{taken:?}");
    assert_eq!((taken.stars.taken, taken.ratings.taken, taken.plays.taken), (1, 2, 21));
    let first = ann.id("song", "First").await;
    let first = ann.ok("getSong", &format!("id={first}")).await["song"].clone();
    assert_eq!((&first["userRating"], &first["playCount"]), (&json!(4), &json!(21)));
    assert!(first["played"].as_str().unwrap().starts_with("2024-01-23T18:57:19"));
    let hits = ann.id("album", "Hits").await;
    assert_eq!(ann.ok("getAlbum", &format!("id={hits}")).await["album"]["userRating"], 5);
    let lists = ann.ok("getPlaylists", "").await["playlists"]["playlist"].clone();
    assert_eq!(names(&lists), ["Running", "Top Rated"]);
    let running = lists[0]["id"].as_str().unwrap();
    let running = ann.ok("getPlaylist", &format!("id={running}")).await["playlist"].clone();
    assert_eq!(names(&running["entry"]), ["Second", "First"]);
    let left_out = came.1.left_out.join("\n");
    assert!(left_out.contains("Top Rated") && left_out.contains("A Folder"), "{left_out}");
    let again = bring(&house, Program::ITunes, &path, Some("ann"), Trial::No).await;
    assert_eq!((again.taken("").plays.taken, again.taken("").lists.taken), (0, 0));

    for wrong in
        ["<plist><dict/></plist>", "<html/>", "no xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><plist/>"]
    {
        std::fs::write(&path, wrong).unwrap();
        assert!(moving::read(Program::ITunes, &path, None).await.is_err(), "{wrong}");
    }
}
