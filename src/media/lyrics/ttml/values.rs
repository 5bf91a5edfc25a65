//! Attributes of TTML and what their values say.

use quick_xml::events::BytesStart;

/// Whether it looks like a language tag.
pub(super) fn is_lang(lang: &str) -> bool {
    (1..=35).contains(&lang.len())
        && lang.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
}

/// The value of an attribute by its name, whatever prefix stands before it (`xml:` counts).
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes().with_checks(false).flatten().find_map(|attribute| {
        let is_it = attribute.key.as_ref() == name
            || (!name.contains(':') && attribute.key.local_name().as_ref() == name);
        let value = quick_xml::escape::unescape(&attribute.value).ok()?;
        is_it.then(|| value.chars().take(300).collect())
    })
}

/// The time in an attribute, ms.
pub(super) fn time(tag: &BytesStart<'_>, name: &str) -> Option<u64> {
    milliseconds(&attribute(tag, name)?)
}

/// `hh:mm:ss.fff`, `mm:ss.fff`, `ss.fff`, `12.3s`, `500ms`, `2m`, `1h`.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| (0.0..1e7).contains(value));
    let seconds = if let Some(ms) = text.strip_suffix("ms") {
        number(ms)? / 1000.0
    } else if let Some(seconds) = text.strip_suffix('s') {
        number(seconds)?
    } else if let Some(minutes) = text.strip_suffix('m') {
        number(minutes)? * 60.0
    } else if let Some(hours) = text.strip_suffix('h') {
        number(hours)? * 3600.0
    } else {
        let mut parts = text.split(':');
        let mut seconds = 0.0;
        for _ in 0..3 {
            if let Some(part) = parts.next() {
                seconds = seconds * 60.0 + number(part)?;
            }
        }
        seconds
    };
    Some((seconds * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_form() {
        for (text, expected) in [
            ("1:02:03.5", 3_723_500),
            ("02:03.25", 123_250),
            ("3.5", 3500),
            ("3.5s", 3500),
            ("250ms", 250),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("00:00:01:12", 1000),
        ] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
        }
        for wrong in ["", "x", "-1s", "1e300s", "NaN", "::"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
    }
}
