//! The headers of SUBSCRIBE and UNSUBSCRIBE, judged.

use std::{net::IpAddr, time::Duration};

use actix_web::{HttpRequest, http::StatusCode};

use super::callback::{self, Callback};

/// What a SUBSCRIBE asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A new subscription.
    New {
        /// In the order of preference.
        callbacks: Vec<Callback>,
        /// Granted.
        timeout: Duration,
    },
    /// A longer life for a known one.
    Renewal {
        /// Which.
        sid: String,
        /// Granted.
        timeout: Duration,
    },
}

/// Judges a SUBSCRIBE.
pub(super) fn read(request: &HttpRequest, peer: IpAddr) -> Result<Wanted, StatusCode> {
    let timeout = timeout(header(request, "TIMEOUT"));
    match (header(request, "SID"), header(request, "CALLBACK"), header(request, "NT")) {
        (Some(sid), None, None) => Ok(Wanted::Renewal { sid: sid.to_owned(), timeout }),
        (Some(_), ..) => Err(StatusCode::BAD_REQUEST),
        (None, Some(callback), Some("upnp:event")) => {
            let callbacks =
                callback::parse(callback, peer).ok_or(StatusCode::PRECONDITION_FAILED)?;
            Ok(Wanted::New { callbacks, timeout })
        }
        (None, ..) => Err(StatusCode::PRECONDITION_FAILED),
    }
}

/// Judges an UNSUBSCRIBE.
pub(super) fn sid_alone(request: &HttpRequest) -> Result<String, StatusCode> {
    match (header(request, "SID"), header(request, "CALLBACK"), header(request, "NT")) {
        (Some(sid), None, None) => Ok(sid.to_owned()),
        (Some(_), ..) => Err(StatusCode::BAD_REQUEST),
        (None, ..) => Err(StatusCode::PRECONDITION_FAILED),
    }
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or_default().trim())
}

/// As asked, between a minute and half an hour; nobody gets "infinite".
fn timeout(text: Option<&str>) -> Duration {
    let asked = text
        .filter(|text| text.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("Second-")))
        .and_then(|text| text[7..].parse().ok())
        .unwrap_or(1800);
    Duration::from_secs(u64::clamp(asked, 60, 1800))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn judged(headers: &[(&'static str, &'static str)]) -> Result<Wanted, StatusCode> {
        let request = headers
            .iter()
            .fold(TestRequest::default(), |request, header| request.insert_header(*header));
        read(&request.to_http_request(), IpAddr::from([10, 0, 0, 7]))
    }

    #[test]
    fn every_mixture_has_its_answer() {
        let (nt, callback) = (("NT", "upnp:event"), ("CALLBACK", "<http://10.0.0.7:5000/>"));
        let sid = ("SID", "uuid:1");
        assert!(matches!(judged(&[nt, callback]), Ok(Wanted::New { .. })));
        assert!(matches!(judged(&[sid]), Ok(Wanted::Renewal { .. })));
        assert_eq!(judged(&[sid, nt]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(judged(&[sid, callback]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(judged(&[callback]), Err(StatusCode::PRECONDITION_FAILED));
        assert_eq!(judged(&[nt]), Err(StatusCode::PRECONDITION_FAILED));
        assert_eq!(judged(&[]), Err(StatusCode::PRECONDITION_FAILED));
        let strange = ("CALLBACK", "<http://10.0.0.8:5000/>");
        assert_eq!(judged(&[nt, strange]), Err(StatusCode::PRECONDITION_FAILED));
    }

    #[test]
    fn timeouts_are_clamped() {
        for (text, seconds) in [
            (None, 1800),
            (Some("Second-300"), 300),
            (Some("second-300"), 300),
            (Some("Second-1"), 60),
            (Some("Second-999999"), 1800),
            (Some("Second-infinite"), 1800),
            (Some("infinite"), 1800),
            (Some("Second--1"), 1800),
        ] {
            assert_eq!(timeout(text), Duration::from_secs(seconds), "{text:?}");
        }
    }
}
