//! Values of rules: read by the kind of their field, written back as they were.

use serde_json::{Value as Json, json};

use super::{fields::Kind, rules::Operator};
use crate::{clock::Millis, ids::PlaylistId};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// From and to.
    Texts(String, String),
    /// In the unit that is stored.
    Number(i64),
    Numbers(i64, i64),
    Flag(bool),
    /// So many days back from now.
    Days(i64),
    /// The first moments of two days, UTC; the same day twice for a single one.
    Moments(Millis, Millis),
    Playlist(PlaylistId),
}

impl Value {
    /// Reads a value for an operator that fits the kind; `None` when it makes no sense there.
    pub(super) fn parse(operator: Operator, kind: Kind, json: &Json) -> Option<Self> {
        let pair = || match json.as_array()?.as_slice() {
            [from, to] => Some((from, to)),
            _ => None,
        };
        let is_range = operator == Operator::InTheRange;
        Some(match kind {
            Kind::Text => Self::Text(json.as_str().filter(|text| !text.is_empty())?.to_owned()),
            Kind::Number(factor) if is_range => {
                let (from, to) = pair()?;
                Self::Numbers(number(from, factor)?, number(to, factor)?)
            }
            Kind::Number(factor) => Self::Number(number(json, factor)?),
            Kind::Flag => Self::Flag(match json {
                Json::Bool(holds) => *holds,
                Json::String(text) => text.parse().ok()?,
                other => match other.as_i64()? {
                    0 => false,
                    1 => true,
                    _ => return None,
                },
            }),
            Kind::Moment if matches!(operator, Operator::InTheLast | Operator::NotInTheLast) => {
                Self::Days(number(json, 1).filter(|days| (0..=100_000).contains(days))?)
            }
            Kind::Moment if is_range => {
                let (from, to) = pair()?;
                Self::Moments(day(from.as_str()?)?, day(to.as_str()?)?)
            }
            Kind::Moment => {
                let day = day(json.as_str()?)?;
                Self::Moments(day, day)
            }
            Kind::Date if is_range => {
                let (from, to) = pair()?;
                Self::Texts(date(from)?, date(to)?)
            }
            Kind::Date => Self::Text(date(json)?),
            Kind::Playlist => Self::Playlist(PlaylistId::parse(json.as_str()?)?),
        })
    }

    pub(super) fn to_json(&self, kind: Kind) -> Json {
        let number = |number: i64| match kind {
            Kind::Number(factor) if factor > 1 && number % factor != 0 => {
                json!(number as f64 / factor as f64)
            }
            Kind::Number(factor) => json!(number / factor),
            _ => json!(number),
        };
        match self {
            Self::Text(text) => json!(text),
            Self::Texts(from, to) => json!([from, to]),
            Self::Number(one) => number(*one),
            Self::Numbers(from, to) => json!([number(*from), number(*to)]),
            Self::Flag(holds) => json!(holds),
            Self::Days(days) => json!(days),
            Self::Moments(from, to) if from == to => json!(shown(*from)),
            Self::Moments(from, to) => json!([shown(*from), shown(*to)]),
            Self::Playlist(id) => json!(id.to_string()),
        }
    }

    pub(super) fn is_longer_than(&self, bytes: usize) -> bool {
        matches!(self, Self::Text(text) if text.len() > bytes)
    }
}

/// A number as number or text, in the unit that is stored.
fn number(json: &Json, factor: i64) -> Option<i64> {
    let number = match json {
        Json::Number(number) => number.as_f64()?,
        Json::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let stored = number * factor as f64;
    // Beyond 2^53 a float is no longer whole.
    (stored.is_finite() && stored.abs() < 9e15).then(|| stored.round() as i64)
}

/// `1999`, `1999-05` or `1999-05-31`, also as a number.
fn date(json: &Json) -> Option<String> {
    let text = match json {
        Json::Number(year) => year.as_u64()?.to_string(),
        Json::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let mut parts = text.split('-');
    let fits = |part: Option<&str>, digits: usize| {
        part.is_none_or(|part| part.len() == digits && part.bytes().all(|it| it.is_ascii_digit()))
    };
    let year = parts.next();
    (year.is_some()
        && fits(year, 4)
        && fits(parts.next(), 2)
        && fits(parts.next(), 2)
        && parts.next().is_none())
    .then_some(text)
}

/// The first moment of a day, UTC.
fn day(text: &str) -> Option<Millis> {
    let text = text.trim();
    // Years of four digits alone: others have no one way to be written.
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let day: jiff::civil::Date = text.get(..10).unwrap_or(text).parse().ok()?;
    Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn shown(at: Millis) -> String {
    let shown = jiff::Timestamp::from_millisecond(at);
    shown.map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string())
}
