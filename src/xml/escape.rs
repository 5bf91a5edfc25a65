//! XML out: text and attribute values that leave nothing that XML 1.0 forbids, also for a document
//! that is itself text of another.

/// Bytes that are not simply copied.
static NEEDS_A_LOOK: [bool; 256] = {
    let mut needs = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        needs[byte] = matches!(byte as u8, b'&' | b'<' | b'>' | b'"' | b'\'' | 0xef)
            || byte < 0x20 && !matches!(byte as u8, b'\t' | b'\n' | b'\r');
        byte += 1;
    }
    needs
};

/// How often text is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Text of a document.
    Once,
    /// Text of a document that is text of another.
    Twice,
}

/// Appends text or an attribute value. What XML 1.0 cannot hold is dropped: one such character in
/// one tag makes strict clients refuse the whole folder.
pub(crate) fn escape(text: &str, out: &mut String) {
    append(text, Depth::Once, out);
}

/// The same for a document that is itself text of another one, as DIDL is in SOAP.
pub(crate) fn escape_twice(text: &str, out: &mut String) {
    append(text, Depth::Twice, out);
}

fn append(text: &str, depth: Depth, out: &mut String) {
    let bytes = text.as_bytes();
    let (mut last, mut at) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| NEEDS_A_LOOK[usize::from(*byte)]) {
        at += found;
        let (once, twice, length) = match bytes[at] {
            b'&' => ("&amp;", "&amp;amp;", 1),
            b'<' => ("&lt;", "&amp;lt;", 1),
            b'>' => ("&gt;", "&amp;gt;", 1),
            b'"' => ("&quot;", "&amp;quot;", 1),
            b'\'' => ("&#39;", "&amp;#39;", 1),
            // U+FFFE and U+FFFF.
            0xef if !matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => {
                at += 1;
                continue;
            }
            0xef => ("", "", 3),
            _ => ("", "", 1),
        };
        out.push_str(&text[last..at]);
        out.push_str(if depth == Depth::Once { once } else { twice });
        at += length;
        last = at;
    }
    out.push_str(&text[last..]);
}

/// What a byte of markup is as text.
const fn entity(byte: u8) -> &'static [u8] {
    match byte {
        b'&' => b"&amp;",
        b'<' => b"&lt;",
        b'>' => b"&gt;",
        b'"' => b"&quot;",
        b'\'' => b"&#39;",
        _ => b"",
    }
}

/// The length of markup as text of another document. For [`inside`].
pub(crate) const fn length_inside(markup: &str) -> usize {
    let bytes = markup.as_bytes();
    let (mut at, mut length) = (0, 0);
    while at < bytes.len() {
        let entity = entity(bytes[at]);
        length += if entity.is_empty() { 1 } else { entity.len() };
        at += 1;
    }
    length
}

/// Markup as text of another document. For [`inside`].
pub(crate) const fn bytes_inside<const LENGTH: usize>(markup: &str) -> [u8; LENGTH] {
    let bytes = markup.as_bytes();
    let (mut at, mut to, mut out) = (0, 0, [0; LENGTH]);
    while at < bytes.len() {
        let entity = entity(bytes[at]);
        let mut letter = 0;
        while letter < entity.len() {
            out[to] = entity[letter];
            (to, letter) = (to + 1, letter + 1);
        }
        if entity.is_empty() {
            out[to] = bytes[at];
            to += 1;
        }
        at += 1;
    }
    out
}

/// Markup as it stands in a document that is text of another one: written so when this is
/// compiled, since an answer is markup for the most part.
macro_rules! inside {
    ($markup:expr) => {{
        const BYTES: [u8; $crate::xml::length_inside($markup)] = $crate::xml::bytes_inside($markup);
        const TEXT: &str = match std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("markup is ASCII"),
        };
        TEXT
    }};
}
pub(crate) use inside;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_drops() {
        let escaped = |text: &str| {
            let mut out = String::new();
            escape(text, &mut out);
            out
        };
        assert_eq!(escaped("a<b>&\"'\u{1}\u{b}\u{ffff}\té\n"), "a&lt;b&gt;&amp;&quot;&#39;\té\n");
        let mut twice = String::new();
        escape_twice("a<b>&\"'\u{1}\u{ffff}é", &mut twice);
        assert_eq!(twice, escaped(&escaped("a<b>&\"'\u{1}\u{ffff}é")));
        assert_eq!(inside!("<a b=\"1\">'&amp;</a>"), escaped("<a b=\"1\">'&amp;</a>"));
        let plain = "nothing to do";
        assert_eq!(escaped(plain), plain);
    }
}
