//! The search criteria of ContentDirectory:1: the whole grammar is read here, then asked of one
//! kind of object at a time. `upnp:class` decides which kinds a search is about, so that each
//! object is found once, as itself.

use crate::catalog::{Comparison, Criteria, Field, TextMatch};

use super::{kind::Kind, object_id::ObjectId};

/// Longest criteria read.
const MAX_BYTES: usize = 4_096;
/// Parentheses inside each other.
const MAX_DEPTH: usize = 32;
/// Tests in one search.
const MAX_TESTS: usize = 64;

/// Criteria as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    /// `*`
    Everything,
    /// `and`
    And(Vec<Expression>),
    /// `or`
    Or(Vec<Expression>),
    /// `property op "value"`
    Compare(String, Operator, String),
    /// `property exists true`
    Exists(String, Presence),
}

/// The two words after `exists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// `true`
    There,
    /// `false`
    Absent,
}

/// Relational and string operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `contains`
    Contains,
    /// `doesNotContain`
    DoesNotContain,
    /// `derivedfrom`
    DerivedFrom,
    /// `startsWith`, of later versions
    StartsWith,
}

/// The text is no search criteria (708).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotCriteria;

impl Expression {
    /// Reads criteria; empty is everything, as some clients mean it.
    pub(crate) fn parse(text: &str) -> Result<Self, NotCriteria> {
        if MAX_BYTES < text.len() {
            return Err(NotCriteria);
        }
        if matches!(text.trim_matches(is_space), "" | "*") {
            return Ok(Self::Everything);
        }
        let mut parser = Parser { tokens: tokens(text)?, at: 0, tests: 0 };
        let expression = parser.any(0)?;
        if parser.at == parser.tokens.len() { Ok(expression) } else { Err(NotCriteria) }
    }

    /// What this asks of one kind of object.
    pub(crate) fn of(&self, kind: Kind) -> Criteria {
        match self {
            Self::Everything => Criteria::Always,
            Self::And(parts) => Criteria::all(parts.iter().map(|part| part.of(kind))),
            Self::Or(parts) => Criteria::any(parts.iter().map(|part| part.of(kind))),
            Self::Exists(property, presence) => {
                let exists = exists(property, kind);
                match presence {
                    Presence::There => exists,
                    Presence::Absent => exists.negate(),
                }
            }
            Self::Compare(property, operator, value) => compare(property, *operator, value, kind),
        }
    }
}

fn exists(property: &str, kind: Kind) -> Criteria {
    match property {
        "@id" | "@parentID" | "@restricted" | "dc:title" | "upnp:class" => Criteria::Always,
        "res" | "res@protocolInfo" | "res@duration" | "res@size" => {
            Criteria::constant(kind == Kind::Track)
        }
        _ => match field(property, kind) {
            Some(field) => Criteria::Has(field),
            // Among them @refID: what is found is always the real object.
            None => Criteria::Never,
        },
    }
}

fn compare(property: &str, operator: Operator, value: &str, kind: Kind) -> Criteria {
    use Operator as O;
    let (operator, is_negated) = match operator {
        O::NotEqual => (O::Equal, true),
        O::DoesNotContain => (O::Contains, true),
        other => (other, false),
    };
    let found = match property {
        "upnp:class" => Criteria::constant(class_fits(kind.class(), operator, value)),
        "@restricted" => Criteria::constant(matches!(value, "1" | "true")),
        "@id" if operator == O::Equal => match ObjectId::parse(value).and_then(ObjectId::object) {
            Some(object) if kind.is_kind_of(object) => Criteria::Is(object),
            _ => Criteria::Never,
        },
        "@parentID" if operator == O::Equal && kind == Kind::Track => {
            ObjectId::parse(value).and_then(ObjectId::object).map_or(Criteria::Never, Criteria::Is)
        }
        "res@protocolInfo" if kind == Kind::Track => protocol_info(operator, value),
        _ => match (field(property, kind), value_of(property, value)) {
            (None, _) => Criteria::Never,
            (Some(field), Some(number)) => {
                let how = match operator {
                    // A date that contains "1999", most likely.
                    O::Equal | O::Contains | O::StartsWith => Some(Comparison::Equal),
                    O::Less => Some(Comparison::Less),
                    O::LessOrEqual => Some(Comparison::LessOrEqual),
                    O::Greater => Some(Comparison::Greater),
                    O::GreaterOrEqual => Some(Comparison::GreaterOrEqual),
                    _ => None,
                };
                how.map_or(Criteria::Never, |how| Criteria::Number(field, how, number))
            }
            (Some(field), None) => {
                let how = match operator {
                    _ if is_number(field) => None,
                    O::Equal => Some(TextMatch::Equals),
                    O::Contains => Some(TextMatch::Contains),
                    O::StartsWith => Some(TextMatch::StartsWith),
                    _ => None,
                };
                how.map_or(Criteria::Never, |how| Criteria::Text(field, how, value.to_owned()))
            }
        },
    };
    if is_negated { found.negate() } else { found }
}

/// `derivedfrom` holds for the class itself and everything below it.
fn class_fits(class: &str, operator: Operator, value: &str) -> bool {
    let (class, value) = (class.to_ascii_lowercase(), value.to_ascii_lowercase());
    let value = value.trim_end_matches('.');
    match operator {
        Operator::Equal => class == value,
        Operator::DerivedFrom => {
            class.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }
        Operator::Contains => class.contains(value),
        Operator::StartsWith => class.starts_with(value),
        _ => false,
    }
}

/// Which containers a client means by a part of a protocolInfo, as `audio/mpeg`.
fn protocol_info(operator: Operator, value: &str) -> Criteria {
    if !matches!(operator, Operator::Contains | Operator::Equal | Operator::StartsWith) {
        return Criteria::Never;
    }
    let value = value.to_ascii_lowercase();
    let named = value.split([':', ';', ',']).find(|part| part.contains('/'));
    let Some(mime) = named else {
        return Criteria::constant("http-get:*:audio/*".contains(&value));
    };
    let container = match mime {
        "audio/*" | "audio/" | "*/*" => return Criteria::Always,
        "audio/mpeg" | "audio/mp3" | "audio/x-mp3" => "mp3",
        "audio/flac" | "audio/x-flac" | "application/flac" => "flac",
        "audio/mp4" | "audio/x-m4a" | "audio/m4a" | "audio/aac" => "mp4",
        "audio/ogg" | "application/ogg" | "audio/x-ogg" => "ogg",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/aiff" | "audio/x-aiff" => "aiff",
        "audio/x-ms-wma" => "asf",
        _ => return Criteria::Never,
    };
    Criteria::Text(Field::Container, TextMatch::Equals, container.to_owned())
}

/// The field that a property is, for objects of this kind.
fn field(property: &str, kind: Kind) -> Option<Field> {
    let of_work = matches!(kind, Kind::Track | Kind::Album);
    let field = match property {
        "dc:title" => Field::Title,
        "upnp:artist@role" | "dc:creator" | "upnp:artist" | "upnp:author" if of_work => {
            Field::Artist
        }
        "upnp:albumArtist" | "upnp:artist[@role=\"AlbumArtist\"]" if of_work => Field::AlbumArtist,
        "upnp:composer" if of_work => Field::Composer,
        "upnp:album" if kind == Kind::Track => Field::Album,
        "upnp:album" if kind == Kind::Album => Field::Title,
        "upnp:genre" if of_work => Field::Genre,
        "upnp:genre" if kind == Kind::Genre => Field::Title,
        "upnp:artist" | "dc:creator" if kind == Kind::Artist => Field::Title,
        "dc:date" | "upnp:originalYear" if of_work => Field::Year,
        "upnp:originalTrackNumber" if kind == Kind::Track => Field::Number,
        "upnp:originalDiscNumber" if kind == Kind::Track => Field::Disc,
        "res@duration" if kind == Kind::Track => Field::Duration,
        "res@size" if kind == Kind::Track => Field::Size,
        _ => return None,
    };
    Some(field)
}

fn is_number(field: Field) -> bool {
    matches!(field, Field::Year | Field::Number | Field::Disc | Field::Duration | Field::Size)
}

/// The number that a value of this property means, if the property has numbers.
fn value_of(property: &str, value: &str) -> Option<i64> {
    match property {
        "dc:date" | "upnp:originalYear" => value.get(..4).unwrap_or(value).parse().ok(),
        "upnp:originalTrackNumber" | "upnp:originalDiscNumber" | "res@size" => value.parse().ok(),
        "res@duration" => {
            let mut seconds = 0.0;
            for part in value.split(':') {
                seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
            }
            Some((seconds * 1000.0) as i64)
        }
        _ => None,
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Symbol(Operator),
    Quoted(String),
}

/// Space, tab, line feed, vertical tab, form feed, carriage return.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

fn tokens(text: &str) -> Result<Vec<Token>, NotCriteria> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_space);
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' => quoted(rest)?,
            '!' if rest.starts_with("!=") => (Token::Symbol(Operator::NotEqual), 2),
            '<' if rest.starts_with("<=") => (Token::Symbol(Operator::LessOrEqual), 2),
            '>' if rest.starts_with(">=") => (Token::Symbol(Operator::GreaterOrEqual), 2),
            '=' => (Token::Symbol(Operator::Equal), 1),
            '<' => (Token::Symbol(Operator::Less), 1),
            '>' => (Token::Symbol(Operator::Greater), 1),
            _ => {
                let end = rest
                    .find(|c: char| {
                        is_space(c) || matches!(c, '(' | ')' | '"' | '=' | '!' | '<' | '>')
                    })
                    .unwrap_or(rest.len());
                if end == 0 {
                    return Err(NotCriteria);
                }
                (Token::Word(rest[..end].to_owned()), end)
            }
        };
        tokens.push(token);
        rest = &rest[length..];
    }
}

/// `"a \" and \\ b"`, with the bytes that it takes.
fn quoted(text: &str) -> Result<(Token, usize), NotCriteria> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Token::Quoted(value), at + 1)),
            '\\' => value.push(characters.next().ok_or(NotCriteria)?.1),
            other => value.push(other),
        }
    }
    Err(NotCriteria)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    tests: usize,
}

impl Parser {
    /// `and` binds tighter than `or`.
    fn any(&mut self, depth: usize) -> Result<Expression, NotCriteria> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Expression, NotCriteria> {
        let mut parts = vec![self.one(depth)?];
        while self.takes_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Expression, NotCriteria> {
        if MAX_DEPTH <= depth {
            return Err(NotCriteria);
        }
        match self.next()? {
            Token::Open => {
                let inner = self.any(depth + 1)?;
                match self.next()? {
                    Token::Close => Ok(inner),
                    _ => Err(NotCriteria),
                }
            }
            Token::Word(property) => {
                let property = std::mem::take(property);
                self.test(property)
            }
            _ => Err(NotCriteria),
        }
    }

    fn test(&mut self, property: String) -> Result<Expression, NotCriteria> {
        self.tests += 1;
        if MAX_TESTS < self.tests || !property.starts_with(|c: char| c == '@' || c.is_alphabetic())
        {
            return Err(NotCriteria);
        }
        let operator = match self.next()? {
            Token::Symbol(operator) => *operator,
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "contains" => Operator::Contains,
                "doesnotcontain" => Operator::DoesNotContain,
                "derivedfrom" => Operator::DerivedFrom,
                "startswith" => Operator::StartsWith,
                "exists" => return self.presence(property),
                _ => return Err(NotCriteria),
            },
            _ => return Err(NotCriteria),
        };
        match self.next()? {
            Token::Quoted(value) => {
                Ok(Expression::Compare(property, operator, std::mem::take(value)))
            }
            _ => Err(NotCriteria),
        }
    }

    fn presence(&mut self, property: String) -> Result<Expression, NotCriteria> {
        // Some clients quote the word.
        let (Token::Word(word) | Token::Quoted(word)) = self.next()? else {
            return Err(NotCriteria);
        };
        let presence = match word.to_ascii_lowercase().as_str() {
            "true" => Presence::There,
            "false" => Presence::Absent,
            _ => return Err(NotCriteria),
        };
        Ok(Expression::Exists(property, presence))
    }

    fn next(&mut self) -> Result<&mut Token, NotCriteria> {
        let token = self.tokens.get_mut(self.at).ok_or(NotCriteria)?;
        self.at += 1;
        Ok(token)
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is_next);
        is_next
    }
}

#[cfg(test)]
mod tests;
