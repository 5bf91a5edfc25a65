//! Answers that may be long: entries grouped by letter, written and sent in portions, so that
//! fifty thousand artists need no more room than five hundred.

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
pub(super) const PORTION: usize = 500;

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

/// Entries of one portion, spelled: for JSON with commas between, for XML as elements.
pub(super) type Spelled = Result<Vec<u8>, Failure>;

/// Who spells a portion of a group.
pub(super) type Spell<Id> = Box<dyn Fn(Vec<Id>) -> LocalBoxFuture<'static, Spelled>>;

/// What is still to be sent.
struct Sender<Id> {
    format: Format,
    entry: &'static str,
    name: &'static str,
    groups: VecDeque<(String, Vec<Id>)>,
    rest: Vec<u8>,
    next: Next,
    spell: Spell<Id>,
}

enum Next {
    Head(Vec<u8>),
    Group { is_first: bool },
    Entries { is_first: bool },
    Tail,
    Nothing,
}

/// Spells the entries of a portion.
pub(super) fn entries<T: Serialize>(
    format: &Format,
    dialect: Dialect,
    name: &'static str,
    entries: impl IntoIterator<Item = T>,
) -> Spelled {
    let mut out = Vec::with_capacity(64 * 1024);
    for entry in entries {
        if *format == Format::Xml {
            xml::append(&mut out, name, &entry, dialect)?;
        } else {
            if !out.is_empty() {
                out.push(b',');
            }
            serde_json::to_writer(&mut out, &entry)?;
        }
    }
    Ok(out)
}

/// The answer: in one piece if it is short, else as it is read.
pub(super) async fn send<Id: Clone + 'static>(
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
    let mut sender = Sender { format, entry, name, groups: groups.into(), rest, next, spell };
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

impl<Id: Clone> Sender<Id> {
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
                let Some((_, ids)) = self.groups.front_mut() else { return Ok(None) };
                let portion: Vec<Id> = ids.drain(..ids.len().min(PORTION)).collect();
                let is_last = ids.is_empty();
                let mut spelled = (self.spell)(portion).await?;
                if !is_xml && !is_first && !spelled.is_empty() {
                    out.push(b',');
                }
                let is_still_first = is_first && spelled.is_empty();
                out.append(&mut spelled);
                if is_last {
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn written(format: Format, groups: Vec<(String, Vec<u32>)>) -> String {
        let spelled = format.clone();
        let spell: Spell<u32> = Box::new(move |ids| {
            let format = spelled.clone();
            Box::pin(async move {
                let names = ids.iter().filter(|id| **id != 1).map(ToString::to_string);
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
        for count in [0_u32, 3, 1_300, 5_000] {
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
