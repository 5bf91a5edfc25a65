//! What a login name and a password may be.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::{Error, Result};

const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=1024;
/// Names that mean something else in a path or a message.
const RESERVED: [&str; 5] = ["household", "operator", "removed", "trash", "staging"];

/// `[a-z0-9][a-z0-9._-]{0,63}`: it becomes the name of a folder.
pub(crate) fn check_name(name: &str) -> Result<&str> {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = (1..=64).contains(&name.len())
        && name.as_bytes().first().is_some_and(plain)
        && name.bytes().all(|byte| plain(&byte) || matches!(byte, b'.' | b'_' | b'-'))
        && !name.ends_with('.');
    if !fits {
        return Err(Error::Invalid(
            "A user name is up to 64 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit".to_owned(),
        ));
    }
    if RESERVED.contains(&name) {
        return Err(Error::Invalid(format!("The name {name} is taken by the server itself")));
    }
    Ok(name)
}

/// A login name like a name from elsewhere, if one can be made of it.
pub(crate) fn login_name(name: &str) -> Option<String> {
    let plain: String = name
        .trim()
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .map(|letter| match letter {
            'a'..='z' | '0'..='9' | '.' | '_' | '-' => letter,
            _ => '-',
        })
        .take(64)
        .collect();
    let plain = plain.trim_matches(['-', '.', '_']);
    check_name(plain).is_ok().then(|| plain.to_owned())
}

/// From 8 to 1024 bytes.
pub(crate) fn check_password(password: &str) -> Result<()> {
    if PASSWORD_LENGTH.contains(&password.len()) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "A password has at least {} characters and at most {}",
        PASSWORD_LENGTH.start(),
        PASSWORD_LENGTH.end()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_elsewhere_become_login_names() {
        for (name, expected) in [
            ("Ann", Some("ann")),
            ("ann.lee@example.org", Some("ann.lee-example.org")),
            (" Jo Doe ", Some("jo-doe")),
            ("Zoë", Some("zoe")),
            ("日本", None),
            ("household", None),
            ("", None),
        ] {
            assert_eq!(login_name(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn names_are_safe_folder_names() {
        for good in ["a", "ann", "0", "a.b-c_d", &"x".repeat(64)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for wrong in [
            "",
            ".",
            "..",
            ".ann",
            "-a",
            "Ann",
            "a/b",
            "a b",
            "é",
            "a.",
            "household",
            &"x".repeat(65),
        ] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }
}
