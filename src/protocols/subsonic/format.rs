//! How an answer is spelled: `f=xml` (default), `json` or `jsonp` with its callback.

use super::{failure::Failure, params::Params};

/// The form that the client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// XML.
    Xml,
    /// JSON.
    Json,
    /// JSON as the argument of a call to this function.
    Jsonp(String),
}

impl Format {
    /// Reads `f` and `callback`. A wrong one is answered in the nearest form that can be trusted.
    pub(super) fn of(params: &Params) -> Result<Self, (Self, Failure)> {
        match params.get("f").unwrap_or("xml") {
            "xml" => Ok(Self::Xml),
            "json" => Ok(Self::Json),
            "jsonp" => match params.get("callback") {
                Some(name) if is_function_name(name) => Ok(Self::Jsonp(name.to_owned())),
                Some(_) => Err((Self::Json, Failure::generic("The callback is no function name"))),
                None => Err((Self::Json, Failure::missing("callback"))),
            },
            _ => Err((Self::Xml, Failure::generic("The format is one of xml, json and jsonp"))),
        }
    }

    /// The type of the answer's body. Apps tell an error from audio by `text/xml` (C6).
    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Self::Xml => "text/xml; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Jsonp(_) => "text/javascript; charset=utf-8",
        }
    }
}

/// Whether it is a dotted name of a function and nothing else, so that no script can hide in it.
fn is_function_name(name: &str) -> bool {
    name.len() <= 128
        && name.split('.').all(|part| {
            part.starts_with(|first: char| first.is_ascii_alphabetic() || "_$".contains(first))
                && part.chars().all(|each| each.is_ascii_alphanumeric() || "_$".contains(each))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_are_names() {
        for good in ["cb", "JSON_CALLBACK", "jQuery123._x", "angular.callbacks._0", "$"] {
            assert!(is_function_name(good), "{good}");
        }
        for bad in ["", "1a", "a b", "alert(1)//", "a..b", ".a", "a;b", "a\u{2028}", "<script>"] {
            assert!(!is_function_name(bad), "{bad}");
        }
    }
}
