//! The one way out to the internet. A name is resolved, every address it has is judged, and the
//! connection goes to exactly such an address; each redirect is judged anew. Bodies, times and
//! ports are bounded, nothing is decompressed, and no proxy variable is obeyed. Whoever fetches
//! anything does it here, so that there is no second door (SEC-30).

mod address;
mod answer;
mod gate;

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{HeaderName, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use address::Allowed;
pub use answer::Answer;
pub use hyper::header;

use self::gate::{Gate, Refused, Resolver};
use crate::Error;

const USER_AGENT: &str = concat!("Tunelocker/", env!("CARGO_PKG_VERSION"), " (self-hosted)");

/// Hops before we give up.
const REDIRECTS: usize = 3;

/// What an operator may open beyond the public internet.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Addresses that are reached although they are not public: a feed server in the house.
    pub allow: Vec<Allowed>,
    /// Ports beside 80 and 443.
    pub ports: Vec<u16>,
}

/// Bounds of one answer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes of the body.
    pub bytes: u64,
    /// For everything, redirects included.
    pub total: Duration,
    /// Without a single byte.
    pub idle: Duration,
}

impl Limits {
    /// A feed.
    pub const FEED: Self =
        Self { bytes: 2 << 20, total: Duration::from_secs(30), idle: Duration::from_secs(10) };
    /// A picture.
    pub const PICTURE: Self = Self { bytes: 10 << 20, ..Self::FEED };
    /// A reply of a web service.
    pub const SERVICE: Self = Self { bytes: 1 << 20, ..Self::FEED };
    /// An episode.
    pub const MEDIA: Self =
        Self { bytes: 4 << 30, total: Duration::from_hours(6), idle: Duration::from_secs(60) };
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// `http` or `https`.
    pub url: &'a str,
    /// Bounds.
    pub limits: Limits,
    /// Beside those that every request has.
    pub headers: Vec<(HeaderName, String)>,
    /// Makes it a POST: media type and bytes.
    pub body: Option<(&'static str, Bytes)>,
}

impl<'a> Wanted<'a> {
    /// Gets a URL.
    #[must_use]
    pub fn get(url: &'a str, limits: Limits) -> Self {
        Self { url, limits, headers: Vec::new(), body: None }
    }

    /// Posts a body to a URL.
    #[must_use]
    pub fn post(url: &'a str, limits: Limits, media_type: &'static str, body: Bytes) -> Self {
        Self { body: Some((media_type, body)), ..Self::get(url, limits) }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Why nothing was got. Texts are sentences for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a URL that we follow.
    #[error("{0}")]
    Url(String),
    /// An address that we do not connect to.
    #[error("{0} is not on the public internet, so it is not asked")]
    Address(String),
    /// Hop after hop.
    #[error("It redirects too often")]
    Redirects,
    /// The body is longer than it may be, in bytes.
    #[error("The answer is larger than {0} bytes")]
    TooLarge(u64),
    /// Time is over.
    #[error("It answers too slowly")]
    TooSlow,
    /// Packed, although we asked for it as it is.
    #[error("The answer is compressed, which was not asked for")]
    Compressed,
    /// No connection, or a broken one.
    #[error("It cannot be reached: {0}")]
    Unreachable(String),
}

impl Fault {
    /// Whether trying again later may help.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::TooSlow | Self::Unreachable(_))
    }

    /// As the failure of a fetch that somebody asked for: we do not go there, or nothing comes.
    #[must_use]
    pub fn of_source(self) -> Error {
        match self {
            Self::Url(_) | Self::Address(_) => Error::SourceForbidden(self.to_string()),
            _ => Error::SourceUnreachable(self.to_string()),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        if fault.may_pass() {
            Self::Unavailable(fault.to_string())
        } else {
            Self::Invalid(fault.to_string())
        }
    }
}

type Connector = HttpsConnector<HttpConnector<Resolver>>;

/// The client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Egress {
    client: Client<Connector, Full<Bytes>>,
    gate: Arc<Gate>,
}

impl Egress {
    /// With what the operator opened. Nothing is connected yet.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        Self::over(Gate::new(settings))
    }

    fn over(gate: Gate) -> anyhow::Result<Self> {
        let gate = Arc::new(gate);
        let mut connector = HttpConnector::new_with_resolver(Resolver(Arc::clone(&gate)));
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(2)
            .build(connector);
        Ok(Self { client, gate })
    }

    /// Whether a URL has a form that could be asked; its name is not resolved yet.
    pub fn check(&self, url: &str) -> Result<Url, Fault> {
        self.gate.check(url)
    }

    /// An address of a host, judged as all are: for a mail server, which does not speak HTTP.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<std::net::SocketAddr, Fault> {
        self.gate.address_of(host, port).await
    }

    /// Asks, and follows up to three redirects. Any status is an answer.
    pub async fn ask(&self, wanted: Wanted<'_>) -> Result<Answer, Fault> {
        let limits = wanted.limits;
        let deadline = Instant::now() + limits.total;
        let mut url = self.gate.check(wanted.url)?;
        for _ in 0..=REDIRECTS {
            timeout_at(deadline, self.gate.judge(&url)).await.map_err(|_| Fault::TooSlow)??;
            let request = request(&wanted, &url)?;
            let response = timeout_at(deadline, self.client.request(request))
                .await
                .map_err(|_| Fault::TooSlow)?
                .map_err(|error| fault(&error))?;
            let next = response.headers().get(header::LOCATION).cloned();
            match next.filter(|_| matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308))
            {
                // A body is never sent to a second address.
                Some(next) if wanted.body.is_none() => {
                    let next = next.to_str().ok().and_then(|next| url.join(next).ok());
                    let next = next.ok_or_else(|| Fault::Url("It redirects to nowhere".into()))?;
                    url = self.gate.check(next.as_str())?;
                }
                _ => return Answer::new(response, url, limits, deadline),
            }
        }
        Err(Fault::Redirects)
    }
}

/// One hop's request.
fn request(wanted: &Wanted<'_>, url: &Url) -> Result<Request<Full<Bytes>>, Fault> {
    let method = if wanted.body.is_some() { Method::POST } else { Method::GET };
    let mut plain = url.clone();
    // Name and password of a private feed go into the header where they belong.
    let _ = plain.set_username("").and_then(|()| plain.set_password(None));
    plain.set_fragment(None);
    let mut request = Request::builder()
        .method(method)
        .uri(plain.as_str())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT_ENCODING, "identity");
    if !url.username().is_empty() {
        let decode = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        let password = url.password().unwrap_or_default();
        let pair = format!("{}:{}", decode(url.username()), decode(password));
        request = request.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
    }
    // What was meant for the first host is not told to another one.
    let is_first = Url::parse(wanted.url).is_ok_and(|first| first.origin() == url.origin());
    for (name, value) in &wanted.headers {
        if let Ok(value) = HeaderValue::from_str(value)
            && (is_first || *name != header::AUTHORIZATION)
        {
            request = request.header(name, value);
        }
    }
    let body = match &wanted.body {
        Some((media_type, body)) => {
            request = request.header(header::CONTENT_TYPE, *media_type);
            Full::new(body.clone())
        }
        None => Full::default(),
    };
    request.body(body).map_err(|_| Fault::Url("That is not a web address".to_owned()))
}

/// What the system trusts, and what browsers do, where the system has no list of its own.
pub(crate) fn tls() -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Ok(ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Finds our own refusal below the client's words.
fn fault(error: &(dyn std::error::Error + 'static)) -> Fault {
    let mut cause = Some(error);
    let mut last = String::new();
    while let Some(each) = cause {
        if let Some(refused) = each.downcast_ref::<Refused>() {
            return Fault::Address(refused.0.clone());
        }
        last = each.to_string();
        cause = each.source();
    }
    Fault::Unreachable(last)
}

#[cfg(test)]
mod tests;
