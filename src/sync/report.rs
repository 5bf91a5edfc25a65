//! What was done with each file, and the sums.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
};

/// What was done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was there.
    Had,
    /// It was there under another path, and was moved on the server.
    Moved {
        /// Where it was.
        from: String,
    },
    /// Its bytes were there; it was made without sending them.
    Claimed,
    /// It was sent: so many bytes in this run.
    Sent(u64),
    /// It was brought here.
    Fetched(u64),
    /// Only looked at: it would be claimed.
    WouldClaim,
    /// It would be sent.
    WouldSend,
    /// It would be fetched.
    WouldFetch,
    /// It could not be.
    Refused(String),
}

impl Outcome {
    /// One word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Had => "had",
            Self::Moved { .. } => "moved",
            Self::Claimed => "claimed",
            Self::Sent(_) => "sent",
            Self::Fetched(_) => "fetched",
            Self::WouldClaim => "would claim",
            Self::WouldSend => "would send",
            Self::WouldFetch => "would fetch",
            Self::Refused(_) => "refused",
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Refused(reason) => reason,
            Self::Moved { from } => from,
            _ => "",
        }
    }
}

/// All of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Path, bytes of the file, what was done.
    pub files: Vec<(String, u64, Outcome)>,
}

impl Report {
    /// Adds a file.
    pub(super) fn add(&mut self, path: impl Into<String>, size: u64, outcome: Outcome) {
        self.files.push((path.into(), size, outcome));
    }

    /// Files of this word and their bytes.
    #[must_use]
    pub fn count(&self, word: &str) -> (u64, u64) {
        let of = self.files.iter().filter(|(_, _, outcome)| outcome.word() == word);
        of.fold((0, 0), |(files, bytes), (_, size, _)| (files + 1, bytes + size))
    }

    /// Bytes of files that went over the wire.
    #[must_use]
    pub fn carried(&self) -> u64 {
        let carried = |outcome: &Outcome| match outcome {
            Outcome::Sent(bytes) | Outcome::Fetched(bytes) => *bytes,
            _ => 0,
        };
        self.files.iter().map(|(_, _, outcome)| carried(outcome)).sum()
    }

    /// As one line for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let words = [
            "had",
            "moved",
            "claimed",
            "sent",
            "fetched",
            "would claim",
            "would send",
            "would fetch",
            "refused",
        ];
        let counts: Vec<String> = words
            .iter()
            .map(|word| (word, self.count(word).0))
            .filter(|(_, count)| 0 < *count)
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        let files = self.files.len();
        if counts.is_empty() {
            return "no files".to_owned();
        }
        format!("{files} files: {}; {} bytes carried", counts.join(", "), self.carried())
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let count = |word| {
            let (files, bytes) = self.count(word);
            serde_json::json!({ "files": files, "bytes": bytes })
        };
        let refused: Vec<_> = self
            .files
            .iter()
            .filter(|(_, _, outcome)| matches!(outcome, Outcome::Refused(_)))
            .map(|(path, _, outcome)| serde_json::json!({ "path": path, "reason": outcome.reason() }))
            .collect();
        serde_json::json!({
            "files": self.files.len(),
            "had": count("had"), "moved": count("moved"), "claimed": count("claimed"),
            "sent": count("sent"), "fetched": count("fetched"),
            "wouldClaim": count("would claim"), "wouldSend": count("would send"),
            "wouldFetch": count("would fetch"),
            "refused": refused,
            "carried": self.carried(),
        })
    }

    /// A line for each file: path, result, bytes, reason.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(b"path,result,bytes,reason\r\n")?;
        for (path, size, outcome) in &self.files {
            let line = format!(
                "{},{},{size},{}\r\n",
                quoted(path),
                outcome.word(),
                quoted(outcome.reason())
            );
            out.write_all(line.as_bytes())?;
        }
        out.flush()
    }
}

/// After RFC 4180.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_csv_and_add_up() {
        let mut report = Report::default();
        report.add("a, \"b\".mp3", 10, Outcome::Sent(7));
        report.add("c", 5, Outcome::Refused("no, never".to_owned()));
        report.add("d", 1, Outcome::Had);
        let path = tempfile::NamedTempFile::new().unwrap();
        report.write(path.path()).unwrap();
        let text = std::fs::read_to_string(path.path()).unwrap();
        assert_eq!(
            text,
            "path,result,bytes,reason\r\n\"a, \"\"b\"\".mp3\",sent,10,\r\nc,refused,5,\"no, never\"\r\nd,had,1,\r\n"
        );
        assert_eq!(report.sentence(), "3 files: 1 had, 1 sent, 1 refused; 7 bytes carried");
        assert_eq!(report.count("sent"), (1, 10));
        assert_eq!(Report::default().sentence(), "no files");
    }
}
