//! Who may ask at all: requests for another host (DNS rebinding) and requests that another site
//! sent with our cookie (forgery) end here.

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap},
    middleware::Next,
    web::Data,
};
use subtle::ConstantTimeEq as _;

use super::{Handles, pages::is_secure};
use crate::{Error, Result};

/// Endings that no public name server answers for.
const HOME_ENDINGS: [&str; 4] = [".local", ".lan", ".home.arpa", ".fritz.box"];

/// Answers 421 to a `Host` that is not this server's.
pub(super) async fn own_host<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let public = request
        .app_data::<Data<Handles>>()
        .and_then(|handles| handles.site.public_url.as_deref())
        .and_then(authority);
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| is_own(host, public)) {
        let is_secure = is_secure(request.request());
        let mut answer = next.call(request).await?;
        // Over plain http browsers ignore it and say so in the console of every page.
        if is_secure {
            let name = header::HeaderName::from_static("cross-origin-opener-policy");
            answer.headers_mut().insert(name, header::HeaderValue::from_static("same-origin"));
        }
        return Ok(answer.map_into_left_body());
    }
    let refusal = HttpResponse::MisdirectedRequest().content_type("text/plain; charset=utf-8").body(
        "This server does not go by that name. Set http.public_url to the address that people use.\n",
    );
    Ok(request.into_response(refusal).map_into_right_body())
}

/// `host[:port]` of an address.
pub(super) fn authority(url: &str) -> Option<&str> {
    url.split_once("://")?.1.split('/').next()
}

fn is_own(host: &str, public: Option<&str>) -> bool {
    if public.is_some_and(|public| public.eq_ignore_ascii_case(host)) {
        return true;
    }
    let name = without_port(host).to_ascii_lowercase();
    let name = name.trim_end_matches('.');
    if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address.is_loopback() || own_addresses().contains(&address);
    }
    let public_name = public.map(without_port);
    name == "localhost"
        || public_name.is_some_and(|public| public.eq_ignore_ascii_case(name))
        || HOME_ENDINGS.iter().any(|ending| name.ends_with(ending))
        || host_name().is_some_and(|own| own.eq_ignore_ascii_case(name))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// What the machine calls itself.
pub(super) fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    (!name.is_empty()).then_some(name)
}

/// When addresses were looked up, and what was found.
type Known = (Instant, HashSet<IpAddr>);

/// Addresses of own interfaces, looked up at most every ten seconds.
fn own_addresses() -> HashSet<IpAddr> {
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Some((at, addresses)) if at.elapsed() < Duration::from_secs(10) => addresses.clone(),
        _ => {
            let all = if_addrs::get_if_addrs().unwrap_or_default();
            let addresses: HashSet<IpAddr> = all.iter().map(if_addrs::Interface::ip).collect();
            *known = Some((Instant::now(), addresses.clone()));
            addresses
        }
    }
}

/// Refuses a change that came with a cookie from another site: by `Origin` where the browser sends
/// it, else by the token that only our own pages know.
pub(super) fn same_site(request: &HttpRequest, cookie: &str, token: Option<&str>) -> Result<()> {
    let public = request
        .app_data::<Data<Handles>>()
        .and_then(|handles| handles.site.public_url.as_deref())
        .and_then(authority);
    judge(request.headers(), public, cookie, token)
}

fn judge(
    headers: &HeaderMap,
    public: Option<&str>,
    cookie: &str,
    token: Option<&str>,
) -> Result<()> {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let forged = || Error::Forbidden("This request came from another site".to_owned());
    if text(header::HeaderName::from_static("sec-fetch-site")) == Some("cross-site") {
        return Err(forged());
    }
    // A page without referrer sends "null" with a form: then the token decides.
    if let Some(origin) = text(header::ORIGIN).filter(|origin| *origin != "null") {
        let from = authority(origin);
        let host = text(header::HOST);
        let same = from.is_some() && (from == host || from == public);
        return if same { Ok(()) } else { Err(forged()) };
    }
    let same =
        token.is_some_and(|token| token.as_bytes().ct_eq(csrf_token(cookie).as_bytes()).into());
    if same { Ok(()) } else { Err(forged()) }
}

/// The token that goes with a cookie. Who reads the page can send it; who only makes the browser
/// send the cookie cannot.
pub(super) fn csrf_token(cookie: &str) -> String {
    let hash = blake3::derive_key("tunelocker web csrf token v1", cookie.as_bytes());
    hex::encode(&hash[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for own in [
            "127.0.0.1:4040",
            "[::1]:4040",
            "localhost",
            "nas.local:4040",
            "NAS.lan",
            "box.fritz.box",
            "music.example.org",
            "music.example.org:443",
        ] {
            assert!(is_own(own, Some("music.example.org")), "{own}");
        }
        for other in ["", "evil.example", "8.8.8.8", "8.8.8.8:4040", "local", "xlocal", "lan"] {
            assert!(!is_own(other, Some("music.example.org")), "{other}");
        }
    }

    #[test]
    fn forgeries() {
        let judged = |pairs: &[(&'static str, &'static str)], token: Option<&str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                let name = header::HeaderName::from_static(name);
                headers.insert(name, header::HeaderValue::from_static(value));
            }
            judge(&headers, Some("music.example.org"), "cookie", token).is_ok()
        };
        let token = csrf_token("cookie");
        assert!(judged(&[("host", "nas.local:4040"), ("origin", "http://nas.local:4040")], None));
        assert!(judged(&[("host", "10.0.0.2"), ("origin", "https://music.example.org")], None));
        assert!(!judged(
            &[("host", "nas.local:4040"), ("origin", "http://evil.example")],
            Some(&token)
        ));
        assert!(!judged(&[("host", "nas.local"), ("origin", "http://nas.local:81")], None));
        assert!(judged(&[("host", "nas.local"), ("origin", "null")], Some(&token)));
        assert!(!judged(&[("host", "nas.local"), ("origin", "null")], None));
        assert!(judged(&[("host", "nas.local")], Some(&token)));
        assert!(!judged(&[("host", "nas.local")], Some("0")));
        assert!(!judged(&[("sec-fetch-site", "cross-site"), ("host", "nas.local")], Some(&token)));
    }
}
