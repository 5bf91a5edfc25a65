//! Dates: points in time as every app reads them, and dates of works as far as they are known.

use serde::{Serialize, Serializer};

use crate::clock::Millis;

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`: the one form that every app reads (C11).
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Date(pub(in super::super) Millis);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        let at = jiff::tz::Offset::UTC.to_datetime(at);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |start: usize, length: usize, mut number: i32| {
            for place in (start..start + length).rev() {
                text[place] = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        put(0, 4, i32::from(at.year()).max(0));
        put(5, 2, at.month().into());
        put(8, 2, at.day().into());
        put(11, 2, at.hour().into());
        put(14, 2, at.minute().into());
        put(17, 2, at.second().into());
        put(20, 3, at.millisecond().into());
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// A date as precise as the tag was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(in super::super) struct ItemDate {
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<u8>,
}

impl ItemDate {
    /// Reads `YYYY[-MM[-DD]]`; what it cannot read is left out.
    pub(in super::super) fn of(text: &str) -> Self {
        let mut parts = text.split('-');
        let year = parts.next().and_then(|part| part.parse().ok());
        let month = parts.next().filter(|_| year.is_some()).and_then(|part| part.parse().ok());
        let day = parts.next().filter(|_| month.is_some()).and_then(|part| part.parse().ok());
        Self { year, month, day }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_three_digits_and_z() {
        for at in [0, 951_782_400_000, 1_700_000_000_120, 4_102_444_799_999] {
            let text = serde_json::to_string(&Date(at)).unwrap();
            assert_eq!(text, format!("\"{}\"", crate::clock::iso(at)));
        }
    }

    #[test]
    fn works_have_the_precision_of_their_tags() {
        let json = |text| serde_json::to_string(&ItemDate::of(text)).unwrap();
        assert_eq!(json("1971-06-22"), r#"{"year":1971,"month":6,"day":22}"#);
        assert_eq!(json("1971-06"), r#"{"year":1971,"month":6}"#);
        assert_eq!(json("1971"), r#"{"year":1971}"#);
        assert_eq!(json(""), "{}");
        assert_eq!(json("soon-06-22"), "{}");
    }
}
