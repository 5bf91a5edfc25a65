//! The search criteria of ContentDirectory:1: the whole grammar is read here, then asked of one
//! kind of object at a time ([`meaning`]).

mod meaning;

use self::meaning::{compare, exists};
use super::kind::Kind;
use crate::catalog::Criteria;

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
                let end = word(rest)?;
                (Token::Word(rest[..end].to_owned()), end)
            }
        };
        tokens.push(token);
        rest = &rest[length..];
    }
}

/// How long the word is that a text begins with. `upnp:artist[@role="Composer"]` is one.
fn word(text: &str) -> Result<usize, NotCriteria> {
    let ends = |c: char| is_space(c) || matches!(c, '(' | ')' | '"' | '=' | '!' | '<' | '>');
    let end = text.find(ends).unwrap_or(text.len());
    match text[..end].find('[') {
        Some(open) if 0 < open => {
            let close = text[open..].find(']').ok_or(NotCriteria)?;
            Ok(open + close + 1)
        }
        _ if end == 0 => Err(NotCriteria),
        _ => Ok(end),
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
