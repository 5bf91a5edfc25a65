//! What every family of tags is turned into before it is understood: names as in Vorbis comments,
//! upper case, with values in the order of the file. One vocabulary, one place that knows it.

use std::borrow::Cow;

/// More fields than any tagger writes.
const MOST_FIELDS: usize = 4096;
/// Longer texts are cut; lyrics and cue sheets have room of their own.
const MOST_TEXT: usize = 64 << 10;
const MOST_LONG_TEXT: usize = 1 << 20;
const MOST_LYRICS: usize = 32;

/// Fields of one file.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    values: Vec<(Cow<'static, str>, String)>,
    /// Lyrics that know their language.
    pub(crate) lyrics: Vec<(String, String)>,
    /// Role, instrument or '', name.
    pub(crate) credits: Vec<(String, String, String)>,
    /// The front cover, else the first picture.
    pub(crate) picture: Option<Vec<u8>>,
    has_front: bool,
    /// Values of one field may be joined by `/`, as ID3v2.3 prescribes.
    pub(crate) joined_by_slash: bool,
}

impl Fields {
    /// Adds one value under a name that is upper case already.
    pub(crate) fn add(&mut self, name: impl Into<Cow<'static, str>>, value: &str) {
        let name = name.into();
        let most = match name.as_ref() {
            "CUESHEET" | "LYRICS" | "UNSYNCEDLYRICS" | "SYNCEDLYRICS" => MOST_LONG_TEXT,
            _ => MOST_TEXT,
        };
        if let Some(value) = cleaned(value, most)
            && self.values.len() < MOST_FIELDS
        {
            self.values.push((name, value));
        }
    }

    /// Adds a value with several parts, separated by NUL as in ID3v2.4 and APEv2.
    pub(crate) fn add_all(&mut self, name: &'static str, value: &str) {
        for part in value.split('\0') {
            self.add(name, part);
        }
    }

    /// `3/12` as a number and a total; either may be missing.
    pub(crate) fn add_pair(&mut self, name: &'static str, total: &'static str, value: &str) {
        let (number, of) = value.split_once('/').unwrap_or((value, ""));
        self.add(name, number);
        self.add(total, of);
    }

    /// Adds lyrics with their language.
    pub(crate) fn add_lyrics(&mut self, language: &str, body: &str) {
        if self.lyrics.len() < MOST_LYRICS
            && let Some(body) = cleaned(body, MOST_LONG_TEXT)
        {
            let language = language.to_ascii_lowercase();
            let known = language.len() == 3 && language.bytes().all(|b| b.is_ascii_lowercase());
            let language = if known && language != "xxx" { language } else { "und".to_owned() };
            self.lyrics.push((language, body));
        }
    }

    /// Adds somebody who took part.
    pub(crate) fn add_credit(&mut self, role: &str, sub_role: &str, name: &str) {
        if let Some(name) = cleaned(name, 1000)
            && self.credits.len() < 500
        {
            let tidy = |text: &str| cleaned(text, 100).unwrap_or_default().to_lowercase();
            self.credits.push((tidy(role), tidy(sub_role), name));
        }
    }

    /// Keeps a picture if it is the first, or the first front cover.
    pub(crate) fn add_picture(&mut self, is_front: bool, bytes: Cow<'_, [u8]>) {
        if bytes.is_empty() || bytes.len() > crate::media::pictures::MOST_BYTES {
            return;
        }
        if self.picture.is_none() || is_front && !self.has_front {
            self.picture = Some(bytes.into_owned());
            self.has_front |= is_front;
        }
    }

    /// All values of a name, in order.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.values.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of the first name that has one.
    pub(crate) fn first(&self, names: &[&str]) -> Option<&str> {
        let value = |name: &str| self.values.iter().find(|(key, _)| key == name);
        names.iter().find_map(|name| value(name)).map(|(_, value)| value.as_str())
    }

    /// All values of the first name that has any.
    pub(crate) fn list(&self, names: &[&str]) -> Vec<String> {
        let values = |name: &&str| {
            let values: Vec<_> = self.all(name).map(str::to_owned).collect();
            (!values.is_empty()).then_some(values)
        };
        names.iter().find_map(values).unwrap_or_default()
    }

    /// Whether there is any value under a name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Whether nothing was said at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Takes over what is said there and not here, field by field.
    pub(crate) fn complete(&mut self, other: Self) {
        let known: Vec<_> = self.values.iter().map(|(name, _)| name.clone()).collect();
        self.values.extend(other.values.into_iter().filter(|(name, _)| !known.contains(name)));
        self.joined_by_slash |= other.joined_by_slash && known.is_empty();
        if self.lyrics.is_empty() {
            self.lyrics = other.lyrics;
        }
        if self.credits.is_empty() {
            self.credits = other.credits;
        }
        if self.picture.is_none() {
            self.picture = other.picture;
        }
    }
}

/// Text without NULs and control characters (line breaks stay), trimmed, cut to `most` bytes.
fn cleaned(text: &str, most: usize) -> Option<String> {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text[..end].trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
    if text.is_empty() {
        return None;
    }
    let strange = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t');
    Some(if text.contains(strange) { text.replace(strange, "") } else { text.to_owned() })
        .filter(|text| !text.is_empty())
}
