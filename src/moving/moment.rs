//! Times as other programs write them into their databases.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::clock::Millis;

/// Numbers above this are milliseconds: as seconds they would be in the year 5138.
const SURELY_MS: i64 = 100_000_000_000;

/// Reads a time: seconds or milliseconds since the epoch, or a date and time with `T` or a blank
/// between, any fraction, and `Z`, an offset or nothing after it; nothing means `zone`. Times
/// before 1970 stand for "never".
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Millis> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        let ms = if SURELY_MS < number { number } else { number.checked_mul(1000)? };
        return Some(ms).filter(|ms| 0 < *ms);
    }
    let (head, rest) = (text.get(..19)?, text.get(19..)?);
    let civil: DateTime = head.replacen(' ', "T", 1).parse().ok()?;
    let digits = rest
        .strip_prefix('.')
        .map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let (fraction, rest) =
        if digits == 0 { ("", rest) } else { (&rest[1..=digits], &rest[1 + digits..]) };
    let ms: i64 = format!("{:0<3}", &fraction[..fraction.len().min(3)]).parse().unwrap_or(0);
    let at = match offset_minutes(rest.trim()) {
        Some(minutes) => {
            let utc = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
            utc.as_millisecond() - minutes * 60_000
        }
        None => civil.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond(),
    };
    Some(at + ms).filter(|at| 0 < *at && Timestamp::from_millisecond(*at).is_ok())
}

/// `Z`, `UTC`, `+02:00`, `-0500`, `+0:00`, `+0000 UTC`.
fn offset_minutes(text: &str) -> Option<i64> {
    let first = text.split_whitespace().next()?;
    if matches!(first, "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let sign = match first.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = &first[1..];
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes.get(..2).unwrap_or(minutes)),
        None if 2 < digits.len() => (digits.get(..2)?, digits.get(2..4).unwrap_or("0")),
        None => (digits, "0"),
    };
    Some(sign * (hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_writes_them_differently() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (text, expected) in [
            ("1706036239", Some(1_706_036_239_000)),
            ("1706036239123", Some(1_706_036_239_123)),
            ("2024-01-23T13:57:19.360759986-05:00", Some(1_706_036_239_360)),
            ("2024-01-23 18:57:19+00:00", Some(1_706_036_239_000)),
            ("2024-01-23 18:57:19.3 +0000 UTC", Some(1_706_036_239_300)),
            ("2024-01-23 18:57:19.3607599Z", Some(1_706_036_239_360)),
            ("2024-01-23T18:57:19Z", Some(1_706_036_239_000)),
            ("2024-01-23 20:57:19.360000000", Some(1_706_036_239_360)),
            ("2024-01-23 20:57:19", Some(1_706_036_239_000)),
            ("0001-01-01 00:00:00", None),
            ("0000-00-00 00:00:00", None),
            ("0", None),
            ("", None),
            ("yesterday", None),
            ("2024-01-23ü18:57:19", None),
        ] {
            assert_eq!(moment(text, &zone), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_is_a_time_or_none(text: String) {
            let _ = moment(&text, &TimeZone::UTC);
        }
    }
}
