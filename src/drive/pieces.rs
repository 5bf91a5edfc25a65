//! Files that are fetched in pieces: where their server says how long they are and by what it knows
//! them again, what arrived is kept when the connection breaks or this server stops, and the rest
//! alone is asked for (RFC 9110, 13.1.5 and 14.2). What holds them meanwhile is an upload.

use std::{pin::pin, time::Duration};

use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::{Appended, Drive};
use crate::{
    Error, Result,
    accounts::Principal,
    egress::{Answer, Egress, Fault, Limits, Wanted, header},
};

/// Pieces on their way from the network to the disk.
const UNDER_WAY: usize = 8;
/// A connection that breaks is made again so often, as long as something arrives each time.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// A file of which a part may have arrived.
pub(super) struct Begun {
    /// The upload of the drive that holds it.
    pub(super) upload: String,
    /// By what the file is known again.
    pub(super) validator: String,
    /// Bytes that arrived.
    pub(super) offset: u64,
}

/// From where to where pieces go.
pub(super) struct Pieces<'a> {
    pub(super) drive: &'a Drive,
    pub(super) egress: &'a Egress,
    /// Whose uploads hold them.
    pub(super) principal: &'a Principal,
    pub(super) limits: Limits,
}

impl Pieces<'_> {
    /// Asks for what is missing of a file. Any status is an answer.
    pub(super) async fn ask_rest(&self, url: &str, begun: &Begun) -> Result<Answer> {
        let wanted = Wanted::get(url, self.limits)
            .with(header::RANGE, format!("bytes={}-", begun.offset))
            .with(header::IF_RANGE, &begun.validator);
        self.egress.ask(wanted).await.map_err(Fault::of_source)
    }

    /// Takes the bytes of an answer in, from where the file broke off, and asks for the rest as long
    /// as that helps: what became of the whole file. `arrived` hears of bytes as they come.
    pub(super) async fn take_all(
        &self,
        mut begun: Begun,
        (url, mut answer): (&str, Answer),
        arrived: impl Fn(u64),
    ) -> Result<Appended> {
        for tried in 1.. {
            let stored = match self.take(&begun, answer, &arrived).await? {
                Appended::More(stored) => stored,
                Appended::WrongChecksum => begun.offset,
                whole @ (Appended::Done(_) | Appended::Archive(_)) => return Ok(whole),
            };
            if tried == TRIES || stored == begun.offset {
                break;
            }
            begun.offset = stored;
            tokio::time::sleep(PAUSE).await;
            answer = self.ask_rest(url, &begun).await?;
            if !answer.is_rest(begun.offset) {
                break;
            }
        }
        Err(Error::SourceUnreachable("The connection broke off".to_owned()))
    }

    async fn take(&self, begun: &Begun, answer: Answer, arrived: impl Fn(u64)) -> Result<Appended> {
        let (sender, body) = mpsc::channel(UNDER_WAY);
        // A task of its own: it writes down what arrived even when this one is dropped.
        let (drive, who, id) = (self.drive.clone(), self.principal.clone(), begun.upload.clone());
        let appending = tokio::spawn(drive.append_upload(who, id, begun.offset, None, body));
        let mut pieces = pin!(answer.stream());
        while let Some(Ok(piece)) = pieces.next().await {
            arrived(piece.len() as u64);
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        drop(sender);
        appending.await?
    }
}
