//! What the client sent: query string and form body as one ordered list of decoded pairs.
//! Names are case-sensitive, repeated names are lists, unknown names are ignored.

use std::{borrow::Cow, str::FromStr};

use percent_encoding::percent_decode_str;

use super::failure::Failure;
use crate::{accounts::Principal, ids::LibraryId};

/// All parameters of one request, the query's before the body's.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string and a form body (either may be empty).
    pub(super) fn read(query: &str, form: &str) -> Self {
        let pairs = query.split('&').chain(form.split('&')).filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(decoded.collect())
    }

    /// The first value of this name; an empty one counts as not sent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|value| !value.is_empty())
    }

    /// The first value of this name, also if it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// The first value of this name, or error 10.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| Failure::missing(name))
    }

    /// All values of this name in the order sent, without empty ones.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(each, value)| each == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A number, or `None` when it was not sent; nonsense is an error that names it.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        self.get(name).map(|text| number(name, text)).transpose()
    }

    /// A yes or no, or `None` when it was not sent.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") || text == "0" => Ok(Some(false)),
            Some(_) => Err(Failure::generic(format!("Parameter {name} is neither true nor false"))),
        }
    }

    /// How many: the first of these names that was sent, clamped from 0 to `most`; clients mix
    /// `size`, `count` and `limit` up (C24).
    pub(super) fn count(&self, names: &[&str], default: u32, most: u32) -> Result<u32, Failure> {
        for name in names {
            if let Some(wanted) = self.whole(name)? {
                return Ok(u32::try_from(wanted.clamp(0, i64::from(most))).unwrap_or(most));
            }
        }
        Ok(default)
    }

    /// How many to skip; below 0 counts as 0.
    pub(super) fn offset(&self, name: &str) -> Result<u32, Failure> {
        Ok(self.amount(name)?.unwrap_or(0))
    }

    /// How much of something; below 0 counts as 0, and what is too large as the largest there is.
    pub(super) fn amount(&self, name: &str) -> Result<Option<u32>, Failure> {
        let wanted = self.whole(name)?;
        Ok(wanted.map(|wanted| u32::try_from(wanted.max(0)).unwrap_or(u32::MAX)))
    }

    /// A whole number; one that is too large is the largest there is, as it would be with more
    /// digits than a client's own numbers have.
    pub(super) fn whole(&self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let text = text.trim();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match number(name, text) {
            Err(_) if is_number && text.trim().starts_with('-') => Ok(Some(i64::MIN)),
            Err(_) if is_number => Ok(Some(i64::MAX)),
            read => read.map(Some),
        }
    }

    /// The music folder to stay in. Missing, 0, stale or not visible means all (C12).
    pub(super) fn library(&self, principal: &Principal) -> Option<LibraryId> {
        let id = LibraryId(self.get("musicFolderId")?.parse().ok()?);
        principal.may_see(id).then_some(id)
    }
}

/// Reads a number that a client sent.
pub(super) fn number<T: FromStr>(name: &str, text: &str) -> Result<T, Failure> {
    text.trim()
        .parse()
        .map_err(|_| Failure::generic(format!("Parameter {name} is not a number that fits")))
}

fn decode(text: &str) -> String {
    let spaced =
        if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_comes_before_form_and_lists_keep_their_order() {
        let params = Params::read("id=1&x=a+b%2B%C3%A9&id=2&empty=", "id=3&=&&novalue");
        assert_eq!(params.all("id").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(params.get("x"), Some("a b+é"));
        assert_eq!(params.get("empty"), None);
        assert_eq!(params.text("empty"), Some(""));
        assert_eq!(params.get("X"), None);
    }

    #[test]
    fn counts_are_clamped_and_nonsense_is_named() {
        let params = Params::read("size=10000&limit=7&bad=seven&neg=-5&flag=true", "");
        assert_eq!(params.count(&["size", "limit"], 10, 500).unwrap(), 500);
        assert_eq!(params.count(&["count", "limit"], 10, 500).unwrap(), 7);
        assert_eq!(params.count(&["none"], 10, 500).unwrap(), 10);
        assert_eq!(params.count(&["neg"], 10, 500).unwrap(), 0);
        assert_eq!(params.offset("neg").unwrap(), 0);
        let huge = Params::read("offset=99999999999999999999&size=-99999999999999999999&x=--5", "");
        assert_eq!(huge.offset("offset").unwrap(), u32::MAX);
        assert_eq!(huge.count(&["offset"], 10, 500).unwrap(), 500);
        assert_eq!(huge.amount("size").unwrap(), Some(0));
        assert!(huge.amount("x").is_err() && huge.amount("none").unwrap().is_none());
        assert_eq!(params.flag("flag").unwrap(), Some(true));
        assert!(params.flag("bad").is_err());
        assert!(params.number::<u32>("bad").unwrap_err().message.contains("bad"));
    }

    #[test]
    fn broken_escapes_are_taken_as_they_are() {
        let params = Params::read("a=%zz&b=%ff", "");
        assert_eq!(params.get("a"), Some("%zz"));
        assert_eq!(params.get("b"), Some("\u{fffd}"));
    }
}
