//! Several originals to take home, as one archive: albums, artists, playlists, folders, and
//! whatever list a face has. Names come from tags, made safe; nothing is transcoded.

use std::collections::HashSet;

use super::{
    Playback,
    open::{metered, open_file},
};
use crate::{
    Error, Result,
    accounts::Principal,
    body::LiveBody,
    catalog::{Item, Page, Track, TrackFilter, TrackOrder},
    ids::{FolderId, TrackId},
    zip::{self, Member, Source, safe_name},
};

/// Files in an archive.
const MOST_FILES: usize = 500;

/// Folders inside each other.
const DEEPEST: usize = 32;

/// A track with the folder that it is to lie in.
type Placed = (String, Track);

impl Playback {
    /// An archive of everything in an album, artist, playlist or folder, or of one track, with
    /// its file name. Its exact length is known.
    pub async fn archive(&self, principal: &Principal, item: Item) -> Result<(String, LiveBody)> {
        let catalog = &self.inner.catalog;
        let (name, tracks) = match item {
            Item::Track(id) => {
                let track = catalog.track(principal, id).await?;
                (track.title.clone(), vec![placed(&track.title.clone(), track)])
            }
            Item::Album(id) => {
                let album = catalog.album(principal, id).await?;
                let name = match album.display_artist.as_str() {
                    "" => album.name.clone(),
                    artist => format!("{artist} - {}", album.name),
                };
                let tracks = catalog.album_tracks(principal, id).await?;
                let placed = tracks.into_iter().map(|track| placed(&name, track)).collect();
                (name, placed)
            }
            Item::Artist(id) => {
                let artist = catalog.artist(principal, id).await?;
                let filter = TrackFilter { artist: Some(id), ..TrackFilter::default() };
                let page = Page { offset: 0, limit: MOST_FILES as u32 + 1 };
                let found = catalog.tracks(principal, &filter, TrackOrder::Album, page).await?;
                let placed = found.items.into_iter().map(|track| {
                    let album = safe_name(&track.album_name);
                    (format!("{}/{album}", safe_name(&artist.name)), track)
                });
                (artist.name.clone(), placed.collect())
            }
            Item::Playlist(id) => {
                let playlist = catalog.playlist(principal, id).await?;
                let tracks = catalog.playlist_tracks(principal, id).await?;
                let placed =
                    tracks.into_iter().map(|track| placed(&playlist.name, track)).collect();
                (playlist.name, placed)
            }
            Item::Folder(id) => {
                let folder = catalog.folder(principal, id).await?;
                let found = self.folder(principal, id, safe_name(&folder.name)).await?;
                (folder.name, found)
            }
        };
        let members = self.members(principal, tracks, item).await?;
        self.send(principal, &name, members).await
    }

    /// An archive of these tracks under this name, for lists that are no item of the catalogue.
    pub async fn archive_of(
        &self,
        principal: &Principal,
        name: &str,
        tracks: &[TrackId],
    ) -> Result<(String, LiveBody)> {
        let tracks = self.inner.catalog.tracks_by_id(principal, tracks).await?;
        let tracks: Vec<Placed> = tracks.into_iter().map(|track| placed(name, track)).collect();
        let counted = Item::Track(TrackId(0));
        let members = self.members(principal, tracks, counted).await?;
        self.send(principal, name, members).await
    }

    async fn send(
        &self,
        principal: &Principal,
        name: &str,
        members: Vec<Member>,
    ) -> Result<(String, LiveBody)> {
        let (permit, meter) = self.admit(principal).await?;
        let len = zip::length(&members);
        let body = LiveBody {
            content_type: "application/zip".into(),
            len: Some(len),
            duration: None,
            stream: metered(Box::pin(zip::stream(members, Some(Box::new(permit)))), meter),
        };
        Ok((format!("{}.zip", safe_name(name)), body))
    }

    /// A folder with everything below it, as it lies on disk.
    async fn folder(
        &self,
        principal: &Principal,
        id: FolderId,
        place: String,
    ) -> Result<Vec<Placed>> {
        let catalog = &self.inner.catalog;
        let mut found = Vec::new();
        let mut left = vec![(id, place)];
        while let Some((id, place)) = left.pop() {
            for track in catalog.folder_tracks(principal, id).await? {
                found.push((place.clone(), track));
            }
            if MOST_FILES < found.len() {
                break;
            }
            let below = catalog.subfolders(principal, id).await?;
            if place.split('/').count() < DEEPEST {
                let inside = |name: &str| format!("{place}/{}", safe_name(name));
                left.extend(below.into_iter().rev().map(|each| (each.id, inside(&each.name))));
            }
        }
        Ok(found)
    }

    /// The files of these tracks. One with a cue sheet is several tracks and one file.
    async fn members(
        &self,
        principal: &Principal,
        tracks: Vec<Placed>,
        of: Item,
    ) -> Result<Vec<Member>> {
        if tracks.is_empty() {
            return Err(Error::NotFound("Song"));
        }
        if MOST_FILES < tracks.len() {
            return Err(Error::Invalid(format!(
                "These are more than {MOST_FILES} files; take them in smaller parts"
            )));
        }
        let (mut names, mut files) = (HashSet::new(), HashSet::new());
        let mut members = Vec::with_capacity(tracks.len());
        for (at, (place, track)) in tracks.into_iter().enumerate() {
            let source = self.inner.catalog.track_source(principal, track.id).await?;
            if !files.insert(source.path.clone()) {
                continue;
            }
            let (_, len) = open_file(&source).await?;
            let on_disk = || source.path.file_stem().unwrap_or_default().to_string_lossy();
            let stem = match of {
                // As it lies there.
                Item::Folder(_) => on_disk().into_owned(),
                _ if source.range_ms.is_some() => on_disk().into_owned(),
                Item::Playlist(_) | Item::Track(_) => {
                    format!("{:02} {} - {}", at + 1, track.display_artist, track.title)
                }
                _ => numbered(&track),
            };
            members.push(Member {
                name: unused(&mut names, &place, &stem, &track.suffix),
                source: match source.lent {
                    Some(lent) => Source::opened_by(move || lent.open()),
                    None => source.path.into(),
                },
                len,
                modified_at: track.modified_ns / 1_000_000,
            });
        }
        Ok(members)
    }
}

fn placed(folder: &str, track: Track) -> Placed {
    (safe_name(folder), track)
}

/// `NN title`, or `D-NN title` where there are discs.
fn numbered(track: &Track) -> String {
    match (track.disc, track.number) {
        (Some(disc), Some(number)) if 1 < disc => format!("{disc}-{number:02} {}", track.title),
        (_, Some(number)) => format!("{number:02} {}", track.title),
        (_, None) => track.title.clone(),
    }
}

/// A name that no other member has, whatever the case.
fn unused(names: &mut HashSet<String>, place: &str, stem: &str, suffix: &str) -> String {
    let stem = safe_name(stem);
    for turn in 1.. {
        let again = if turn == 1 { String::new() } else { format!(" ({turn})") };
        let name = format!("{place}/{stem}{again}.{}", safe_name(suffix));
        if names.insert(name.to_lowercase()) {
            return name;
        }
    }
    unreachable!("there are more numbers than members")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_members_have_one_name() {
        let mut names = HashSet::new();
        let mut name = |stem: &str| unused(&mut names, "A", stem, "mp3");
        assert_eq!(name("01 Same"), "A/01 Same.mp3");
        assert_eq!(name("01 SAME"), "A/01 SAME (2).mp3");
        assert_eq!(name("01 Same"), "A/01 Same (3).mp3");
        assert_eq!(name("../x"), "A/_x.mp3");
    }
}
