//! Which files are alike, among those that a principal may see.

use std::collections::BTreeMap;

use super::DuplicateKind;
use crate::{
    Result,
    accounts::Principal,
    catalog::path_text,
    ids::{LibraryId, LockerId, TrackId},
    matching::Matching,
};

/// Groups in one answer.
const MOST_GROUPS: i64 = 500;
/// Prints that share less are not of one recording.
const SAME: f64 = 0.7;

/// One of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateFile {
    /// The library that it is in.
    pub library: LibraryId,
    /// The library's name.
    pub library_name: String,
    /// The locker, for files that can be linked and deleted here.
    pub locker: Option<LockerId>,
    /// Relative to library or locker.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// What is heard in it; files of other kinds have none.
    pub track: Option<TrackId>,
    /// What the track is called.
    pub title: String,
    /// By whom.
    pub artist: String,
    /// On what.
    pub album: String,
    /// As `flac 1411` or `mp3 320`.
    pub format: String,
    /// `own`, `reflink`, `hardlink` or `copy`; '' outside of lockers.
    pub origin: String,
}

/// Files that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateGroup {
    /// How.
    pub kind: DuplicateKind,
    /// Names the group.
    pub key: String,
    /// Two or more, the best first.
    pub files: Vec<DuplicateFile>,
}

/// A row of any of the questions below.
struct Row {
    key: String,
    library: i64,
    library_name: String,
    locker: Option<i64>,
    path: String,
    size: i64,
    track: Option<i64>,
    title: String,
    artist: String,
    album: String,
    codec: String,
    bitrate: i64,
    origin: String,
}

impl Matching {
    /// Groups of files that are alike in this way and were not said to be kept.
    pub async fn duplicates(
        &self,
        principal: &Principal,
        kind: DuplicateKind,
    ) -> Result<Vec<DuplicateGroup>> {
        let rows = match kind {
            DuplicateKind::Exact => self.exact(principal).await?,
            DuplicateKind::Audio => self.same_audio(principal).await?,
            DuplicateKind::Recording => self.same_recording(principal).await?,
        };
        let writable: Vec<i64> = if principal.abilities.upload && principal.is_person() {
            let lockers = self.parts.accounts.lockers(principal).await?;
            lockers.into_iter().map(|locker| locker.id.0).collect()
        } else {
            Vec::new()
        };
        let kept = self.kept_groups(principal, kind).await?;
        let mut groups: BTreeMap<String, Vec<(i64, DuplicateFile)>> = BTreeMap::new();
        for row in rows {
            let locker = row.locker.filter(|locker| writable.contains(locker));
            let file = DuplicateFile {
                library: row.library.into(),
                library_name: row.library_name,
                locker: locker.map(Into::into),
                path: path_text::shown(&row.path),
                size: row.size.unsigned_abs(),
                track: row.track.map(Into::into),
                title: row.title,
                artist: row.artist,
                album: row.album,
                format: match row.bitrate {
                    0 => row.codec,
                    bitrate => format!("{} {bitrate}", row.codec),
                },
                origin: row.origin,
            };
            groups.entry(row.key).or_default().push((row.bitrate, file));
        }
        let groups =
            groups.into_iter().filter(|(key, files)| 1 < files.len() && !kept.contains(key));
        Ok(groups
            .map(|(key, mut files)| {
                files.sort_by(|one, other| (-one.0, &one.1.path).cmp(&(-other.0, &other.1.path)));
                let files = files.into_iter().map(|(_, file)| file).collect();
                DuplicateGroup { kind, key, files }
            })
            .collect())
    }

    async fn exact(&self, principal: &Principal) -> Result<Vec<Row>> {
        let libraries = principal.libraries_json();
        // Empty files are alike without being duplicates of anything.
        let rows = sqlx::query_as!(
            Row,
            r#"with file as (
                 select f.content_hash as hash, b.library_id, b.name, f.locker_id as locker, f.path, f.size_bytes,
                        f.origin
                 from drive_file f join library b on b.locker_id = f.locker_id
                 where f.content_hash is not null and f.missing_at is null and 0 < f.size_bytes
                   and b.library_id in (select value from json_each(?1))
                 union all
                 select h.content_hash, b.library_id, b.name, null, m.path, m.size_bytes, ''
                 from folder_hash h join media_file m using (media_file_id) join library b using (library_id)
                 where h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns and b.kind = 'folder'
                   and b.library_id in (select value from json_each(?1))),
               alike as (select hash, size_bytes from file group by hash, size_bytes
                         having 1 < count(*) and 0 < count(locker) order by size_bytes desc limit ?2)
               select lower(hex(file.hash)) as "key!: String", file.library_id as "library!: i64",
                      file.name as "library_name!: String", file.locker as "locker?: i64", file.path as "path!: String",
                      file.size_bytes as "size!: i64", t.track_id as "track?: i64",
                      coalesce(t.title, '') as "title!: String", coalesce(t.display_artist, '') as "artist!: String",
                      coalesce(t.album_name, '') as "album!: String", coalesce(t.codec, '') as "codec!: String",
                      coalesce(t.bitrate_kbps, 0) as "bitrate!: i64", file.origin as "origin!: String"
               from file join alike on alike.hash = file.hash and alike.size_bytes = file.size_bytes
               left join track t on t.library_id = file.library_id and t.path = file.path and t.missing_at is null
                 and coalesce(t.cue_index, 0) < 2"#,
            libraries,
            MOST_GROUPS
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(rows)
    }

    async fn same_audio(&self, principal: &Principal) -> Result<Vec<Row>> {
        let libraries = principal.libraries_json();
        let rows = sqlx::query_as!(
            Row,
            r#"with visible as (
                 select t.*, b.name as library_name, b.locker_id as locker, f.origin,
                        coalesce(f.content_hash, h.content_hash) as content
                 from track t join library b using (library_id)
                 left join drive_file f on f.locker_id = b.locker_id and f.path = t.path
                 left join folder_hash h on h.media_file_id = t.media_file_id
                   and h.size_bytes = t.size_bytes and h.modified_ns = t.modified_ns
                 where t.audio_hash is not null and t.missing_at is null and t.cue_index is null
                   and t.library_id in (select value from json_each(?1))),
               alike as (select audio_hash from visible group by audio_hash
                         -- Files of the same bytes are told of elsewhere.
                         having 1 < count(*) and 0 < count(locker)
                           and (1 < count(distinct content) or count(content) < count(*)) limit ?2)
               select lower(hex(v.audio_hash)) as "key!: String", v.library_id as "library!: i64",
                      v.library_name as "library_name!: String", v.locker as "locker?: i64", v.path as "path!: String",
                      v.size_bytes as "size!: i64", v.track_id as "track?: i64", v.title as "title!: String",
                      v.display_artist as "artist!: String", v.album_name as "album!: String",
                      v.codec as "codec!: String", v.bitrate_kbps as "bitrate!: i64",
                      coalesce(v.origin, '') as "origin!: String"
               from visible v join alike using (audio_hash)"#,
            libraries,
            MOST_GROUPS
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(rows)
    }

    /// Pairs, each a group of its own.
    async fn same_recording(&self, principal: &Principal) -> Result<Vec<Row>> {
        let libraries = principal.libraries_json();
        let rows = sqlx::query_as!(
            Row,
            r#"with pair as (
                 select s.one_id, s.other_id from same_recording s
                 join track one on one.track_id = s.one_id join track other on other.track_id = s.other_id
                 where ?3 <= s.likeness and one.missing_at is null and other.missing_at is null
                   and one.audio_hash is not other.audio_hash
                   and one.library_id in (select value from json_each(?1))
                   and other.library_id in (select value from json_each(?1))
                 order by s.likeness desc limit ?2)
               select 'tr-' || pair.one_id || '+tr-' || pair.other_id as "key!: String", t.library_id as "library!: i64",
                      b.name as "library_name!: String", b.locker_id as "locker?: i64", t.path as "path!: String",
                      t.size_bytes as "size!: i64", t.track_id as "track?: i64", t.title as "title!: String",
                      t.display_artist as "artist!: String", t.album_name as "album!: String",
                      t.codec as "codec!: String", t.bitrate_kbps as "bitrate!: i64",
                      coalesce(f.origin, '') as "origin!: String"
               from pair join track t on t.track_id in (pair.one_id, pair.other_id)
               join library b using (library_id)
               left join drive_file f on f.locker_id = b.locker_id and f.path = t.path"#,
            libraries,
            MOST_GROUPS,
            SAME
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(rows)
    }
}
