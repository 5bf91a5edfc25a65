//! An episode's bytes on their way into a locker. Where its server says how long the file is and by
//! what it knows it again (an ETag, the date of its last change), what arrived is kept when the
//! connection breaks or the daemon stops, and the rest alone is asked for later (RFC 9110, 13.1.5
//! and 14.2). A file that changed meanwhile begins anew.

use std::pin::pin;

use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;

use super::{Episode, FOLDER, Podcasts, downloads::Due, names};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{Appended, Condition, NewUpload, RelativePath, Target},
    egress::{Answer, Limits, Wanted, header},
    ids::{EpisodeId, LockerId, UserId},
};

/// Pieces on their way from the network to the disk.
const UNDER_WAY: usize = 8;

/// What a broken connection left.
pub(super) struct Begun {
    /// The upload of the drive that holds it.
    pub(super) upload: String,
    /// By what the server knows the file again.
    pub(super) validator: String,
}

impl Podcasts {
    /// Streams the file into the locker: goes on where it broke off, else under a free name.
    pub(super) async fn put(
        &self,
        principal: &Principal,
        locker: LockerId,
        episode: &Episode,
        due: &Due,
    ) -> Result<RelativePath> {
        let mut whole = None;
        if let Some(begun) = &due.begun {
            if let Some(offset) = self.offset_of(principal, begun).await? {
                let answer = self.ask(due, Some((offset, begun))).await?;
                if answer.is_rest(offset) {
                    return self.receive(principal, due, &begun.upload, offset, answer).await;
                }
                whole = (answer.status() == 200).then_some(answer);
            }
            self.forget_begun(due.user, due.episode).await?;
        }
        let answer = match whole {
            Some(answer) => answer,
            None => self.ask(due, None).await?,
        };
        if answer.status() == 416 || !answer.is_success() {
            return Err(refused(&answer));
        }
        let told = answer.header(&header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        if told.starts_with("text/") {
            return Err(Error::Invalid("The episode's server sends a page, no sound".to_owned()));
        }
        let media_type = if told.starts_with("audio/") { &told } else { &due.media_type };
        let suffix = names::suffix(media_type, answer.url().path());
        let day = crate::clock::iso(episode.published_at);
        let day = day.get(..10).unwrap_or("1970-01-01");
        let name =
            |again| names::path(FOLDER, &episode.channel_title, day, &episode.title, suffix, again);
        let taken = self.0.of.drive.open_path(principal, locker, &name(None)).await;
        let path = match taken {
            Err(Error::NotFound(_)) => name(None),
            _ => name(Some(episode.id.0)),
        };
        self.mark_folder(principal, locker, &path).await?;
        // The same episode's own older file gives way; nobody else's has its number.
        let (length, condition) = (answer.length(), Condition::None);
        if let (Some(length @ 1..), Some(validator)) = (length, answer.validator()) {
            let new =
                NewUpload { path: Some(path), locker, condition, length, metadata: String::new() };
            let upload = self.0.of.drive.create_upload(principal, &new).await?.id;
            self.note_begun(due, &upload, &validator).await?;
            return self.receive(principal, due, &upload, 0, answer).await;
        }
        let target = Target { locker, path, condition };
        let stored = self.0.of.drive.put(principal, &target, length, answer.stream()).await;
        stored.map(|stored| stored.path).map_err(|error| match error {
            Error::Invalid(_) => broke_off(),
            other => other,
        })
    }

    /// Asks for the file, or for what is missing of it.
    async fn ask(&self, due: &Due, rest: Option<(u64, &Begun)>) -> Result<Answer> {
        let mut wanted =
            Wanted::get(&due.url, Limits::MEDIA).with(header::ACCEPT, "audio/*, */*;q=0.5");
        if let Some((offset, begun)) = rest {
            wanted = wanted
                .with(header::RANGE, format!("bytes={offset}-"))
                .with(header::IF_RANGE, &begun.validator);
        }
        let answer = self.0.of.egress.ask(wanted).await?;
        // That there is no such part is an answer: the file is another one now.
        if answer.is_success() || (rest.is_some() && answer.status() == 416) {
            Ok(answer)
        } else {
            Err(refused(&answer))
        }
    }

    /// How much has arrived; `None` when nothing did, or the drive gave it up.
    async fn offset_of(&self, principal: &Principal, begun: &Begun) -> Result<Option<u64>> {
        match self.0.of.drive.upload(principal, &begun.upload).await {
            Ok(state) => Ok(Some(state.offset)
                .filter(|offset| 0 < *offset && *offset < state.length && state.etag.is_none())),
            Err(Error::NotFound(_) | Error::Expired(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the bytes in from `offset` on. What arrived stays, however it ends.
    async fn receive(
        &self,
        principal: &Principal,
        due: &Due,
        upload: &str,
        offset: u64,
        answer: Answer,
    ) -> Result<RelativePath> {
        let (sender, body) = mpsc::channel(UNDER_WAY);
        // A task of its own: it writes down what arrived even when this one is dropped.
        let drive = self.0.of.drive.clone();
        let (who, id) = (principal.clone(), upload.to_owned());
        let appending = tokio::spawn(drive.append_upload(who, id, offset, None, body));
        let mut pieces = pin!(answer.stream());
        while let Some(Ok(piece)) = pieces.next().await {
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        drop(sender);
        match appending.await?? {
            Appended::Done(stored) => {
                self.forget_begun(due.user, due.episode).await?;
                Ok(stored.path)
            }
            Appended::More(_) | Appended::WrongChecksum | Appended::Archive(_) => Err(broke_off()),
        }
    }

    async fn note_begun(&self, due: &Due, upload: &str, validator: &str) -> Result<()> {
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update podcast_download set upload_id = ?3, validator = ?4
             where user_id = ?1 and episode_id = ?2",
            due.user,
            due.episode,
            upload,
            validator
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lets go of what a broken connection left of an episode. A file that is in place stays.
    pub(super) async fn forget_begun(&self, user: UserId, episode: EpisodeId) -> Result<()> {
        let row = sqlx::query_scalar!(
            "select upload_id from podcast_download where user_id = ? and episode_id = ?",
            user,
            episode
        )
        .fetch_optional(self.0.of.db.read())
        .await?;
        let Some(upload) = row.flatten() else { return Ok(()) };
        let principal = self.0.of.accounts.principal(user).await?;
        match self.0.of.drive.terminate_upload(&principal, &upload).await {
            Ok(()) | Err(Error::NotFound(_)) => (),
            Err(error) => return Err(error),
        }
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update podcast_download set upload_id = null, validator = ''
             where user_id = ? and episode_id = ?",
            user,
            episode
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Scans of music pass a folder with such a file by. It stands in each channel's folder, so
    /// that whatever else a user keeps beside them stays music.
    async fn mark_folder(
        &self,
        principal: &Principal,
        locker: LockerId,
        episode: &RelativePath,
    ) -> Result<()> {
        let folder = episode.as_str().rsplit_once('/').map_or(FOLDER, |(folder, _)| folder);
        let path = RelativePath::parse(&format!("{folder}/.nomedia"))
            .map_err(|problem| Error::Invalid(problem.to_string()))?;
        let target = Target { locker, path, condition: Condition::Absent };
        match self.0.of.drive.put(principal, &target, Some(0), stream::empty()).await {
            Ok(_) | Err(Error::Exists { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn broke_off() -> Error {
    Error::Unavailable("The download broke off".to_owned())
}

/// What a status says that is no file.
fn refused(answer: &Answer) -> Error {
    let sentence = format!("The episode's server answers {}", answer.status());
    match answer.status() {
        408 | 425 | 429 | 500.. => Error::Unavailable(sentence),
        _ => Error::Invalid(sentence),
    }
}
