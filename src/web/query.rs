//! The parameters behind the `?` of an address, read as a type; a mistake names its parameter.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;

use super::failure::Failure;
use crate::Error;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Query<T>(T);

impl<T> std::ops::Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()).map(Self).map_err(Failure::from))
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let pairs = form_urlencoded::parse(text.as_bytes());
    let fields = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(fields).map_err(|error| {
        let name = error.path().to_string();
        let sent = form_urlencoded::parse(text.as_bytes()).find(|(sent, _)| *sent == name);
        Error::Invalid(match sent {
            Some((name, value)) => {
                let value: String = value.chars().take(100).collect();
                format!("The parameter {name} cannot be {value:?}")
            }
            // One that is missing, unknown or there twice, which serde names.
            None => format!("The parameters are wrong: {}", error.inner()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Wanted {
        #[serde(default)]
        most_rows: Option<u32>,
        #[serde(default)]
        order: Order,
        name: String,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        #[default]
        Up,
        Down,
    }

    #[test]
    fn mistakes_name_the_parameter() {
        let right: Wanted = read("mostRows=3&name=a%20b&order=down").unwrap();
        assert_eq!((right.most_rows, right.name.as_str()), (Some(3), "a b"));
        assert_eq!(right.order, Order::Down);
        for (text, said) in [
            ("name=x&mostRows=-1", "The parameter mostRows cannot be \"-1\""),
            ("name=x&mostRows=", "The parameter mostRows cannot be \"\""),
            ("name=x&order=sideways", "The parameter order cannot be \"sideways\""),
            ("order=up", "The parameters are wrong: missing field `name`"),
            ("name=x&name=y", "The parameters are wrong: duplicate field `name`"),
        ] {
            assert_eq!(read::<Wanted>(text).unwrap_err().to_string(), said, "{text}");
        }
        let unknown = read::<Wanted>("name=x&nmae=y").unwrap_err().to_string();
        assert!(unknown.contains("nmae"), "{unknown}");
    }
}
