//! Words, names and values of SQL, letter by letter. It never stands still and never fails: what
//! it does not know it passes over.

use super::Dialect;

/// A place in the text.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { text, at: 0, dialect }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn ahead(&self, what: &str) -> bool {
        self.text[self.at..].starts_with(what)
    }

    /// Passes blanks and comments; between statements their ends too. False at the end.
    pub(super) fn skip_blank(&mut self, is_between: bool) -> bool {
        while let Some(letter) = self.peek() {
            if letter.is_whitespace()
                && (is_between || letter != '\n' || self.dialect != Dialect::Hsqldb)
                || (is_between && letter == ';')
            {
                self.next();
            } else if self.ahead("/*") {
                let at = self.at;
                self.at =
                    self.text[at + 2..].find("*/").map_or(self.text.len(), |end| at + 4 + end);
            } else if self.ahead("--") {
                self.line();
            } else {
                return true;
            }
        }
        false
    }

    /// The rest of the line, without its end; `None` at the end of the text.
    pub(super) fn line(&mut self) -> Option<&'a str> {
        let at = self.at;
        if at == self.text.len() {
            return None;
        }
        let rest = &self.text[at..];
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        self.at = (at + line.len() + 1).min(self.text.len());
        Some(line.trim_end_matches('\r'))
    }

    /// A word of letters, digits and `_`; '' if there is none.
    pub(super) fn word(&mut self) -> &'a str {
        self.skip_blank(false);
        let at = self.at;
        while self.peek().is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            self.next();
        }
        let end = self.at;
        &self.text[at..end]
    }

    pub(super) fn peeks_word(&mut self, word: &str) -> bool {
        self.skip_blank(false);
        let at = self.at;
        self.text.get(at..at + word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word))
    }

    /// The last part of a name like `public."user"`, in lower case.
    pub(super) fn name(&mut self) -> String {
        loop {
            self.skip_blank(false);
            let name = match self.peek() {
                Some(quote @ ('"' | '`')) => self.quoted(quote, false),
                _ => self.word().to_owned(),
            };
            if self.peek() == Some('.') {
                self.next();
                continue;
            }
            return name.to_ascii_lowercase();
        }
    }

    pub(super) fn takes(&mut self, letter: char) -> bool {
        self.skip_blank(false);
        if self.peek() == Some(letter) {
            self.next();
            return true;
        }
        false
    }

    /// Names with commas between, up to the closing parenthesis.
    pub(super) fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            names.push(self.name());
            if !self.takes(',') {
                self.takes(')');
                return names;
            }
        }
    }

    /// The columns of a definition, up to the closing parenthesis.
    pub(super) fn definitions(&mut self) -> Vec<String> {
        const NO_COLUMN: [&str; 10] = [
            "constraint",
            "primary",
            "foreign",
            "unique",
            "key",
            "index",
            "check",
            "fulltext",
            "exclude",
            "",
        ];
        let mut columns = Vec::new();
        loop {
            self.skip_blank(false);
            let is_quoted = matches!(self.peek(), Some('"' | '`'));
            let name = self.name();
            if is_quoted || !NO_COLUMN.contains(&name.as_str()) {
                columns.push(name);
            }
            if !self.skip_part() {
                return columns;
            }
        }
    }

    /// Passes the rest of a part; whether another follows.
    fn skip_part(&mut self) -> bool {
        let mut depth = 0;
        while let Some(letter) = self.peek() {
            match letter {
                '\'' | '"' | '`' => {
                    self.quoted(letter, letter == '\'');
                    continue;
                }
                '(' => depth += 1,
                ')' if depth == 0 => {
                    self.next();
                    return false;
                }
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    self.next();
                    return true;
                }
                _ => (),
            }
            self.next();
        }
        false
    }

    /// Values with commas between, up to the closing parenthesis.
    pub(super) fn values(&mut self) -> Vec<Option<String>> {
        let mut values = Vec::new();
        loop {
            values.push(self.value());
            // What follows a value (a cast, a unit) is passed over.
            if !self.skip_part() {
                return values;
            }
        }
    }

    /// A value: text, a number or a word, as text.
    pub(super) fn value(&mut self) -> Option<String> {
        self.skip_blank(false);
        match self.peek()? {
            '\'' => Some(self.quoted('\'', true)),
            letter if letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.') => {
                let at = self.at;
                while self.peek().is_some_and(|letter| {
                    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '.')
                }) {
                    self.next();
                }
                let end = self.at;
                Some(self.text[at..end].to_owned())
            }
            _ => {
                let word = self.word().to_ascii_lowercase();
                match word.as_str() {
                    "" => {
                        // Nothing we know: never stand still.
                        self.next();
                        None
                    }
                    "null" | "default" => None,
                    "true" => Some("1".to_owned()),
                    "false" => Some("0".to_owned()),
                    // N'…', E'…', X'…', b'1', _binary '…', TIMESTAMP '…'
                    _ => {
                        self.skip_blank(false);
                        if self.peek() == Some('\'') {
                            Some(self.quoted('\'', true))
                        } else {
                            Some(word)
                        }
                    }
                }
            }
        }
    }

    /// A quoted text with its escapes resolved. The quote itself is doubled inside.
    fn quoted(&mut self, quote: char, is_value: bool) -> String {
        self.next();
        let mut text = String::new();
        while let Some(letter) = self.next() {
            match letter {
                letter if letter == quote => {
                    if self.peek() != Some(quote) {
                        break;
                    }
                    self.next();
                    text.push(quote);
                }
                '\\' if is_value && self.dialect == Dialect::MySql => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some('0') => text.push('\0'),
                    Some('b') => text.push('\u{8}'),
                    Some('Z') => text.push('\u{1a}'),
                    Some(other) => text.push(other),
                    None => break,
                },
                '\\' if is_value && self.dialect == Dialect::Hsqldb && self.peek() == Some('u') => {
                    self.next();
                    self.unicode(&mut text);
                }
                other => text.push(other),
            }
        }
        text
    }

    /// Four hexadecimal digits after `\u`, and a second half of a pair where one follows.
    fn unicode(&mut self, text: &mut String) {
        let mut units = vec![self.unit()];
        while (0xd800..0xdc00).contains(&units[units.len() - 1]) && self.ahead("\\u") {
            self.next();
            self.next();
            units.push(self.unit());
        }
        text.extend(char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')));
    }

    fn unit(&mut self) -> u16 {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|letter| letter.to_digit(16)) else { break };
            self.next();
            unit = unit * 16 + digit as u16;
        }
        unit
    }

    /// Goes to the end of the statement: a semicolon, or with HSQLDB the line's end.
    pub(super) fn skip_statement(&mut self) {
        while let Some(letter) = self.peek() {
            match letter {
                ';' => return,
                '\n' if self.dialect == Dialect::Hsqldb => return,
                '\'' | '"' | '`' => {
                    self.quoted(letter, letter == '\'');
                }
                _ if self.ahead("--") && self.dialect != Dialect::Hsqldb => {
                    self.line();
                }
                _ => {
                    self.next();
                }
            }
        }
    }
}

/// A value after COPY.
pub(super) fn copied(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut value = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('b') => value.push('\u{8}'),
                Some('f') => value.push('\u{c}'),
                Some('v') => value.push('\u{b}'),
                Some(other) => value.push(other),
                None => (),
            },
            other => value.push(other),
        }
    }
    Some(value)
}
