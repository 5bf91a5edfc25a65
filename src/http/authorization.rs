//! What `Authorization` says of who asks. The judging is done by `accounts`.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::accounts::Credentials;

/// Reads the header's value: `Basic` takes name and login or app password; `Bearer` an app
/// password alone.
#[must_use]
pub fn credentials(authorization: &str) -> Option<Credentials> {
    let (scheme, value) = authorization.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::ApiKey(value.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some(Credentials::Password { user: user.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_headers() {
        let basic = format!("Basic {}", STANDARD.encode("ann:a:b"));
        let Some(Credentials::Password { user, password }) = credentials(&basic) else { panic!() };
        assert_eq!((user.as_str(), password.as_str()), ("ann", "a:b"));
        let Some(Credentials::ApiKey(key)) = credentials("bearer  abcd") else { panic!() };
        assert_eq!(key, "abcd");
        for wrong in ["", "Basic", "Basic ???", "Digest x", "Basic YW5u"] {
            assert!(credentials(wrong).is_none(), "{wrong}");
        }
    }
}
