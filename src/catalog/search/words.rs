//! What a query asks for, as an expression of the full-text index.

/// What a query asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Every spelling of "no query" that clients send (C8).
    Everything,
    /// Characters, but no word to look for.
    Nothing,
    /// An FTS5 expression: each word quoted and a prefix.
    Match(String),
}

pub(super) fn words(query: &str) -> Words {
    let bare = query.trim();
    let bare = if matches!(bare, "\"\"" | "''" | "*") { "" } else { bare };
    if bare.is_empty() {
        return Words::Everything;
    }
    let words: Vec<String> = bare
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(16)
        .map(|word| format!("\"{word}\"*"))
        .collect();
    if words.is_empty() { Words::Nothing } else { Words::Match(words.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_become_expressions() {
        for nothing in ["", "  ", "\"\"", "''", "*"] {
            assert_eq!(words(nothing), Words::Everything, "{nothing}");
        }
        assert_eq!(words("?!"), Words::Nothing);
        assert_eq!(words("Joni Mit*"), Words::Match("\"Joni\"* \"Mit\"*".to_owned()));
        assert_eq!(words("AC/DC"), Words::Match("\"AC\"* \"DC\"*".to_owned()));
        assert_eq!(words("\" or near(\""), Words::Match("\"or\"* \"near\"*".to_owned()));
    }
}
