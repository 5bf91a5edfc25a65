//! Settings that are addresses of the web: whether they are some, and how `check` shows them.

use url::Url;

use super::Invalid;

/// Whether the text under `key` is the address of something that speaks HTTP. What it says is left
/// out of the complaint, because it may hold a secret.
pub(super) fn check(key: &str, text: &str) -> Result<(), Invalid> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err(Invalid::new(format!("{key} is no address such as https://music.example.org"))),
    }
}

/// The address at which people find the server: the start of others, so nothing may come behind
/// its path.
pub(super) fn check_own(key: &str, text: &str) -> Result<(), Invalid> {
    check(key, text)?;
    let is_bare = Url::parse(text).is_ok_and(|url| {
        let names_nobody = url.username().is_empty() && url.password().is_none();
        names_nobody && url.query().is_none() && url.fragment().is_none()
    });
    if is_bare {
        Ok(())
    } else {
        Err(Invalid::new(format!("{key} is an address without a user, query or fragment")))
    }
}

/// The address with `hidden` for what may let somebody in: the user and the query.
pub(super) fn without_secrets(text: &str, hidden: &str) -> String {
    let Some(mut url) = Url::parse(text).ok().filter(Url::has_host) else {
        return hidden.to_owned();
    };
    let has_user = !url.username().is_empty() || url.password().is_some();
    let has_rest = url.query().is_some() || url.fragment().is_some();
    if !has_user && !has_rest {
        return text.to_owned();
    }
    url.set_query(None);
    url.set_fragment(None);
    // It has a host, or there were no user.
    let _ = (url.set_username(""), url.set_password(None));
    let mut shown = url.to_string();
    if has_user {
        shown = shown.replacen("://", &format!("://{hidden}@"), 1);
    }
    if has_rest { format!("{shown}?{hidden}") } else { shown }
}

/// The same where the path is what only friends know: the host alone stays.
pub(super) fn host_alone(text: &str, hidden: &str) -> String {
    match Url::parse(text).ok().as_ref().and_then(|url| Some((url.scheme(), url.host_str()?))) {
        Some((scheme, host)) => format!("{scheme}://{host}/{hidden}"),
        None => hidden.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_keep_their_secrets() {
        for right in ["http://nas:4040", "https://music.example.org/tunes/", "http://[::1]:1"] {
            assert!(check("k", right).is_ok() && check_own("k", right).is_ok(), "{right}");
        }
        for wrong in ["", "music.example.org", "ftp://x", "https://", "not a url", "/x"] {
            let said = check("http.public_url", wrong).unwrap_err().to_string();
            assert!(said.starts_with("http.public_url is no address"), "{said}");
        }
        for wrong in ["http://me:pw@x", "http://x?token=1", "http://x#a"] {
            assert!(check("k", wrong).is_ok() && check_own("k", wrong).is_err(), "{wrong}");
        }
        for (text, shown) in [
            ("https://x.org/a/b", "https://x.org/a/b"),
            ("https://me:pw@x.org/a", "https://(h)@x.org/a"),
            ("https://x.org/a?key=1#f", "https://x.org/a?(h)"),
            ("me:pw@x", "(h)"),
        ] {
            assert_eq!(without_secrets(text, "(h)"), shown, "{text}");
        }
        assert_eq!(host_alone("https://u:p@hooks.org/T0/B1/x?y", "(h)"), "https://hooks.org/(h)");
    }
}
