//! Sending events to one subscriber: in order, each once, within a time.

use std::{fmt::Write as _, io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use super::{Property, callback::Callback};
use crate::xml::escape;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const DONE_WITHIN: Duration = Duration::from_secs(5);
/// After so many failures in a row nobody is there any more.
const FAILURES: u32 = 3;

/// Who is told.
pub(super) struct Subscriber {
    pub(super) sid: String,
    pub(super) callbacks: Vec<Callback>,
}

impl Subscriber {
    /// Sends what comes until the queue ends or nobody listens.
    pub(super) async fn deliver(self, mut queue: mpsc::Receiver<Vec<Property>>) {
        let mut sequence: u32 = 0;
        let mut failures = 0;
        while let Some(properties) = queue.recv().await {
            let body = property_set(&properties);
            if self.send(sequence, &body).await {
                failures = 0;
            } else {
                failures += 1;
                if FAILURES <= failures {
                    tracing::debug!(sid = self.sid, "a subscriber no longer listens");
                    return;
                }
            }
            // 0 is the first event alone.
            sequence = sequence.checked_add(1).unwrap_or(1);
        }
    }

    /// Tries each address in turn.
    async fn send(&self, sequence: u32, body: &str) -> bool {
        for callback in &self.callbacks {
            if let Ok(Ok(())) = timeout(DONE_WITHIN, self.notify(callback, sequence, body)).await {
                return true;
            }
        }
        false
    }

    async fn notify(&self, callback: &Callback, sequence: u32, body: &str) -> io::Result<()> {
        let message = format!(
            "NOTIFY {} HTTP/1.1\r\nHOST: {}\r\nCONTENT-TYPE: text/xml; charset=\"utf-8\"\r\n\
             CONTENT-LENGTH: {}\r\nNT: upnp:event\r\nNTS: upnp:propchange\r\nSID: {}\r\nSEQ: {sequence}\r\n\
             CONNECTION: close\r\n\r\n{body}",
            callback.path,
            callback.address,
            body.len(),
            self.sid,
        );
        let mut stream = timeout(CONNECT_WITHIN, TcpStream::connect(callback.address)).await??;
        stream.write_all(message.as_bytes()).await?;
        // Waiting for the answer's first line makes it sure that all was read.
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        if answer.starts_with(b"HTTP/1.") { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

/// One variable in each property: parsers that read the first child lose a second.
fn property_set(properties: &[Property]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<e:propertyset xmlns:e=\"urn:schemas-upnp-org:event-1-0\">",
    );
    for (name, value) in properties {
        let _ = write!(out, "<e:property><{name}>");
        escape(value, &mut out);
        let _ = write!(out, "</{name}></e:property>");
    }
    out.push_str("</e:propertyset>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_has_a_property_of_its_own() {
        let text = property_set(&[("SystemUpdateID", "7".to_owned()), ("X", "<".to_owned())]);
        let read = crate::xml::read(text.as_bytes(), &crate::xml::Rules::STRICT).unwrap();
        assert_eq!(read.children.len(), 2);
        assert_eq!(read.children[0].child("SystemUpdateID").unwrap().text, "7");
        assert_eq!(read.children[1].child("X").unwrap().text, "<");
    }
}
