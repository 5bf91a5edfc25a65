//! Addresses of this face, both ways: what a request or a `Destination` names, decoded once, which
//! may be there whatever it is called; and the `href` that names it again.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::drive::{NameProblem, RelativePath};

/// Where everything lies.
pub(super) const ROOT: &str = "/dav";

/// What stands in an address as it is: RFC 3986's unreserved.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// The list of places.
    Root,
    /// A place, or something in it.
    Inside {
        /// The first name: a locker, or a folder that somebody shared.
        place: String,
        /// Where in it; the root of it is ''.
        path: RelativePath,
    },
}

/// Why an address names nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not an address at all.
    Malformed,
    /// It is somewhere else: another host, or outside of this face.
    Elsewhere,
    /// A name in it can be the name of nothing.
    Name(NameProblem),
}

impl Address {
    /// Reads the path of a request, as it came.
    pub(super) fn parse(raw: &str) -> Result<Self, Wrong> {
        let rest = raw.strip_prefix(ROOT).ok_or(Wrong::Elsewhere)?;
        let rest = match rest.strip_prefix('/') {
            Some(rest) => rest,
            None if rest.is_empty() => rest,
            None => return Err(Wrong::Elsewhere),
        };
        // A slash inside a name cannot be told from one between names once it is decoded.
        if rest.as_bytes().windows(3).any(|three| three.eq_ignore_ascii_case(b"%2f")) {
            let sentence = "A name holds a slash";
            return Err(Wrong::Name(NameProblem { rule: "slash", sentence }));
        }
        if !is_escaped_well(rest) {
            return Err(Wrong::Malformed);
        }
        let text = percent_decode_str(rest).decode_utf8().map_err(|_| {
            Wrong::Name(NameProblem { rule: "encoding", sentence: "A name is not UTF-8" })
        })?;
        let (place, path) = text.split_once('/').unwrap_or((&text, ""));
        if place.is_empty() {
            return if path.is_empty() {
                Ok(Self::Root)
            } else {
                Err(Wrong::Name(NameProblem { rule: "empty", sentence: "A name is empty" }))
            };
        }
        let place = RelativePath::called(place).map_err(Wrong::Name)?.as_str().to_owned();
        Ok(Self::Inside { place, path: RelativePath::called(path).map_err(Wrong::Name)? })
    }

    /// Reads an absolute address, or a path, that a header carries (RFC 4918, 8.3). `own` tells
    /// whether `host[:port]` is this server.
    pub(super) fn of_header(value: &str, own: impl Fn(&str) -> bool) -> Result<Self, Wrong> {
        let value = value.trim();
        // What cannot stand in a request's line cannot stand here either.
        if value.bytes().any(|byte| byte <= b' ' || byte == 0x7f) || value.contains(['#', '?']) {
            return Err(Wrong::Malformed);
        }
        if value.starts_with('/') && !value.starts_with("//") {
            return Self::parse(value);
        }
        let (scheme, rest) = value.split_once("://").ok_or(Wrong::Malformed)?;
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(Wrong::Elsewhere);
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        // Some clients leave the user's name in.
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if host.is_empty() || !own(host) {
            return Err(Wrong::Elsewhere);
        }
        Self::parse(path)
    }
}

/// The `href` of something: a path, encoded; folders end with a slash.
pub(super) fn href(place: &str, path: &RelativePath, is_folder: bool) -> String {
    let mut out = String::with_capacity(ROOT.len() + place.len() + path.as_str().len() + 8);
    out.push_str(ROOT);
    out.push('/');
    encode(place, &mut out);
    if !path.is_root() {
        out.push('/');
        encode(path.as_str(), &mut out);
    }
    if is_folder {
        out.push('/');
    }
    out
}

/// Appends a name or path as it stands in an address.
pub(super) fn encode(text: &str, out: &mut String) {
    out.extend(utf8_percent_encode(text, PLAIN));
}

/// Each `%` begins two digits.
fn is_escaped_well(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || (is_digit(at + 1) && is_digit(at + 2)))
}

/// Whether a host is the one that the request came to: ports that go without saying may be said.
pub(super) fn is_same_host(one: &str, other: &str) -> bool {
    let plain = |host: &str| {
        let host = host.to_ascii_lowercase();
        let cut = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443"));
        match cut {
            Some(cut) => cut.to_owned(),
            None => host,
        }
    };
    !one.is_empty() && plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inside(place: &str, path: &str) -> Result<Address, Wrong> {
        Ok(Address::Inside { place: place.to_owned(), path: RelativePath::called(path).unwrap() })
    }

    #[test]
    fn paths() {
        for root in ["/dav", "/dav/"] {
            assert_eq!(Address::parse(root), Ok(Address::Root));
        }
        for (raw, expected) in [
            ("/dav/ann", inside("ann", "")),
            ("/dav/ann/", inside("ann", "")),
            ("/dav/ann/Music/Bj%C3%B6rk/", inside("ann", "Music/Björk")),
            ("/dav/ann/100%25 a+b", inside("ann", "100% a+b")),
            ("/dav/ann/R.E.M./a%5Cb%0A", inside("ann", "R.E.M./a\\b\n")),
        ] {
            assert_eq!(Address::parse(raw), expected, "{raw}");
        }
        for (raw, rule) in [
            ("/dav/..", "dots"),
            ("/dav/ann/../bob", "dots"),
            ("/dav/ann/%2e%2E/bob", "dots"),
            ("/dav/ann/a%2Fb", "slash"),
            ("/dav/ann%2f..%2fbob", "slash"),
            ("/dav/ann/a%00b", "control"),
            ("/dav/ann//b", "absolute"),
            ("/dav//ann", "empty"),
            ("/dav/ann/%ff", "encoding"),
        ] {
            let Err(Wrong::Name(problem)) = Address::parse(raw) else { panic!("{raw}") };
            assert_eq!(problem.rule, rule, "{raw}");
        }
        for elsewhere in ["/", "/rest", "/davx/ann", "dav", ""] {
            assert_eq!(Address::parse(elsewhere), Err(Wrong::Elsewhere), "{elsewhere}");
        }
        for malformed in ["/dav/ann/%", "/dav/ann/%2", "/dav/ann/%zz"] {
            assert_eq!(Address::parse(malformed), Err(Wrong::Malformed), "{malformed}");
        }
    }

    #[test]
    fn headers() {
        let of = |value| Address::of_header(value, |host| is_same_host(host, "box.lan:4040"));
        assert_eq!(of("http://box.lan:4040/dav/ann/a%20b"), inside("ann", "a b"));
        assert_eq!(of(" HTTPS://ann@BOX.lan:4040/dav/ann/x "), inside("ann", "x"));
        assert_eq!(of("/dav/ann/x"), inside("ann", "x"));
        for elsewhere in [
            "http://evil.example/dav/ann/x",
            "http://box.lan:4041/dav/ann/x",
            "http://box.lan:4040@evil.example/dav/ann/x",
            "http://box.lan:4040/rest/x",
            "http://box.lan:4040",
            "ftp://box.lan:4040/dav/ann/x",
            "http:///dav/ann/x",
        ] {
            assert_eq!(of(elsewhere), Err(Wrong::Elsewhere), "{elsewhere}");
        }
        for malformed in
            ["", "dav/ann/x", "//box.lan:4040/dav/x", "/dav/a b", "/dav/a#b", "/dav/a?b"]
        {
            assert_eq!(of(malformed), Err(Wrong::Malformed), "{malformed}");
        }
        assert!(is_same_host("box.lan", "box.lan:443") && is_same_host("a:80", "A"));
        assert!(!is_same_host("", "") && !is_same_host("a", "ab"));
    }

    proptest! {
        #[test]
        fn what_is_named_is_found_again(place in "[a-z][a-z0-9 ü]{0,8}[a-z]", parts in prop::collection::vec("[^/\\\\\\x00-\\x1f\\x7f-\\u{9f}]{1,12}[a-zé☃]", 0..5), is_folder: bool) {
            let path = RelativePath::parse(&parts.join("/"));
            prop_assume!(path.is_ok());
            let path = path.unwrap();
            let href = href(&place, &path, is_folder);
            prop_assert!(href.is_ascii());
            let expected = Address::Inside { place, path };
            prop_assert_eq!(Address::parse(&href), Ok(expected.clone()));
            let absolute = format!("http://box:1{href}");
            prop_assert_eq!(Address::of_header(&absolute, |host| host == "box:1"), Ok(expected));
        }

        #[test]
        fn anything_is_read_or_refused(text in "(http://box:1)?(/dav)?[/%.a2fF\\\\\\PC]{0,20}") {
            let read = Address::of_header(&text, |host| host == "box:1");
            if let Ok(Address::Inside { place, path }) = read {
                let path = format!("{place}/{}", path.as_str());
                prop_assert!(!path.split('/').any(|part| matches!(part, "." | "..")));
                prop_assert!(!path.contains('\0'));
            }
        }
    }
}
