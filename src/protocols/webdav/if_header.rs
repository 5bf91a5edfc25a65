//! The `If` header (RFC 4918, 10.4): lists of conditions about locks and entity tags, some about
//! other addresses than the request's. Reading it and judging it are apart; what is at an address
//! is found out between the two.

/// The whole header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct If {
    /// Any one that holds is enough.
    pub(super) lists: Vec<List>,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    /// What they are about; `None` is the request's own address.
    pub(super) tag: Option<String>,
    /// One or more.
    pub(super) conditions: Vec<Condition>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// `Not` stood before it.
    pub(super) is_negated: bool,
    /// What is asked.
    pub(super) what: What,
}

/// What a condition asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// That this lock is in place.
    Token(String),
    /// That the bytes have this tag, quotes and weakness left out.
    Etag(String),
}

/// What is at an address.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// Tokens of the locks that reach it.
    pub(super) tokens: Vec<String>,
    /// Its entity tag; none for folders and for what is not there.
    pub(super) etag: Option<String>,
}

/// It says nothing that could be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Nobody means more than that.
const MOST_CONDITIONS: usize = 256;

impl If {
    /// Reads a header.
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut reader = Reader { rest: text };
        let mut lists = Vec::new();
        let (mut tag, mut count) = (None, 0);
        let mut tag_has_list = true;
        let is_tagged = reader.peek() == Some('<');
        while let Some(next) = reader.peek() {
            match next {
                '<' if is_tagged && tag_has_list => {
                    tag = Some(reader.until('<', '>')?.to_owned());
                    tag_has_list = false;
                }
                '(' => {
                    let conditions = reader.list()?;
                    count += conditions.len();
                    if MOST_CONDITIONS < count {
                        return Err(Malformed);
                    }
                    lists.push(List { tag: tag.clone(), conditions });
                    tag_has_list = true;
                }
                _ => return Err(Malformed),
            }
        }
        if lists.is_empty() || !tag_has_list { Err(Malformed) } else { Ok(Self { lists }) }
    }

    /// Every token that the client shows it knows (RFC 4918, 10.4.1), negated ones too.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().flat_map(|list| &list.conditions).filter_map(|one| match &one.what {
            What::Token(token) => Some(token.as_str()),
            What::Etag(_) => None,
        })
    }

    /// The other addresses that it is about, each once.
    pub(super) fn tags(&self) -> Vec<&str> {
        let mut tags: Vec<&str> =
            self.lists.iter().filter_map(|list| list.tag.as_deref()).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// Whether it holds, when `state` tells what is at the address that a list is about.
    pub(super) fn holds<'a>(&self, state: impl Fn(Option<&str>) -> &'a State) -> bool {
        self.lists.iter().any(|list| {
            let state = state(list.tag.as_deref());
            list.conditions.iter().all(|one| one.what.is_true(state) != one.is_negated)
        })
    }
}

impl What {
    fn is_true(&self, state: &State) -> bool {
        match self {
            Self::Token(token) => state.tokens.iter().any(|there| there == token),
            Self::Etag(etag) => state.etag.as_ref() == Some(etag),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The next letter that is no blank.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.rest.chars().next()
    }

    /// What stands between two marks. It is not empty and holds no blank.
    fn until(&mut self, open: char, close: char) -> Result<&'a str, Malformed> {
        let inner = self.rest.strip_prefix(open).ok_or(Malformed)?;
        let (inner, rest) = inner.split_once(close).ok_or(Malformed)?;
        if inner.is_empty()
            || inner.contains(|letter: char| letter.is_whitespace() || letter == open)
        {
            return Err(Malformed);
        }
        self.rest = rest;
        Ok(inner)
    }

    fn list(&mut self) -> Result<Vec<Condition>, Malformed> {
        self.rest = self.rest.strip_prefix('(').ok_or(Malformed)?;
        let mut conditions = Vec::new();
        loop {
            let mut is_negated = false;
            if let Some(word) = self.peek().and_then(|_| self.rest.get(..3))
                && word.eq_ignore_ascii_case("not")
            {
                self.rest = &self.rest[3..];
                is_negated = true;
            }
            let what = match self.peek() {
                Some('<') => What::Token(self.until('<', '>')?.to_owned()),
                Some('[') => What::Etag(self.etag()?),
                Some(')') if !is_negated && !conditions.is_empty() => {
                    self.rest = &self.rest[1..];
                    return Ok(conditions);
                }
                _ => return Err(Malformed),
            };
            conditions.push(Condition { is_negated, what });
            if MOST_CONDITIONS < conditions.len() {
                return Err(Malformed);
            }
        }
    }

    /// `["..."]` or `[W/"..."]`. The quoted part may hold a bracket.
    fn etag(&mut self) -> Result<String, Malformed> {
        let inner = self.rest.strip_prefix('[').ok_or(Malformed)?;
        let inner = inner.strip_prefix("W/").unwrap_or(inner);
        let inner = inner.strip_prefix('"').ok_or(Malformed)?;
        let (tag, rest) = inner.split_once('"').ok_or(Malformed)?;
        if tag.contains(char::is_control) {
            return Err(Malformed);
        }
        self.rest = rest.strip_prefix(']').ok_or(Malformed)?;
        Ok(tag.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(text: &str) -> Condition {
        Condition { is_negated: false, what: What::Token(text.to_owned()) }
    }

    fn etag(text: &str) -> Condition {
        Condition { is_negated: false, what: What::Etag(text.to_owned()) }
    }

    fn not(condition: Condition) -> Condition {
        Condition { is_negated: true, ..condition }
    }

    fn list(tag: Option<&str>, conditions: Vec<Condition>) -> List {
        List { tag: tag.map(str::to_owned), conditions }
    }

    #[test]
    fn the_standards_own_examples() {
        // RFC 4918, 10.4.6 to 10.4.10.
        for (text, lists) in [
            (
                "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> \r\n [\"I am an ETag\"]) ([\"I am another ETag\"])",
                vec![
                    list(
                        None,
                        vec![
                            token("urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2"),
                            etag("I am an ETag"),
                        ],
                    ),
                    list(None, vec![etag("I am another ETag")]),
                ],
            ),
            (
                "(Not <urn:uuid:1> <urn:uuid:58>)",
                vec![list(None, vec![not(token("urn:uuid:1")), token("urn:uuid:58")])],
            ),
            (
                "(<urn:uuid:1>) (Not <DAV:no-lock>)",
                vec![
                    list(None, vec![token("urn:uuid:1")]),
                    list(None, vec![not(token("DAV:no-lock"))]),
                ],
            ),
            (
                "</resource1> (<urn:uuid:1> [W/\"A weak ETag\"]) ([\"strong ETag\"])",
                vec![
                    list(Some("/resource1"), vec![token("urn:uuid:1"), etag("A weak ETag")]),
                    list(Some("/resource1"), vec![etag("strong ETag")]),
                ],
            ),
            (
                "<http://www.example.com/specs/rfc2518.txt>([\"4217\"])<http://a/>(not[\"x]\"])",
                vec![
                    list(Some("http://www.example.com/specs/rfc2518.txt"), vec![etag("4217")]),
                    list(Some("http://a/"), vec![not(etag("x]"))]),
                ],
            ),
        ] {
            assert_eq!(If::parse(text), Ok(If { lists }), "{text}");
        }
    }

    #[test]
    fn what_is_no_such_header() {
        for wrong in [
            "",
            " ",
            "x",
            "()",
            "(Not)",
            "(<>)",
            "(<a b>)",
            "(<a>",
            "<a>",
            "<a> <b> (<c>)",
            "(<a>) <b> (<c>)",
            "<a> (<b>) <c>",
            "(<a>) x",
            "([\"a])",
            "([a])",
            "([\"a\"",
            "(\"a\")",
            "(Not Not <a>)",
            "((<a>))",
        ] {
            assert_eq!(If::parse(wrong), Err(Malformed), "{wrong}");
        }
        let many = "(<a>)".repeat(MOST_CONDITIONS + 1);
        assert_eq!(If::parse(&many), Err(Malformed));
        assert!(If::parse(&"(<a>)".repeat(MOST_CONDITIONS)).is_ok());
    }

    #[test]
    fn it_is_judged() {
        let here = State { tokens: vec!["t:1".to_owned()], etag: Some("e".to_owned()) };
        let there = State { tokens: vec!["t:2".to_owned()], etag: None };
        let holds = |text: &str| {
            If::parse(text).unwrap().holds(|tag| if tag.is_none() { &here } else { &there })
        };
        for good in [
            "(<t:1>)",
            "([\"e\"])",
            "(<t:1> [\"e\"])",
            "(<t:9>) (<t:1>)",
            "(Not <t:9>)",
            "</x> (<t:2> Not [\"e\"])",
            "(<t:9>) (Not <DAV:no-lock>)",
        ] {
            assert!(holds(good), "{good}");
        }
        for bad in ["(<t:2>)", "([\"f\"])", "(<t:1> [\"f\"])", "(Not <t:1>)", "</x> ([\"e\"])"] {
            assert!(!holds(bad), "{bad}");
        }
        let read = If::parse("</b> (<t:1>) </a> (Not <t:2> [\"e\"]) </b> (<t:3>)").unwrap();
        assert_eq!(read.tokens().collect::<Vec<_>>(), ["t:1", "t:2", "t:3"]);
        assert_eq!(read.tags(), ["/a", "/b"]);
    }

    fn condition() -> impl Strategy<Value = Condition> {
        let what = prop_oneof![
            "[a-z]{1,5}:[a-z0-9/-]{0,12}".prop_map(What::Token),
            "[ -!#-~]{0,12}".prop_map(What::Etag),
        ];
        (any::<bool>(), what).prop_map(|(is_negated, what)| Condition { is_negated, what })
    }

    fn header() -> impl Strategy<Value = If> {
        let lists = || prop::collection::vec(prop::collection::vec(condition(), 1..4), 1..4);
        let tagged = prop::collection::vec(("/[a-z%0-9/]{0,10}", lists()), 1..4);
        let tagged = tagged.prop_map(|all| {
            let lists = all.into_iter().flat_map(|(tag, lists)| {
                lists.into_iter().map(move |conditions| List { tag: Some(tag.clone()), conditions })
            });
            If { lists: lists.collect() }
        });
        let plain = lists().prop_map(|lists| If {
            lists: lists.into_iter().map(|conditions| List { tag: None, conditions }).collect(),
        });
        prop_oneof![plain, tagged]
    }

    fn written(header: &If, gap: &str) -> String {
        let mut out = String::new();
        for List { tag, conditions } in &header.lists {
            if let Some(tag) = tag {
                out.push_str(&format!("<{tag}>{gap}"));
            }
            out.push('(');
            for Condition { is_negated, what } in conditions {
                out.push_str(if *is_negated { "Not " } else { gap });
                match what {
                    What::Token(token) => out.push_str(&format!("<{token}>")),
                    What::Etag(etag) => out.push_str(&format!("[\"{etag}\"]")),
                }
            }
            out.push_str(&format!("){gap}"));
        }
        out
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(header in header(), gap in "[ \t]{0,2}") {
            prop_assert_eq!(If::parse(&written(&header, &gap)), Ok(header));
        }

        #[test]
        fn anything_is_read_or_refused(text in "[()<>\\[\\]\"NotW/ a:é]{0,40}") {
            if let Ok(header) = If::parse(&text) {
                prop_assert!(!header.lists.is_empty());
                prop_assert!(header.lists.iter().all(|list| !list.conditions.is_empty()));
                prop_assert_eq!(If::parse(&written(&header, " ")), Ok(header));
            }
        }
    }
}
