//! Last.fm's API: signed calls for a user's listens, unsigned ones for what is known of artists.
//! Its errors come as numbers in a body; each is one of three reactions.

use md5::{Digest as _, Md5};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Shared;
use crate::{
    accounts::LastFmKeys,
    egress::{Limits, Wanted},
};

/// Why a web service did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Not now; the same again later.
    Later(String),
    /// It does not know the user any more; only the user can mend that.
    Credential(String),
    /// It will never want this.
    Refused(String),
}

impl Trouble {
    /// As a sentence.
    pub(super) fn sentence(&self) -> &str {
        match self {
            Self::Later(text) | Self::Credential(text) | Self::Refused(text) => text,
        }
    }
}

/// Parameters of a call.
pub(super) type Fields = Vec<(String, String)>;

impl Shared {
    /// Calls a method that changes something or belongs to a user.
    pub(super) async fn lastfm_signed(
        &self,
        keys: &LastFmKeys,
        method: &str,
        mut fields: Fields,
    ) -> Result<Value, Trouble> {
        fields.push(("method".to_owned(), method.to_owned()));
        fields.push(("api_key".to_owned(), keys.key.clone()));
        fields.push(("api_sig".to_owned(), signature(&fields, &keys.secret)));
        fields.push(("format".to_owned(), "json".to_owned()));
        let url = &self.settings.places.lastfm;
        let form = "application/x-www-form-urlencoded";
        let wanted = Wanted::post(url, Limits::SERVICE, form, encode(&fields).into());
        self.lastfm_answer(wanted).await
    }

    /// Asks for something that anybody may know.
    pub(super) async fn lastfm_plain(
        &self,
        keys: &LastFmKeys,
        method: &str,
        mut fields: Fields,
    ) -> Result<Value, Trouble> {
        fields.push(("method".to_owned(), method.to_owned()));
        fields.push(("api_key".to_owned(), keys.key.clone()));
        fields.push(("format".to_owned(), "json".to_owned()));
        let url = format!("{}?{}", self.settings.places.lastfm, encode(&fields));
        self.lastfm_answer(Wanted::get(&url, Limits::SERVICE)).await
    }

    async fn lastfm_answer(&self, wanted: Wanted<'_>) -> Result<Value, Trouble> {
        let later = |sentence: String| Trouble::Later(format!("Last.fm: {sentence}"));
        let answer = self.of.egress.ask(wanted).await.map_err(|fault| later(fault.to_string()))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|fault| later(fault.to_string()))?;
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(body) => match body["error"].as_i64() {
                Some(code) => Err(trouble(code, body["message"].as_str().unwrap_or_default())),
                None if status < 400 => Ok(body),
                None => Err(later(format!("it answers {status}"))),
            },
            Err(_) => Err(later(format!("it answers {status} and something unreadable"))),
        }
    }
}

/// <https://www.last.fm/api/errorcodes>
fn trouble(code: i64, message: &str) -> Trouble {
    let message: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
    let sentence = format!("Last.fm says {code}: {message}");
    match code {
        // Authentication failed, invalid session, unauthorised token.
        4 | 9 | 14 | 17 => Trouble::Credential(sentence),
        // Wrong method, parameters or resource.
        3 | 5 | 6 | 7 => Trouble::Refused(sentence),
        // Failed, offline, unavailable, too often; and what an administrator has to mend.
        _ => Trouble::Later(sentence),
    }
}

/// All fields by name, run together, with the secret behind, as MD5.
fn signature(fields: &Fields, secret: &str) -> String {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort();
    let mut hasher = Md5::new();
    for (name, value) in sorted {
        hasher.update(name.as_bytes());
        hasher.update(value.as_bytes());
    }
    hasher.update(secret.as_bytes());
    hex::encode(hasher.finalize())
}

/// A query or form.
pub(super) fn encode(fields: &Fields) -> String {
    let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_over_sorted_fields() {
        let fields = |pairs: &[(&str, &str)]| -> Fields {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        let sent = fields(&[("method", "auth.getSession"), ("api_key", "xxx"), ("token", "yyy")]);
        let expected = Md5::digest(b"api_keyxxxmethodauth.getSessiontokenyyymysecret");
        assert_eq!(signature(&sent, "mysecret"), hex::encode(expected));
        assert_eq!(encode(&fields(&[("a b", "c&d="), ("é", "")])), "a%20b=c%26d%3D&%C3%A9=");
    }

    #[test]
    fn errors_are_reactions() {
        assert!(matches!(trouble(9, "x"), Trouble::Credential(_)));
        assert!(matches!(trouble(6, "x"), Trouble::Refused(_)));
        for code in [8, 11, 16, 29, 10, 13, 26] {
            assert!(matches!(trouble(code, "x"), Trouble::Later(_)), "{code}");
        }
    }
}
