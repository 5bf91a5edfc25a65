//! Rules as people and programs write them:
//!
//! ```json
//! { "all": [ { "is": { "loved": true } }, { "inTheLast": { "lastPlayed": 30 } },
//!            { "any": [ { "contains": { "genre": "jazz" } }, { "gt": { "rating": 3 } } ] } ],
//!   "sort": "-rating,title", "limit": 100 }
//! ```
//!
//! `all` and `any` nest; `sort` names fields, `-` for Z to A, or `random`; `order` `desc` turns it
//! round; `limit` counts tracks, `limitPercent` a share of those that fit.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::{
    fields::{self, Kind, SmartField, Source},
    values::Value,
};
use crate::{
    Error, Result,
    catalog::{Comparison, Criteria, Field, TextMatch},
    clock::Millis,
    ids::{PlaylistId, UserId},
};

/// More rules than a person writes, fewer than what would hurt.
const MOST_RULES: usize = 200;
const MOST_DEPTH: usize = 8;
/// Bytes of a text in a rule.
const LONGEST_TEXT: usize = 1000;
const DAY: Millis = 86_400_000;

/// The rules of a smart playlist, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    pub(super) rule: Rule,
    pub(super) order: Order,
    pub(super) limit: Option<Limit>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Test { operator: Operator, field: &'static SmartField, value: Value },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    /// By these fields; the flag says Z to A.
    By(Vec<(&'static SmartField, bool)>),
    Random,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Tracks(u32),
    Percent(u32),
}

/// How a field is tested, in the words of the `.nsp` form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The same.
    Is,
    /// Not the same.
    IsNot,
    /// More.
    Gt,
    /// Less.
    Lt,
    /// Somewhere inside.
    Contains,
    /// Nowhere inside.
    NotContains,
    /// At the start.
    StartsWith,
    /// At the end.
    EndsWith,
    /// Between two values, both included.
    InTheRange,
    /// Earlier.
    Before,
    /// Later.
    After,
    /// Less than so many days ago.
    InTheLast,
    /// Longer ago than so many days, or never.
    NotInTheLast,
    /// An entry of that playlist.
    InPlaylist,
    /// No entry of it.
    NotInPlaylist,
}

impl Operator {
    /// All of them, by name.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("is", Self::Is),
        ("isNot", Self::IsNot),
        ("gt", Self::Gt),
        ("lt", Self::Lt),
        ("contains", Self::Contains),
        ("notContains", Self::NotContains),
        ("startsWith", Self::StartsWith),
        ("endsWith", Self::EndsWith),
        ("inTheRange", Self::InTheRange),
        ("before", Self::Before),
        ("after", Self::After),
        ("inTheLast", Self::InTheLast),
        ("notInTheLast", Self::NotInTheLast),
        ("inPlaylist", Self::InPlaylist),
        ("notInPlaylist", Self::NotInPlaylist),
    ];

    fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, it)| *it)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, each)| *each == self).map_or("", |(name, _)| name)
    }

    /// Whether it makes sense for fields of this kind.
    #[must_use]
    pub fn fits(self, kind: Kind) -> bool {
        use Operator::{
            After, Before, Contains, EndsWith, Gt, InPlaylist, InTheLast, InTheRange, Is, IsNot,
            Lt, NotContains, NotInPlaylist, NotInTheLast, StartsWith,
        };
        match kind {
            Kind::Text => {
                matches!(self, Is | IsNot | Contains | NotContains | StartsWith | EndsWith)
            }
            Kind::Number(_) => matches!(self, Is | IsNot | Gt | Lt | InTheRange),
            Kind::Flag => matches!(self, Is | IsNot),
            Kind::Moment => {
                matches!(self, Is | IsNot | Before | After | InTheRange | InTheLast | NotInTheLast)
            }
            Kind::Date => matches!(self, Is | IsNot | Before | After | InTheRange),
            Kind::Playlist => matches!(self, InPlaylist | NotInPlaylist),
        }
    }
}

impl Rules {
    /// Reads rules from a JSON object; other members (`name`, `comment`) are left alone. Fails
    /// as [`Error::Invalid`] with a sentence that names what is wrong.
    pub fn parse(json: &Json) -> Result<Self> {
        let object = json.as_object().ok_or_else(|| invalid("Rules are a JSON object"))?;
        let mut left = MOST_RULES;
        let rule = group(object, MOST_DEPTH, &mut left)?.unwrap_or(Rule::All(Vec::new()));
        Ok(Self { rule, order: order(object)?, limit: limit(object)? })
    }

    /// Reads rules from JSON text.
    pub fn from_text(text: &str) -> Result<Self> {
        let json: Json = serde_json::from_str(text)
            .map_err(|error| Error::Invalid(format!("The rules are not JSON: {error}")))?;
        Self::parse(&json)
    }

    /// The rules as JSON, in one spelling.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut object = Map::new();
        match &self.rule {
            Rule::Any(rules) => object.insert("any".into(), rules.iter().map(written).collect()),
            Rule::All(rules) => object.insert("all".into(), rules.iter().map(written).collect()),
            test @ Rule::Test { .. } => object.insert("all".into(), json!([written(test)])),
        };
        let sort = match &self.order {
            Order::Random => "random".to_owned(),
            Order::By(keys) => keys
                .iter()
                .map(|(field, down)| format!("{}{}", if *down { "-" } else { "" }, field.name))
                .collect::<Vec<_>>()
                .join(","),
        };
        if !sort.is_empty() {
            object.insert("sort".into(), sort.into());
        }
        match self.limit {
            Some(Limit::Tracks(limit)) => object.insert("limit".into(), limit.into()),
            Some(Limit::Percent(limit)) => object.insert("limitPercent".into(), limit.into()),
            None => None,
        };
        Json::Object(object)
    }

    /// The playlists that the rules speak of.
    pub(super) fn playlists(&self) -> BTreeSet<PlaylistId> {
        fn gather(rule: &Rule, into: &mut BTreeSet<PlaylistId>) {
            match rule {
                Rule::All(rules) | Rule::Any(rules) => {
                    rules.iter().for_each(|rule| gather(rule, into));
                }
                Rule::Test { value: Value::Playlist(id), .. } => {
                    into.insert(*id);
                }
                Rule::Test { .. } => (),
            }
        }
        let mut found = BTreeSet::new();
        gather(&self.rule, &mut found);
        found
    }

    /// The rules as a tree of tests: marks are those of `user`, days count back from `now`, and
    /// `playlist` says what membership in another playlist means.
    pub(super) fn criteria(
        &self,
        user: UserId,
        now: Millis,
        playlist: &dyn Fn(PlaylistId) -> Criteria,
    ) -> Criteria {
        criteria(&self.rule, user, now, playlist)
    }
}

fn criteria(
    rule: &Rule,
    user: UserId,
    now: Millis,
    playlist: &dyn Fn(PlaylistId) -> Criteria,
) -> Criteria {
    let of = |rule: &Rule| criteria(rule, user, now, playlist);
    match rule {
        Rule::All(rules) => Criteria::all(rules.iter().map(of)),
        Rule::Any(rules) => Criteria::any(rules.iter().map(of)),
        Rule::Test { operator, field, value } => match (field.source, value) {
            (Source::Entry, Value::Playlist(id)) => match operator {
                Operator::NotInPlaylist => playlist(*id).negate(),
                _ => playlist(*id),
            },
            (Source::Of(field), Value::Text(text)) => texts(*operator, field, text),
            (Source::Of(field), Value::Texts(from, to)) => Criteria::all([
                Criteria::Text(field, TextMatch::Before, from.clone()).negate(),
                Criteria::Text(field, TextMatch::After, to.clone()).negate(),
                Criteria::Has(field),
            ]),
            (source, value) => numbers(*operator, value, now, &|how, number| match source {
                Source::Marked(mark) => Criteria::Marked(user, mark, how, number),
                Source::Of(field) => Criteria::Number(field, how, number),
                Source::Entry => Criteria::Never,
            }),
        },
    }
}

fn texts(operator: Operator, field: Field, text: &str) -> Criteria {
    let test = |how| Criteria::Text(field, how, text.to_owned());
    match operator {
        Operator::Contains => test(TextMatch::Contains),
        Operator::NotContains => test(TextMatch::Contains).negate(),
        Operator::StartsWith => test(TextMatch::StartsWith),
        Operator::EndsWith => test(TextMatch::EndsWith),
        Operator::Before => test(TextMatch::Before),
        Operator::After => test(TextMatch::After),
        // A date is "in 1999" on each of its days.
        operator => {
            let is_date = matches!(field, Field::ReleaseDate | Field::OriginalDate);
            let is = test(if is_date { TextMatch::StartsWith } else { TextMatch::Equals });
            if operator == Operator::IsNot { is.negate() } else { is }
        }
    }
}

/// Tests of numbers, truths and moments.
fn numbers(
    operator: Operator,
    value: &Value,
    now: Millis,
    test: &dyn Fn(Comparison, i64) -> Criteria,
) -> Criteria {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    let (from, to) = match value {
        Value::Number(number) => (*number, *number),
        Value::Numbers(from, to) => (*from, *to),
        Value::Flag(holds) => (i64::from(*holds), i64::from(*holds)),
        Value::Days(days) => (now.saturating_sub(days.saturating_mul(DAY)), now),
        // To the end of its last day.
        Value::Moments(from, to) => (*from, to.saturating_add(DAY - 1)),
        Value::Text(_) | Value::Texts(..) | Value::Playlist(_) => return Criteria::Never,
    };
    let between = || {
        if from == to {
            test(Equal, from)
        } else {
            Criteria::all([test(GreaterOrEqual, from), test(LessOrEqual, to)])
        }
    };
    match operator {
        Operator::Is | Operator::InTheRange => between(),
        Operator::IsNot => between().negate(),
        Operator::Gt | Operator::After => test(Greater, to),
        // What never happened happened before nothing.
        Operator::Before => Criteria::all([test(Less, from), test(Greater, 0)]),
        Operator::Lt => test(Less, from),
        Operator::InTheLast => test(GreaterOrEqual, from),
        Operator::NotInTheLast => test(Less, from),
        _ => Criteria::Never,
    }
}

/// The `all` or `any` of an object, if it has one.
fn group(object: &Map<String, Json>, depth: usize, left: &mut usize) -> Result<Option<Rule>> {
    let mut groups = Vec::new();
    for (name, make) in [("all", Rule::All as fn(Vec<Rule>) -> Rule), ("any", Rule::Any)] {
        let Some(rules) = object.get(name) else { continue };
        let rules = rules
            .as_array()
            .ok_or_else(|| Error::Invalid(format!("\"{name}\" holds a list of rules")))?;
        if depth == 0 {
            return Err(Error::Invalid(format!("Rules nest at most {MOST_DEPTH} deep")));
        }
        let rules = rules.iter().map(|rule| one(rule, depth - 1, left)).collect::<Result<_>>()?;
        groups.push(make(rules));
    }
    Ok(if groups.len() < 2 { groups.pop() } else { Some(Rule::All(groups)) })
}

fn one(json: &Json, depth: usize, left: &mut usize) -> Result<Rule> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| Error::Invalid(format!("A playlist has at most {MOST_RULES} rules")))?;
    let object = json.as_object().ok_or_else(|| invalid("A rule is a JSON object"))?;
    if let Some(group) = group(object, depth, left)? {
        return Ok(group);
    }
    let mut members = object.iter();
    let (Some((name, operand)), None) = (members.next(), members.next()) else {
        return Err(invalid("A rule names one operator, as {\"is\": {\"loved\": true}}"));
    };
    let operator = Operator::find(name)
        .ok_or_else(|| Error::Invalid(format!("There is no operator {name:?}")))?;
    let operand = operand.as_object().filter(|operand| operand.len() == 1);
    let Some((name, value)) = operand.and_then(|operand| operand.iter().next()) else {
        return Err(Error::Invalid(format!("{name:?} needs one field, as {{\"title\": \"x\"}}")));
    };
    let field =
        fields::find(name).ok_or_else(|| Error::Invalid(format!("There is no field {name:?}")))?;
    if !operator.fits(field.kind) {
        let (operator, field) = (operator.name(), field.name);
        return Err(Error::Invalid(format!("{operator:?} does not fit the field {field:?}")));
    }
    let value = Value::parse(operator, field.kind, value)
        .filter(|value| !value.is_longer_than(LONGEST_TEXT))
        .ok_or_else(|| {
            Error::Invalid(format!(
                "{value} is no value for {:?} {:?}",
                field.name,
                operator.name()
            ))
        })?;
    Ok(Rule::Test { operator, field, value })
}

fn written(rule: &Rule) -> Json {
    match rule {
        Rule::All(rules) => json!({ "all": rules.iter().map(written).collect::<Vec<_>>() }),
        Rule::Any(rules) => json!({ "any": rules.iter().map(written).collect::<Vec<_>>() }),
        Rule::Test { operator, field, value } => {
            json!({ operator.name(): { field.name: value.to_json(field.kind) } })
        }
    }
}

fn order(object: &Map<String, Json>) -> Result<Order> {
    let text = |name| match object.get(name) {
        None | Some(Json::Null) => Ok(""),
        Some(Json::String(text)) => Ok(text.as_str()),
        Some(_) => Err(Error::Invalid(format!("{name:?} is a text"))),
    };
    let is_turned = match text("order")? {
        "" | "asc" => false,
        "desc" => true,
        other => return Err(Error::Invalid(format!("\"order\" is asc or desc, not {other:?}"))),
    };
    let mut keys = Vec::new();
    for name in text("sort")?.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if name.eq_ignore_ascii_case("random") {
            return Ok(Order::Random);
        }
        let is_descending = name.starts_with('-');
        let name = name.trim_start_matches(['-', '+']);
        let field = fields::find(name)
            .filter(|field| field.kind != Kind::Playlist)
            .ok_or_else(|| Error::Invalid(format!("There is no field {name:?} to sort by")))?;
        keys.push((field, is_descending != is_turned));
    }
    if keys.len() > 8 {
        return Err(invalid("At most 8 fields to sort by"));
    }
    Ok(Order::By(keys))
}

fn limit(object: &Map<String, Json>) -> Result<Option<Limit>> {
    let number = |name: &str, most: u64| match object.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(0) => Ok(None),
            Some(number) if number <= most => Ok(Some(number as u32)),
            _ => Err(Error::Invalid(format!("{name:?} is a number from 1 to {most}"))),
        },
    };
    Ok(match (number("limit", 100_000)?, number("limitPercent", 100)?) {
        (Some(limit), _) => Some(Limit::Tracks(limit)),
        (None, Some(percent)) => Some(Limit::Percent(percent)),
        (None, None) => None,
    })
}

fn invalid(text: &str) -> Error {
    Error::Invalid(text.to_owned())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
