//! Answers that may be long: entries grouped by letter, read, written and sent in portions, so
//! that fifty thousand artists need no more room than some thousand. A portion goes across
//! letters: whoever reads many entries at once can read them in the order in which they lie.

use std::{collections::VecDeque, io};

use actix_web::{
    HttpResponse,
    body::{BodyStream, MessageBody as _},
};
use bytes::Bytes;
use futures_util::{future::LocalBoxFuture, stream};
use serde::Serialize;

use super::{
    failure::Failure,
    format::Format,
    reply::{self, Spelling},
    xml::{self, Dialect},
};

/// Entries in a portion.
const PORTION: usize = 8_000;

/// Up to so many entries an answer is made whole, so that its length and any fault are known.
const SHORT: usize = 2_000;

/// A container of groups: `{"index": [{"name": "A", "artist": [...]}]}`.
pub(super) struct Long<Id> {
    /// Its name.
    pub(super) name: &'static str,
    /// Members before the groups.
    pub(super) scalars: Vec<(&'static str, String)>,
    /// What an entry is called.
    pub(super) entry: &'static str,
    /// The groups in order.
    pub(super) groups: Vec<(String, Vec<Id>)>,
    /// What stands behind the groups, spelled already.
    pub(super) rest: Vec<u8>,
}

/// Entries of one portion, spelled one behind the other, each with its id and where it ends. What
/// is not there any more is left out.
#[derive(Default)]
pub(super) struct Entries<Id> {
    bytes: Vec<u8>,
    ends: Vec<(Id, usize)>,
}

/// Who reads and spells a portion, in the order asked.
pub(super) type Spell<Id> =
    Box<dyn Fn(Vec<Id>) -> LocalBoxFuture<'static, Result<Entries<Id>, Failure>>>;

/// What is still to be sent.
struct Sender<Id> {
    format: Format,
    entry: &'static str,
    name: &'static str,
    groups: VecDeque<(String, Vec<Id>)>,
    rest: Vec<u8>,
    next: Next,
    spell: Spell<Id>,
    ahead: Ahead<Id>,
}

/// What was read ahead of what is sent.
struct Ahead<Id> {
    entries: Entries<Id>,
    /// The next of its entries, and where that begins.
    next: (usize, usize),
    /// How many of the ids that are still to be sent it was asked for.
    covers: usize,
}

enum Next {
    Head(Vec<u8>),
    Group { is_first: bool },
    Entries { is_first: bool },
    Tail,
    Nothing,
}

/// Spells the entries of a portion.
pub(super) fn entries<Id, T: Serialize>(
    format: &Format,
    dialect: Dialect,
    name: &'static str,
    entries: impl IntoIterator<Item = (Id, T)>,
) -> Result<Entries<Id>, Failure> {
    let mut spelled = Entries { bytes: Vec::with_capacity(64 * 1024), ends: Vec::new() };
    for (id, entry) in entries {
        if *format == Format::Xml {
            xml::append(&mut spelled.bytes, name, &entry, dialect)?;
        } else {
            serde_json::to_writer(&mut spelled.bytes, &entry)?;
        }
        spelled.ends.push((id, spelled.bytes.len()));
    }
    Ok(spelled)
}

/// A short list spelled at once: for JSON with commas between, for XML as elements.
pub(super) fn joined<T: Serialize>(
    format: &Format,
    dialect: Dialect,
    name: &'static str,
    list: impl IntoIterator<Item = T>,
) -> Result<Vec<u8>, Failure> {
    let spelled = entries(format, dialect, name, list.into_iter().map(|entry| ((), entry)))?;
    if *format == Format::Xml {
        return Ok(spelled.bytes);
    }
    let mut out = Vec::with_capacity(spelled.bytes.len() + spelled.ends.len());
    let mut start = 0;
    for ((), end) in spelled.ends {
        if 0 < start {
            out.push(b',');
        }
        out.extend_from_slice(&spelled.bytes[start..end]);
        start = end;
    }
    Ok(out)
}

/// The answer: in one piece if it is short, else as it is read.
pub(super) async fn send<Id: Copy + PartialEq + 'static>(
    spelling: Spelling<'_>,
    long: Long<Id>,
    spell: Spell<Id>,
) -> Result<HttpResponse, Failure> {
    let length: usize = long.groups.iter().map(|(_, ids)| ids.len()).sum();
    let Long { name, scalars, entry, groups, rest } = long;
    let format = spelling.format.clone();
    let mut head = reply::head(&format, "ok", 1024);
    if format == Format::Xml {
        head.extend_from_slice(format!("<{name}").as_bytes());
        for (name, value) in &scalars {
            head.extend_from_slice(format!(" {name}=\"").as_bytes());
            xml::escape(&mut head, value);
            head.push(b'"');
        }
        head.push(b'>');
    } else {
        head.extend_from_slice(format!(",\"{name}\":{{").as_bytes());
        for (name, value) in &scalars {
            // A number is one in JSON too.
            let value = match value.parse::<i64>() {
                Ok(_) => value.clone(),
                Err(_) => serde_json::Value::from(value.as_str()).to_string(),
            };
            head.extend_from_slice(format!("\"{name}\":{value},").as_bytes());
        }
        head.extend_from_slice(b"\"index\":[");
    }
    let next = Next::Head(head);
    let entries = Entries { bytes: Vec::new(), ends: Vec::new() };
    let ahead = Ahead { entries, next: (0, 0), covers: 0 };
    let groups = groups.into();
    let mut sender = Sender { format, entry, name, groups, rest, next, spell, ahead };
    if length <= SHORT {
        let mut whole = Vec::new();
        while let Some(piece) = sender.piece().await? {
            whole.extend_from_slice(&piece);
        }
        return Ok(reply::respond(spelling.format, whole.boxed()));
    }
    let pieces = stream::unfold(sender, |mut sender| async {
        let piece = match sender.piece().await {
            Ok(piece) => Ok(Bytes::from(piece?)),
            Err(failure) => {
                tracing::error!(error = %failure.message, "a long answer was broken off");
                sender.next = Next::Nothing;
                Err(io::Error::other(failure.message))
            }
        };
        Some((piece, sender))
    });
    Ok(reply::respond(spelling.format, BodyStream::new(Box::pin(pieces)).boxed()))
}

impl<Id: Copy + PartialEq> Sender<Id> {
    /// Reads the next portion, across groups, when all of the last one was sent.
    async fn read_ahead(&mut self) -> Result<(), Failure> {
        if self.ahead.covers == 0 {
            let left = self.groups.iter().flat_map(|(_, ids)| ids).copied();
            let ids: Vec<Id> = left.take(PORTION).collect();
            let covers = ids.len();
            let entries = (self.spell)(ids).await?;
            self.ahead = Ahead { entries, next: (0, 0), covers };
        }
        Ok(())
    }

    async fn piece(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let is_xml = self.format == Format::Xml;
        let next = std::mem::replace(&mut self.next, Next::Nothing);
        let mut out = Vec::new();
        match next {
            Next::Head(head) => {
                out = head;
                self.next = Next::Group { is_first: true };
            }
            Next::Group { is_first } => match self.groups.front() {
                None => {
                    self.next = Next::Tail;
                    if !is_xml {
                        out.push(b']');
                    }
                    out.append(&mut self.rest);
                }
                Some((letter, _)) if is_xml => {
                    out.extend_from_slice(b"<index name=\"");
                    xml::escape(&mut out, letter);
                    out.extend_from_slice(b"\">");
                    self.next = Next::Entries { is_first: true };
                }
                Some((letter, _)) => {
                    let comma = if is_first { "" } else { "," };
                    let letter = serde_json::Value::from(letter.as_str());
                    let open = format!("{comma}{{\"name\":{letter},\"{}\":[", self.entry);
                    out.extend_from_slice(open.as_bytes());
                    self.next = Next::Entries { is_first: true };
                }
            },
            Next::Entries { is_first } => {
                self.read_ahead().await?;
                let Some((_, ids)) = self.groups.front_mut() else { return Ok(None) };
                let mut is_still_first = is_first;
                let covered = ids.len().min(self.ahead.covers);
                self.ahead.covers -= covered;
                for id in ids.drain(..covered) {
                    if let Some(entry) = self.ahead.take(id) {
                        if !is_xml && !is_still_first {
                            out.push(b',');
                        }
                        out.extend_from_slice(entry);
                        is_still_first = false;
                    }
                }
                if ids.is_empty() {
                    out.extend_from_slice(if is_xml { b"</index>" } else { b"]}" });
                    self.groups.pop_front();
                    self.next = Next::Group { is_first: false };
                } else {
                    self.next = Next::Entries { is_first: is_still_first };
                }
            }
            Next::Tail => {
                let end = if is_xml { format!("</{}>", self.name) } else { "}".to_owned() };
                out.extend_from_slice(end.as_bytes());
                reply::tail(&mut out, &self.format);
            }
            Next::Nothing => return Ok(None),
        }
        if matches!(self.format, Format::Jsonp(_)) {
            reply::escape_line_separators(&mut out, 0);
        }
        Ok(Some(out))
    }
}

impl<Id: PartialEq> Ahead<Id> {
    /// The entry of this id; `None` if it is not there any more.
    fn take(&mut self, id: Id) -> Option<&[u8]> {
        let (at, start) = self.next;
        let (_, end) = self.entries.ends.get(at).filter(|(is, _)| *is == id)?;
        self.next = (at + 1, *end);
        Some(&self.entries.bytes[start..*end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn written(format: Format, groups: Vec<(String, Vec<u32>)>) -> String {
        let spelled = format.clone();
        let spell: Spell<u32> = Box::new(move |ids| {
            let format = spelled.clone();
            Box::pin(async move {
                let there = ids.iter().filter(|id| **id != 1);
                let names = there.map(|id| (*id, id.to_string()));
                entries(&format, Dialect::Full, "artist", names)
            })
        });
        let long = Long {
            name: "artists",
            scalars: vec![("ignoredArticles", "The".to_owned()), ("lastModified", "7".to_owned())],
            entry: "artist",
            groups,
            rest: Vec::new(),
        };
        let spelling = Spelling { format: &format, dialect: Dialect::Full };
        let response = send(spelling, long, spell).await.unwrap_or_else(|_| panic!("refused"));
        let bytes = actix_web::body::to_bytes(response.into_body()).await;
        String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn whole_or_in_portions_it_is_the_same_document() {
        for count in [0_u32, 3, 1_300, 5_000, 30_000] {
            let groups = vec![
                ("A".to_owned(), (0..count / 3).collect::<Vec<u32>>()),
                ("B".to_owned(), (count / 3..count).collect()),
            ];
            let sent = (0..count).filter(|id| *id != 1).map(|id| id.to_string());
            let json = written(Format::Json, groups.clone()).await;
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            let artists = &json["subsonic-response"]["artists"];
            assert_eq!(
                (&artists["ignoredArticles"], &artists["lastModified"]),
                (&"The".into(), &7.into())
            );
            let read: Vec<String> = artists["index"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|group| group["artist"].as_array().unwrap())
                .map(|artist| artist.as_str().unwrap().to_owned())
                .collect();
            assert_eq!(read, sent.clone().collect::<Vec<_>>(), "{count}");
            let xml = written(Format::Xml, groups).await;
            let body: String = sent.map(|id| format!("<artist>{id}</artist>")).collect();
            let bare = xml.replace("</index><index name=\"B\">", "");
            assert!(
                bare.contains(&format!("<index name=\"A\">{body}</index></artists>")),
                "{count}"
            );
        }
    }
}
