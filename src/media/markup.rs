//! Text that came as HTML, as plain text: descriptions of episodes, biographies. Tags vanish,
//! blocks become lines, references become letters; nothing that a page would run is left.

/// Longest text that is kept, in characters.
const LONGEST: usize = 20_000;

/// Tags that end a line.
const BLOCKS: &[&str] =
    &["br", "p", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"];

/// Plain text of a piece of HTML; lines are trimmed, and at most one of them in a row is empty.
#[must_use]
pub fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len().min(4 * LONGEST));
    let mut rest = html;
    // What stands inside these is no text.
    let mut silent: Option<&str> = None;
    while let Some(at) = rest.find(['<', '&']) {
        if silent.is_none() {
            out.push_str(&rest[..at]);
        }
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('<') {
            match tag(after) {
                Some((name, is_end, behind)) => {
                    rest = behind;
                    match silent {
                        Some(open) if is_end && name == open => silent = None,
                        Some(_) => (),
                        None if !is_end && name == "script" => silent = Some("script"),
                        None if !is_end && name == "style" => silent = Some("style"),
                        None if BLOCKS.contains(&name.as_str()) => out.push('\n'),
                        None => (),
                    }
                }
                None => {
                    if silent.is_none() {
                        out.push('<');
                    }
                    rest = after;
                }
            }
        } else {
            let (letters, behind) = reference(&rest[1..]);
            if silent.is_none() {
                out.push_str(&letters);
            }
            rest = behind;
        }
        if 4 * LONGEST < out.len() {
            rest = "";
        }
    }
    if silent.is_none() {
        out.push_str(rest);
    }
    tidy(&out)
}

/// A tag behind its `<`: its name in lower case, whether it ends, and what follows it. Comments
/// are tags without a name.
fn tag(text: &str) -> Option<(String, bool, &str)> {
    if let Some(comment) = text.strip_prefix("!--") {
        let end = comment.find("-->").map_or(comment.len(), |at| at + 3);
        return Some((String::new(), false, &comment[end..]));
    }
    let (is_end, name) = match text.strip_prefix('/') {
        Some(name) => (true, name),
        None => (false, text),
    };
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '!') {
        return None;
    }
    let end = name.find('>')?;
    let word = name[..end].split(|letter: char| !letter.is_ascii_alphanumeric()).next()?;
    Some((word.to_ascii_lowercase(), is_end, &name[end + 1..]))
}

/// A reference behind its `&`: its letters, and what follows it. Anything else is an ampersand.
fn reference(text: &str) -> (String, &str) {
    let end = text.bytes().take(32).position(|byte| byte == b';');
    let Some(name) = end.map(|end| &text[..end]) else {
        return ("&".to_owned(), text);
    };
    let letter = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "hellip" => Some('…'),
        "lsquo" => Some('‘'),
        "rsquo" => Some('’'),
        "ldquo" => Some('“'),
        "rdquo" => Some('”'),
        "bull" => Some('•'),
        "copy" => Some('©'),
        "eacute" => Some('é'),
        "egrave" => Some('è'),
        "auml" => Some('ä'),
        "ouml" => Some('ö'),
        "uuml" => Some('ü'),
        "szlig" => Some('ß'),
        _ => name.strip_prefix('#').and_then(|number| {
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)
        }),
    };
    match letter {
        Some(letter) => (letter.to_string(), &text[name.len() + 1..]),
        None => ("&".to_owned(), text),
    }
}

fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let mut words = line.split_whitespace().peekable();
        if words.peek().is_none() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        for (at, word) in words.enumerate() {
            if at > 0 {
                out.push(' ');
            }
            out.extend(word.chars().filter(|letter| !letter.is_control()));
        }
    }
    match out.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", out[..at].trim_end()),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        for (html, text) in [
            ("plain", "plain"),
            ("<p>One</p><p>Two &amp; three</p>", "One\n\nTwo & three"),
            ("a<br/>b<BR>c", "a\nb\nc"),
            ("x <script>alert('<p>')</script> y", "x y"),
            ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
            ("<a href=\"https://x/?a=1&b\">link</a>&nbsp;&#233;&#x2014;", "link é—"),
            ("a<!-- <p>no</p> -->b", "ab"),
            ("&unknown; &", "&unknown; &"),
            ("<style>p{}</style>", ""),
            ("<p", "<p"),
            ("\u{7}bell", "bell"),
        ] {
            assert_eq!(plain(html), text, "{html}");
        }
        assert!(plain(&"é".repeat(LONGEST + 5)).chars().count() == LONGEST + 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_no_tag(html in ".{0,200}") {
            let text = plain(&html);
            proptest::prop_assert!(!text.contains("<script"));
        }
    }
}
