//! Names of files: what a locker takes, decided once at the door, and what can be called there
//! because other hands put it there. Unicode is kept as sent and compared in NFC.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use crate::zip::safe_name;

/// A path below a locker's root, `/` between parts, none of which leads out. '' is the root itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

/// Why a name is refused; `rule` is for programs, the text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct NameProblem {
    /// One word: `empty`, `dots`, `control`, `trailing`, `reserved`, `long`, `absolute`,
    /// `backslash`, `deep`.
    pub rule: &'static str,
    /// For people.
    pub sentence: &'static str,
}

impl From<NameProblem> for crate::Error {
    fn from(problem: NameProblem) -> Self {
        Self::NameInvalid { rule: problem.rule, detail: problem.sentence.to_owned() }
    }
}

/// What most file systems take for one name, in bytes.
const NAME_LENGTH: usize = 255;
const PATH_LENGTH: usize = 4000;
/// What Linux takes for a path, in bytes.
const LONGEST: usize = 4096;
const DEPTH: usize = 64;
/// Devices to Windows, with any ending: a locker copied there must not lose files.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

impl RelativePath {
    /// Reads a path that something is to be put at. One slash at the end is fine.
    pub fn parse(text: &str) -> Result<Self, NameProblem> {
        let path = Self::called(text)?;
        path.judge()?;
        Ok(path)
    }

    /// Reads a path that something may lie at. Other hands give names that no way in takes (`R.E.M.`,
    /// `aux`), and what is there is read, moved and deleted all the same; only what cannot be a name
    /// on any disk is refused.
    pub fn called(text: &str) -> Result<Self, NameProblem> {
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() {
            return Ok(Self(String::new()));
        }
        if text.starts_with('/') {
            return Err(problem("absolute", "A path begins with a name, not with a slash"));
        }
        if LONGEST < text.len() {
            return Err(problem("long", "The path is too long"));
        }
        for part in text.split('/') {
            call(part)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether something may be put here.
    pub fn judge(&self) -> Result<(), NameProblem> {
        self.fit()?;
        if self.is_root() { Ok(()) } else { self.0.split('/').try_for_each(check) }
    }

    /// Whether it is short and shallow enough for something to be put here; for a path that was made
    /// of others, which were judged.
    pub(super) fn fit(&self) -> Result<(), NameProblem> {
        if PATH_LENGTH < self.0.len() {
            return Err(problem("long", "The path is too long"));
        }
        if DEPTH < self.0.split('/').count() {
            return Err(problem("deep", "There are too many folders inside each other"));
        }
        Ok(())
    }

    /// A path that the disk itself spelled; not judged again.
    pub(crate) fn from_disk(text: String) -> Self {
        Self(text)
    }

    /// The locker's root.
    #[must_use]
    pub fn root() -> Self {
        Self(String::new())
    }

    /// This path below a folder.
    #[must_use]
    pub fn below(&self, folder: &Self) -> Self {
        match (folder.is_root(), self.is_root()) {
            (true, _) => self.clone(),
            (_, true) => folder.clone(),
            _ => Self(format!("{}/{}", folder.0, self.0)),
        }
    }

    /// Its last part; '' for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is this folder, or lies in it.
    #[must_use]
    pub fn is_within(&self, folder: &str) -> bool {
        folder.is_empty()
            || self
                .0
                .strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// As sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the locker's root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder that it lies in; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()))
    }

    /// Whether it lies in a folder, however deep. Nothing lies in itself.
    #[must_use]
    pub fn is_inside(&self, folder: &Self) -> bool {
        self.within(folder).is_some_and(|rest| !rest.is_root())
    }

    /// Where it lies in a folder; the root for the folder itself, none outside of it.
    #[must_use]
    pub fn within(&self, folder: &Self) -> Option<Self> {
        if folder.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&folder.0)?;
        if rest.is_empty() {
            return Some(Self(String::new()));
        }
        rest.strip_prefix('/').map(|rest| Self(rest.to_owned()))
    }

    /// An entry of this folder, by the name that a list of it told.
    #[must_use]
    pub fn entry(&self, name: &str) -> Self {
        if self.is_root() { Self(name.to_owned()) } else { Self(format!("{}/{name}", self.0)) }
    }
}

fn problem(rule: &'static str, sentence: &'static str) -> NameProblem {
    NameProblem { rule, sentence }
}

/// Whether it can be the name of something.
fn call(name: &str) -> Result<(), NameProblem> {
    if name.is_empty() {
        return Err(problem("empty", "A name is empty"));
    }
    if matches!(name, "." | "..") {
        return Err(problem("dots", "A name may not be . or .."));
    }
    if name.contains('\0') {
        return Err(problem("control", "A name holds a control character"));
    }
    if NAME_LENGTH < name.len() {
        return Err(problem("long", "A name is longer than 255 bytes"));
    }
    Ok(())
}

/// Whether a way in takes what can be a name.
fn check(name: &str) -> Result<(), NameProblem> {
    if name.contains(char::is_control) {
        return Err(problem("control", "A name holds a control character"));
    }
    if name.contains('\\') {
        return Err(problem("backslash", "A name holds a backslash"));
    }
    if name.ends_with(['.', ' ']) {
        return Err(problem("trailing", "A name ends with a dot or a blank"));
    }
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let is_device = DEVICES.iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|rest| match *device {
            "com" | "lpt" => matches!(rest.as_bytes(), [b'1'..=b'9']),
            _ => rest.is_empty(),
        })
    });
    if is_device {
        return Err(problem("reserved", "That name means a device on some systems"));
    }
    Ok(())
}

/// A path with every part that no way in takes made into one that all do.
pub(super) fn fitting(path: &str) -> String {
    let fit = |part: &str| {
        let is_fine = part.is_empty() || call(part).and_then(|()| check(part)).is_ok();
        if is_fine { part.to_owned() } else { safe_name(part) }
    };
    path.split('/').map(fit).collect::<Vec<_>>().join("/")
}

/// A path as all others are compared with it: its accents composed.
pub(crate) fn composed(path: &str) -> Cow<'_, str> {
    if path.is_ascii() { Cow::Borrowed(path) } else { Cow::Owned(path.nfc().collect()) }
}

/// Whether two names are the same to a reader, however their accents are composed.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one == other || one.nfc().eq(other.nfc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_and_why_not() {
        for good in [
            "a.flac",
            "Music/Björk/01 Jóga.flac",
            "Music/",
            ".hidden",
            "a:b?*",
            "...And Justice/01.mp3",
            "com10.txt",
            "console",
            &"x".repeat(255),
        ] {
            assert!(RelativePath::parse(good).is_ok(), "{good}");
        }
        for (wrong, rule) in [
            ("/etc/passwd", "absolute"),
            ("a//b", "empty"),
            ("..", "dots"),
            ("a/../b", "dots"),
            ("./a", "dots"),
            ("a\0b", "control"),
            ("a\nb", "control"),
            ("a\\b", "backslash"),
            ("a./b", "trailing"),
            ("a ", "trailing"),
            ("NUL", "reserved"),
            ("x/com1.flac", "reserved"),
            (&"x".repeat(256), "long"),
            (&"a/".repeat(2001), "long"),
            (&"a/".repeat(65), "deep"),
        ] {
            assert_eq!(RelativePath::parse(wrong).unwrap_err().rule, rule, "{wrong}");
        }
        assert!(RelativePath::parse("").unwrap().is_root());
    }

    #[test]
    fn what_is_there_can_be_called() {
        for there in ["R.E.M./01 Drive.flac", "aux", "a\nb", "a\\b", "x ", &"a/".repeat(100)] {
            let path = RelativePath::called(there).unwrap();
            assert!(path.judge().is_err(), "{there}");
            if !there.ends_with('/') {
                assert!(RelativePath::parse(&fitting(there)).is_ok(), "{there}");
            }
        }
        for (wrong, rule) in [
            ("/etc/passwd", "absolute"),
            ("a//b", "empty"),
            ("a/../b", "dots"),
            ("a\0b", "control"),
            (&"x".repeat(256), "long"),
            (&"a/".repeat(3000), "long"),
        ] {
            assert_eq!(RelativePath::called(wrong).unwrap_err().rule, rule, "{wrong}");
        }
        assert_eq!(fitting("Music/R.E.M./a.flac"), "Music/R.E.M/a.flac");
    }

    #[test]
    fn paths_lie_in_each_other() {
        let path = |text| RelativePath::parse(text).unwrap();
        assert_eq!(path("a/b/c").parent(), Some(path("a/b")));
        assert_eq!(path("a").parent(), Some(path("")));
        assert_eq!(path("").parent(), None);
        for (one, other, rest) in [
            ("a/b", "a", Some("b")),
            ("a/b", "", Some("a/b")),
            ("a", "a", Some("")),
            ("", "", Some("")),
            ("ab", "a", None),
            ("", "a", None),
            ("a", "a/b", None),
        ] {
            assert_eq!(path(one).within(&path(other)), rest.map(path), "{one} in {other}");
            assert_eq!(
                path(one).is_inside(&path(other)),
                rest.is_some_and(|rest| !rest.is_empty())
            );
        }
        assert_eq!(path("").entry("x."), RelativePath::from_disk("x.".to_owned()));
        assert_eq!(path("a").entry("b"), path("a/b"));
    }

    #[test]
    fn accents_compare_however_composed() {
        assert!(is_same_name("J\u{f3}ga", "Jo\u{301}ga"));
        assert!(!is_same_name("Joga", "J\u{f3}ga"));
    }
}
