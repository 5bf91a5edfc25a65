//! What fetched files are called: as their server says, else as their address ends, made a name
//! that a locker takes.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::{
    egress::{Answer, header},
    zip::safe_name,
};

/// What a file is called that has no name.
const NAMELESS: &str = "download";

/// By the end of an address.
pub(super) fn of_url(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    let decoded = percent_decode_str(last.unwrap_or_default()).decode_utf8_lossy();
    if decoded.trim().is_empty() { NAMELESS.to_owned() } else { safe_name(&decoded) }
}

/// By what the server says, with an ending that fits its media type where it has none.
pub(super) fn of_answer(answer: &Answer) -> String {
    let told = answer.header(&header::CONTENT_DISPOSITION).and_then(of_disposition);
    let name = told.unwrap_or_else(|| of_url(answer.url()));
    let ending = media_type(answer).and_then(ending);
    match ending {
        Some(ending) if !has_ending(&name) => format!("{name}.{ending}"),
        _ => name,
    }
}

/// Without parameters, in small letters.
pub(super) fn media_type(answer: &Answer) -> Option<String> {
    let told = answer.header(&header::CONTENT_TYPE)?;
    Some(told.split(';').next()?.trim().to_ascii_lowercase())
}

/// `filename*` before `filename` (RFC 6266).
fn of_disposition(text: &str) -> Option<String> {
    let mut plain = None;
    for part in text.split(';').skip(1) {
        let Some((key, value)) = part.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match key.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let coded = value.splitn(3, '\'').nth(2)?;
                let name = percent_decode_str(coded).decode_utf8().ok()?;
                return Some(safe_name(&name)).filter(|name| name != "_");
            }
            "filename" => plain = Some(safe_name(value)),
            _ => (),
        }
    }
    plain.filter(|name| name != "_")
}

fn has_ending(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty()
            && (1..=5).contains(&ending.len())
            && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn ending(media_type: String) -> Option<&'static str> {
    Some(match media_type.as_str() {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/ogg" | "application/ogg" => "ogg",
        "audio/opus" => "opus",
        "audio/mp4" | "audio/x-m4a" => "m4a",
        "audio/aac" => "aac",
        "audio/wav" | "audio/x-wav" => "wav",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "application/x-tar" => "tar",
        "application/gzip" | "application/x-gzip" | "application/x-gtar" => "tar.gz",
        "audio/x-mpegurl" | "audio/mpegurl" | "application/vnd.apple.mpegurl" => "m3u",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_addresses() {
        for (url, name) in [
            ("http://a.example/x/01%20One.flac?token=1", "01 One.flac"),
            ("http://a.example/", "download"),
            ("http://a.example", "download"),
            ("http://a.example/..%2f..%2fetc%2fpasswd", "_.._etc_passwd"),
            ("http://a.example/folder/", "folder"),
        ] {
            assert_eq!(of_url(&Url::parse(url).unwrap()), name, "{url}");
        }
    }

    #[test]
    fn servers_say_names() {
        for (text, name) in [
            ("attachment; filename=\"a b.mp3\"", Some("a b.mp3")),
            ("attachment; filename=x.mp3; filename*=UTF-8''%C3%84.mp3", Some("Ä.mp3")),
            ("attachment; filename=\"../../x\"", Some("_.._x")),
            ("inline", None),
            ("attachment; filename=\"\"", None),
        ] {
            assert_eq!(of_disposition(text).as_deref(), name, "{text}");
        }
        assert!(has_ending("a.mp3") && has_ending("b.tar.gz"));
        assert!(!has_ending("a") && !has_ending(".hidden") && !has_ending("v1.2 (live at x)"));
    }
}
