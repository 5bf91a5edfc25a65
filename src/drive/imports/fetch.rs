//! From an address into a locker: a file, an archive that is unpacked, or a list whose tracks are
//! fetched one after the other.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use url::Url;

use super::{
    ImportItem, ImportState, Imports, Problem,
    live::Live,
    names,
    resume::{Arrived, Left},
    rows::Known,
};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{Handover, RelativePath, Stored, Target, UploadForm},
    egress::{Answer, Fault, Limits, Wanted},
    media::{
        playlist_file::{self, PlaylistFile, Syntax},
        unpack::is_archive_name,
    },
};

/// One file or archive.
pub(super) const FILE: Limits =
    Limits { bytes: 16 << 30, total: Duration::from_hours(12), idle: Duration::from_secs(60) };
/// A list of tracks, bytes.
const LONGEST_LIST: u64 = 1 << 20;
/// Tracks of a list.
const MOST_TRACKS: usize = 1_000;

/// Why the bytes of an answer ended early, kept for who wants to tell.
pub(super) type Broken = Arc<Mutex<Option<String>>>;

impl Imports {
    /// Whatever there is at the address of an import.
    pub(super) async fn fetch_all(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
    ) -> Result<()> {
        if !self.may_fetch().await? {
            return Err(Error::Forbidden(
                "Importing from addresses is switched off on this server".to_owned(),
            ));
        }
        let url = known.url.as_deref().ok_or(Error::NotFound("Import"))?;
        self.set_state(known.id, ImportState::Fetching).await?;
        let answer = match self.rest_of(known, live, principal, url).await? {
            Rest::File(item) => return self.note(known.id, live, &item).await,
            Rest::Archive { upload, source } => {
                return self.unpack_arrived(known, live, principal, &upload, Some(source)).await;
            }
            Rest::Anew(answer) => answer,
        };
        let name = names::of_answer(&answer);
        self.rename(known.id, &name).await?;
        if is_archive_name(&name) {
            return self.archive(known, live, principal, (url, answer)).await;
        }
        if matches!(Syntax::of_name(&name), Some(Syntax::M3u)) {
            return self.list_of(known, live, principal, answer).await;
        }
        let source = plain(answer.url());
        let item = self.track(known, live, principal, &name, (url, answer)).await;
        let item = item.map(|stored| stored_item(&name, stored)).map_err(|error| {
            tracing::debug!(source, "nothing was imported: {error}");
            error
        })?;
        self.note(known.id, live, &item).await
    }

    /// What a broken connection left of a file is completed; where nothing is left, or the file is
    /// another one now, it begins anew.
    async fn rest_of(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        url: &str,
    ) -> Result<Rest> {
        let begun = match self.begun(known, principal, url).await? {
            None => return Ok(Rest::Anew(self.ask(url).await?)),
            Some(Left::Archive(upload)) => {
                let source = Url::parse(url).map_or_else(|_| url.to_owned(), |url| plain(&url));
                return Ok(Rest::Archive { upload, source });
            }
            Some(Left::Part(begun)) => begun,
        };
        let answer = self.pieces(principal).ask_rest(url, &begun).await?;
        if !answer.is_rest(begun.offset) {
            self.give_up_begun(known.id).await?;
            return Ok(Rest::Anew(match answer.status() {
                200 => answer,
                _ => self.ask(url).await?,
            }));
        }
        let source = plain(answer.url());
        live.set_received(live.figures().received + begun.offset, None);
        let arrived = self.go_on_with(known, live, principal, begun, (url, answer)).await?;
        let stored = match arrived {
            Arrived::Archive(upload) => return Ok(Rest::Archive { upload, source }),
            Arrived::File(stored) => stored,
        };
        let folder = &known.into.folder;
        let inner = stored.path.as_str().strip_prefix(folder.as_str()).unwrap_or_default();
        let name = inner.trim_start_matches('/').to_owned();
        Ok(Rest::File(stored_item(&name, stored)))
    }

    async fn ask(&self, url: &str) -> Result<Answer> {
        let answer = self.egress.ask(Wanted::get(url, FILE)).await.map_err(Fault::of_source)?;
        let answer = answer.of_source()?;
        if names::media_type(&answer).is_some_and(|it| it == "text/html") {
            return Err(Error::Invalid(
                "That address shows a page; the address of the file itself is needed".to_owned(),
            ));
        }
        Ok(answer)
    }

    /// A file as it is.
    async fn track(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        name: &str,
        (url, answer): (&str, Answer),
    ) -> Result<Stored> {
        let path = RelativePath::parse(name)?;
        let into = &known.into;
        let target = Target {
            locker: into.locker,
            path: path.below(&into.folder),
            condition: into.condition(),
        };
        into.heed_locks(&self.drive, principal, &target.path).await?;
        let how = (&target, UploadForm::default());
        let answer = match self.in_pieces(known, live, principal, how, (url, answer)).await? {
            Ok(arrived) => return arrived.file(),
            Err(answer) => answer,
        };
        let (length, source) = (answer.length(), plain(answer.url()));
        live.set_received(live.figures().received, length);
        let broken = Broken::default();
        let body = counted(answer, live, &broken);
        let handover = Handover { source: Some(source), ..Handover::default() };
        let stored = Box::pin(self.drive.put_as(principal, &target, length, body, handover)).await;
        stored.map_err(|error| broke_off(error, &broken))
    }

    /// Every track that a list names.
    async fn list_of(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        answer: Answer,
    ) -> Result<()> {
        if answer.length().is_some_and(|length| LONGEST_LIST < length) {
            return Err(Error::Invalid("That list is too long".to_owned()));
        }
        let (base, list_name) = (answer.url().clone(), names::of_answer(&answer));
        let mut text = Vec::new();
        let mut body = Box::pin(answer.stream());
        while let Some(piece) = body.next().await {
            text.extend_from_slice(
                &piece.map_err(|error| Error::SourceUnreachable(error.to_string()))?,
            );
            if LONGEST_LIST < text.len() as u64 {
                return Err(Error::Invalid("That list is too long".to_owned()));
            }
        }
        if text.windows(7).any(|window| window == b"#EXT-X-") {
            return Err(Error::Invalid(
                "That is a stream in pieces, not a list of tracks".to_owned(),
            ));
        }
        let list = playlist_file::parse(Syntax::M3u, &text);
        if list.entries.is_empty() || MOST_TRACKS < list.entries.len() {
            return Err(Error::Invalid(format!("A list names 1 to {MOST_TRACKS} tracks")));
        }
        let mut taken = HashSet::new();
        let mut stored = Vec::new();
        for entry in list.entries {
            let item = self
                .listed(known, live, principal, &base, &entry.location, &mut taken)
                .await
                .unwrap_or_else(|error| {
                    if let Error::Internal(cause) = &error {
                        tracing::error!("a listed track could not be stored: {cause:#}");
                    }
                    let path = entry.location.chars().take(500).collect();
                    let problem = Some(Problem::from(&error));
                    ImportItem { path, size: None, hash: None, etag: None, problem }
                });
            self.note(known.id, live, &item).await?;
            if item.problem.is_none() {
                stored.push(playlist_file::Entry { location: item.path, ..entry });
            }
        }
        self.keep_list(known, principal, &list_name, stored).await
    }

    /// The list itself, of what of it is here, in its order: the catalogue makes a playlist of it.
    async fn keep_list(
        &self,
        known: &Known,
        principal: &Principal,
        name: &str,
        stored: Vec<playlist_file::Entry>,
    ) -> Result<()> {
        if stored.is_empty() {
            return Ok(());
        }
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let path = RelativePath::parse(&format!("{stem}.m3u8"))?.below(&known.into.folder);
        let (locker, condition) = (known.into.locker, known.into.condition());
        let target = Target { locker, path, condition };
        let list = PlaylistFile { name: None, entries: stored };
        let text = Bytes::from(playlist_file::write(Syntax::M3u, &list));
        let (length, body) = (text.len() as u64, futures_util::stream::iter([Ok(text)]));
        let source =
            known.url.as_deref().and_then(|url| Url::parse(url).ok()).map(|url| plain(&url));
        let handover = Handover { source, ..Handover::default() };
        match Box::pin(self.drive.put_as(principal, &target, Some(length), body, handover)).await {
            // The tracks are here; a list of that name that must stay is no reason to complain.
            Ok(_) | Err(Error::Exists { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// One track of a list. Two that are called the same are both kept.
    async fn listed(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        base: &Url,
        location: &str,
        taken: &mut HashSet<String>,
    ) -> Result<ImportItem> {
        let url = base
            .join(location)
            .map_err(|_| Error::SourceForbidden("That is not a web address".to_owned()))?;
        let answer = match self.rest_of(known, live, principal, url.as_str()).await? {
            Rest::File(item) => {
                taken.insert(item.path.to_lowercase());
                return Ok(item);
            }
            Rest::Archive { upload, .. } => {
                return Arrived::Archive(upload).file().map(|stored| stored_item("", stored));
            }
            Rest::Anew(answer) => answer,
        };
        let name = free_name(&names::of_answer(&answer), taken);
        let stored = self.track(known, live, principal, &name, (url.as_str(), answer)).await?;
        Ok(stored_item(&name, stored))
    }
}

/// What came of the look for what was left of a file.
enum Rest {
    /// It is whole now.
    File(ImportItem),
    /// It is whole now, and to be unpacked.
    Archive { upload: String, source: String },
    /// It begins with this answer.
    Anew(Answer),
}

fn free_name(name: &str, taken: &mut HashSet<String>) -> String {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let mut tried = name.to_owned();
    let mut number = 2;
    while !taken.insert(tried.to_lowercase()) {
        tried = format!("{stem} ({number}){ending}");
        number += 1;
    }
    tried
}

fn stored_item(name: &str, stored: Stored) -> ImportItem {
    ImportItem {
        path: name.to_owned(),
        size: Some(stored.size),
        hash: Some(stored.hash),
        etag: Some(stored.etag),
        problem: None,
    }
}

/// An address as it is kept: without what only its user knows.
pub(super) fn plain(url: &Url) -> String {
    let mut url = url.clone();
    // Addresses that are fetched have a host, so both can be taken away.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_fragment(None);
    url.into()
}

/// The bytes of an answer, counted as they come.
pub(super) fn counted<'a>(
    answer: Answer,
    live: &'a Live,
    broken: &Broken,
) -> impl Stream<Item = io::Result<Bytes>> + use<'a> {
    let broken = Arc::clone(broken);
    answer.stream().map(move |piece| {
        match &piece {
            Ok(piece) => live.add_received(piece.len() as u64),
            Err(error) => {
                let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
                *broken = Some(error.to_string());
            }
        }
        piece
    })
}

/// What ended early did so because its source did.
pub(super) fn broke_off(error: Error, broken: &Broken) -> Error {
    let broken = broken.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (error, broken) {
        (Error::Invalid(_), Some(reason)) => Error::SourceUnreachable(reason),
        (error, _) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_of_one_name_are_both_kept() {
        let mut taken = HashSet::new();
        for (name, free) in
            [("a.mp3", "a.mp3"), ("A.mp3", "A (2).mp3"), ("a.mp3", "a (3).mp3"), ("x", "x")]
        {
            assert_eq!(free_name(name, &mut taken), free);
        }
    }

    #[test]
    fn kept_addresses_have_no_secrets() {
        let url = Url::parse("https://me:secret@a.example/x.mp3?y=1#z").unwrap();
        assert_eq!(plain(&url), "https://a.example/x.mp3?y=1");
    }
}
