//! The `Range` header, decided purely (RFC 9110, 14).

/// What a `Range` header asks of a body of a known length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything: no range, several ranges, another unit, or nonsense.
    Whole,
    /// From `start` up to but not including `end`; never empty.
    Part {
        /// First byte.
        start: u64,
        /// One past the last byte.
        end: u64,
    },
    /// A well-formed range that has no byte in common with the body.
    Unsatisfiable,
}

/// Reads one range. Several ranges are answered with the whole, as the standard allows and as
/// DLNA renderers expect.
pub(super) fn wanted(header: &str, len: u64) -> Wanted {
    let Some((first, last)) = single(header) else { return Wanted::Whole };
    let number = |digits: &str| -> Option<u64> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // Longer than 64 bits is simply far beyond the end.
        Some(digits.parse().unwrap_or(u64::MAX))
    };
    let (start, end) = match (number(first), number(last)) {
        (Some(start), Some(last)) if last < start => return Wanted::Whole,
        (Some(start), Some(last)) => (start, last.saturating_add(1).min(len)),
        (Some(start), None) if last.is_empty() => (start, len),
        (None, Some(0)) if first.is_empty() => return Wanted::Unsatisfiable,
        (None, Some(count)) if first.is_empty() => (len.saturating_sub(count), len),
        _ => return Wanted::Whole,
    };
    if start < end { Wanted::Part { start, end } } else { Wanted::Unsatisfiable }
}

fn single(header: &str) -> Option<(&str, &str)> {
    let (unit, set) = header.trim().split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.split_once('-')?;
    Some((first.trim(), last.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_mean_what_the_standard_says() {
        let part = |start, end| Wanted::Part { start, end };
        for (header, expected) in [
            ("bytes=0-", part(0, 100)),
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-99", part(0, 100)),
            ("bytes=10-19", part(10, 20)),
            ("bytes=90-1000", part(90, 100)),
            ("bytes=0-99999999999999999999999", part(0, 100)),
            ("bytes=-1", part(99, 100)),
            ("bytes=-1000", part(0, 100)),
            ("Bytes = 5 - 6", part(5, 7)),
            ("bytes=100-", Wanted::Unsatisfiable),
            ("bytes=100-200", Wanted::Unsatisfiable),
            ("bytes=18446744073709551615-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=20-10", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=1", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=1-2-3", Wanted::Whole),
            ("items=0-1", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 100), expected, "{header}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Unsatisfiable);
        assert_eq!(wanted("bytes=-5", 0), Wanted::Unsatisfiable);
    }
}
