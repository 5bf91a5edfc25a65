//! Property lists of Apple in their XML form: dictionaries of `<key>` and value in turn.

use std::collections::HashMap;

use crate::xml::{Element, Manner, Names, Rules, Types};

/// A library of half a million tracks is shorter.
pub(super) const RULES: Rules = Rules {
    depth: 64,
    elements: 80_000_000,
    attributes: 16,
    bytes: 1 << 30,
    names: Names::Written,
    manner: Manner::Strict,
    types: Types::PassedOver,
};

/// A dictionary.
pub(super) struct Dict<'a>(HashMap<&'a str, &'a Element>);

impl<'a> Dict<'a> {
    pub(super) fn of(element: &'a Element) -> Self {
        let mut entries = HashMap::new();
        let mut children = element.children.iter();
        while let Some(key) = children.next() {
            if key.name == "key"
                && let Some(value) = children.next()
            {
                entries.insert(key.text.as_str(), value);
            }
        }
        Self(entries)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Text, number or date, '' for nothing.
    pub(super) fn text(&self, key: &str) -> &'a str {
        self.0.get(key).map(|value| value.text.as_str()).unwrap_or_default()
    }

    /// A whole number, 0 for nothing.
    pub(super) fn number(&self, key: &str) -> i64 {
        self.text(key).trim().parse().unwrap_or(0)
    }

    /// A yes.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| value.name == "true")
    }

    /// What is in an array.
    pub(super) fn array(&self, key: &str) -> &'a [Element] {
        self.0.get(key).map(|value| value.children.as_slice()).unwrap_or_default()
    }
}
