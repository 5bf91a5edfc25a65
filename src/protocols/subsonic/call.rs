//! One call: who asks, for what, in which form, and the services that can answer. Reads the
//! common parameters (`u p t s apiKey v c f`) in the order of the specification: what is missing
//! (10), version (20, 30), who it is (40 to 44).

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Serialize;

use super::{
    failure::{Code, Failure},
    format::Format,
    images::Images,
    long::{self, Long, Spell},
    params::Params,
    reply::{self, Spelling},
    responses::{Song, Songs},
    xml::Dialect,
};
use crate::{
    accounts::{Accounts, Credentials, Origin, Principal, Scope},
    catalog::{Catalog, Shares, Track},
    clock::Clock,
    config::{LoginPassword, Subsonic},
    error::AuthFailure,
    http::address,
    ingest::Ingest,
    outside::Outside,
    playback::{Jukebox, Network, Playback, Unasked},
};

/// What a method gives back.
pub(super) type Answer = Result<HttpResponse, Failure>;

/// The services behind this face.
#[derive(Debug, Clone)]
pub struct Services {
    /// Who may do what.
    pub accounts: Accounts,
    /// What there is to hear.
    pub catalog: Catalog,
    /// What is shown to people without an account.
    pub shares: Shares,
    /// How music gets in.
    pub ingest: Ingest,
    /// How music gets out.
    pub playback: Playback,
    /// The speakers of the house.
    pub jukebox: Jukebox,
    /// What the internet brings.
    pub outside: Outside,
    /// What time it is.
    pub clock: Clock,
}

/// One request of somebody known.
pub(super) struct Call {
    /// As it came, for ranges and validators.
    pub(super) request: HttpRequest,
    /// For whom everything is read.
    pub(super) principal: Principal,
    /// The app's own name.
    pub(super) client: Arc<str>,
    /// What it sent.
    pub(super) params: Params,
    /// A body of JSON; empty without one.
    pub(super) json: Vec<u8>,
    services: Data<Services>,
    format: Format,
    dialect: Dialect,
    unasked: Unasked,
}

impl Call {
    /// Finds out who asks.
    pub(super) async fn open(
        request: &HttpRequest,
        services: &Data<Services>,
        params: Params,
        format: Format,
    ) -> Result<Self, Failure> {
        let credentials = credentials(&params)?;
        let client: Arc<str> = params.required("c")?.chars().take(100).collect::<String>().into();
        check_version(params.get("v"))?;
        let from = Origin { address: address(request), client: client.to_string() };
        let principal = services.accounts.authenticate(credentials, &from).await?;
        // Apps reach full rights by the login password alone.
        let refuses = |of: &Data<Subsonic>| of.login_password == LoginPassword::Refuse;
        if principal.scope == Scope::Full && request.app_data().is_some_and(refuses) {
            return Err(AuthFailure::MechanismUnsupported.into());
        }
        let dialect = dialect(request, &params);
        let (request, services) = (request.clone(), services.clone());
        let network = Network::of(address(&request));
        let unasked = services.playback.unasked(&principal, &client, network).await?;
        let json = Vec::new();
        Ok(Self { request, principal, client, params, json, services, format, dialect, unasked })
    }

    /// What there is to hear.
    pub(super) fn catalog(&self) -> &Catalog {
        &self.services.catalog
    }

    /// What is shown to people without an account.
    pub(super) fn shares(&self) -> &Shares {
        &self.services.shares
    }

    /// Who may do what.
    pub(super) fn accounts(&self) -> &Accounts {
        &self.services.accounts
    }

    /// How music gets in.
    pub(super) fn ingest(&self) -> &Ingest {
        &self.services.ingest
    }

    /// How music gets out.
    pub(super) fn playback(&self) -> &Playback {
        &self.services.playback
    }

    /// Where the caller is.
    pub(super) fn network(&self) -> Network {
        Network::of(address(&self.request))
    }

    /// The speakers of the house.
    pub(super) fn jukebox(&self) -> &Jukebox {
        &self.services.jukebox
    }

    /// What the internet brings.
    pub(super) fn outside(&self) -> &Outside {
        &self.services.outside
    }

    /// Milliseconds since the epoch.
    pub(super) fn now(&self) -> i64 {
        self.services.clock.now()
    }

    /// What a stream gives this caller where he asks for nothing.
    pub(super) fn unasked(&self) -> &Unasked {
        &self.unasked
    }

    /// A song, as this caller is shown it.
    pub(super) fn song<'a>(&'a self, track: &'a Track) -> Song<'a> {
        Song::of(track, &self.unasked)
    }

    /// A list of songs, likewise.
    pub(super) fn songs<'a>(&'a self, tracks: &'a [Track]) -> Songs<'a> {
        Songs::of(tracks, &self.unasked)
    }

    /// It is done; there is nothing to tell.
    #[expect(clippy::unnecessary_wraps, reason = "what every method ends with")]
    pub(super) fn done(&self) -> Answer {
        Ok(reply::empty(self.spelling()))
    }

    /// The answer under its name.
    pub(super) fn reply<T: Serialize + ?Sized>(&self, name: &'static str, value: &T) -> Answer {
        reply::payload(self.spelling(), name, value)
    }

    /// A page of a list, with the length of the whole in a header.
    pub(super) fn page<T: Serialize + ?Sized>(
        &self,
        name: &'static str,
        value: &T,
        total: u64,
    ) -> Answer {
        Ok(reply::with_total(self.reply(name, value)?, total))
    }

    /// An answer in portions: `spell` makes each from its ids when its turn comes.
    pub(super) async fn long<Id: Copy + PartialEq + 'static>(
        &self,
        long: Long<Id>,
        total: u64,
        spell: Spell<Id>,
    ) -> Answer {
        Ok(reply::with_total(long::send(self.spelling(), long, spell).await?, total))
    }

    /// How the answer is spelled, for who spells portions of it.
    pub(super) fn form(&self) -> (Format, Dialect) {
        (self.format.clone(), self.dialect)
    }

    /// Where this answer's pictures are, for whoever has no credentials.
    pub(super) fn images(&self) -> Images {
        Images::of(&self.request, &self.services.accounts, &self.principal)
    }

    fn spelling(&self) -> Spelling<'_> {
        Spelling { format: &self.format, dialect: self.dialect }
    }
}

/// Which XML this app can read. DSub takes every nested artist for a listed one (C1).
pub(super) fn dialect(request: &HttpRequest, params: &Params) -> Dialect {
    let choices = request.app_data::<Data<Subsonic>>();
    let is_old = params.get("c").is_some_and(|client| {
        choices.is_some_and(|of| of.legacy_xml.iter().any(|old| old.eq_ignore_ascii_case(client)))
    });
    if is_old { Dialect::Legacy } else { Dialect::Full }
}

pub(super) fn credentials(params: &Params) -> Result<Credentials, Failure> {
    if let Some(key) = params.get("apiKey") {
        if ["u", "p", "t", "s"].iter().any(|name| params.text(name).is_some()) {
            return Err(crate::error::AuthFailure::Conflicting.into());
        }
        return Ok(Credentials::ApiKey(key.to_owned()));
    }
    let user = params.required("u")?.to_owned();
    match (params.get("p"), params.get("t"), params.get("s")) {
        (Some(_), Some(_), _) => Err(Failure::new(
            Code::ConflictingMechanisms,
            "Sign in either with p, or with t and s, not both",
        )),
        (Some(password), None, _) => {
            Ok(Credentials::Password { user, password: clear_text(password) })
        }
        (None, Some(token), Some(salt)) => Ok(Credentials::Token {
            user,
            token: token.to_ascii_lowercase(),
            salt: salt.to_owned(),
        }),
        (None, Some(_), None) => Err(Failure::missing("s")),
        (None, None, Some(_)) => Err(Failure::missing("t")),
        (None, None, None) => Err(Failure::missing("p, or t and s,")),
    }
}

/// A password as sent: plain, or `enc:` with the hex of its bytes. What does not decode is plain.
pub(super) fn clear_text(password: &str) -> String {
    password
        .strip_prefix("enc:")
        .and_then(|digits| hex::decode(digits).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| password.to_owned())
}

/// Only the major number has to be ours. Missing and unreadable versions are let through: apps
/// that send them work.
fn check_version(version: Option<&str>) -> Result<(), Failure> {
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    match major {
        Some(0) => Err(Failure::version(Code::ClientTooOld)),
        Some(2..) => Err(Failure::version(Code::ServerTooOld)),
        Some(1) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: Result<&str, u32>) {
        let found = credentials(&Params::read(query, ""));
        let found =
            found.map_err(|failure| failure.code as u32).map(|credentials| match credentials {
                Credentials::Password { user, password } => format!("{user}/{password}"),
                Credentials::Token { user, token, salt } => format!("{user}/{token}+{salt}"),
                Credentials::ApiKey(key) => format!("key {key}"),
                Credentials::Session(_) => unreachable!("no cookies here"),
            });
        assert_eq!(found.as_deref().map_err(|code| *code), expected, "{query}");
    }

    #[test]
    fn credentials_are_told_apart() {
        check("u=ann&p=sesame", Ok("ann/sesame"));
        check("u=ann&p=enc:736573616d65", Ok("ann/sesame"));
        check("u=ann&p=enc:736573616D65", Ok("ann/sesame"));
        check("u=ann&p=enc:nothex", Ok("ann/enc:nothex"));
        check("u=ann&p=enc%3A73c3a9", Ok("ann/sé"));
        check("u=ann&t=AB12&s=salt", Ok("ann/ab12+salt"));
        check("u=ann&t=ab12&s=salt&p=", Ok("ann/ab12+salt"));
        check("apiKey=abc", Ok("key abc"));
        check("apiKey=abc&u=ann", Err(43));
        check("apiKey=abc&t=1&s=2", Err(43));
        check("u=ann&p=x&t=1&s=2", Err(43));
        check("p=sesame", Err(10));
        check("u=ann", Err(10));
        check("u=ann&p=", Err(10));
        check("u=ann&t=ab12", Err(10));
        check("u=ann&s=salt", Err(10));
        check("apiKey=&u=ann&p=x", Ok("ann/x"));
    }

    #[test]
    fn only_the_major_version_matters() {
        for good in [None, Some("1.16.1"), Some("1.2.0"), Some("1.99.0"), Some("1"), Some("x.y")] {
            assert!(check_version(good).is_ok(), "{good:?}");
        }
        assert_eq!(check_version(Some("0.9.0")).unwrap_err().code, Code::ClientTooOld);
        assert_eq!(check_version(Some("2.0.0")).unwrap_err().code, Code::ServerTooOld);
    }
}
