//! Listens passed on to Last.fm and ListenBrainz. The history in the catalogue is the outbox: each
//! account remembers how far it was sent, so nothing is lost in a crash and nothing is kept twice.
//! What a service gets twice after a crash, it tells apart by track and time itself.

mod lastfm;
mod listenbrainz;
mod send;

use std::sync::Arc;

use serde_json::json;

use super::{Shared, lastfm::Trouble};
use crate::{
    Error, Result,
    accounts::{Feature, LastFmKeys, Principal},
    clock::Millis,
};

/// The forwarding. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Scrobbling(pub(super) Arc<Shared>);

/// Where listens go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// last.fm
    LastFm,
    /// listenbrainz.org
    ListenBrainz,
}

impl Service {
    /// Both.
    pub const ALL: [Self; 2] = [Self::LastFm, Self::ListenBrainz];

    /// As rows and addresses write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LastFm => "lastfm",
            Self::ListenBrainz => "listenbrainz",
        }
    }

    /// By that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

/// A user's account at a service.
#[derive(Debug, Clone)]
pub struct Forwarding {
    /// Which.
    pub service: Service,
    /// The user's name there.
    pub name: String,
    /// What is starred here is loved there.
    pub sends_stars: bool,
    /// Why nothing goes through now, as a sentence.
    pub error: String,
    /// The service refuses the credential: connect again.
    pub is_broken: bool,
    /// Listens that went through.
    pub sent: u64,
    /// The last of them.
    pub sent_at: Option<Millis>,
    /// Listens that the service did not want.
    pub refused: u64,
    /// Listens that wait.
    pub waiting: u64,
}

/// A sign-in at Last.fm that the user has to agree to there.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The page to agree on.
    pub url: String,
    /// Brings the session when it was agreed to.
    pub token: String,
}

/// What is told of a listen.
#[derive(Debug, Clone, Default)]
struct Told {
    at: Millis,
    title: String,
    artist: String,
    album: String,
    album_artist: String,
    number: Option<i64>,
    duration_ms: i64,
    mbid: Option<String>,
    release_mbid: Option<String>,
}

impl Scrobbling {
    /// The principal's accounts.
    pub async fn accounts(&self, principal: &Principal) -> Result<Vec<Forwarding>> {
        let rows = sqlx::query!(
            r#"select service, name, sends_stars, error, is_broken, sent, sent_at, refused,
                      (select count(*) from listen l where l.user_id = a.user_id and l.listen_id > a.listen_id and l.source <> 'import')
                          as "waiting!: i64"
               from scrobble_account a where user_id = ? order by service"#,
            principal.user
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        let count = |number: i64| number.max(0) as u64;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                Some(Forwarding {
                    service: Service::named(&row.service)?,
                    name: row.name,
                    sends_stars: row.sends_stars != 0,
                    error: row.error,
                    is_broken: row.is_broken != 0,
                    sent: count(row.sent),
                    sent_at: row.sent_at,
                    refused: count(row.refused),
                    waiting: count(row.waiting),
                })
            })
            .collect())
    }

    /// Whether Last.fm can be connected to: an administrator gave its keys.
    pub async fn has_lastfm(&self) -> Result<bool> {
        Ok(self.0.of.accounts.lastfm_keys().await?.is_some())
    }

    /// Begins a sign-in at Last.fm.
    pub async fn begin_lastfm(&self, principal: &Principal) -> Result<SignIn> {
        let keys = self.require_lastfm(principal).await?;
        let body = self.0.lastfm_signed(&keys, "auth.getToken", Vec::new()).await;
        let token = body.map_err(answer)?["token"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            return Err(Error::Unavailable("Last.fm gave no token".to_owned()));
        }
        let fields = vec![("api_key".to_owned(), keys.key), ("token".to_owned(), token.clone())];
        let page = &self.0.settings.places.lastfm_sign_in;
        Ok(SignIn { url: format!("{page}?{}", super::lastfm::encode(&fields)), token })
    }

    /// Ends it, after the user agreed on Last.fm's page.
    pub async fn finish_lastfm(&self, principal: &Principal, token: &str) -> Result<()> {
        let keys = self.require_lastfm(principal).await?;
        let fields = vec![("token".to_owned(), token.to_owned())];
        let body =
            self.0.lastfm_signed(&keys, "auth.getSession", fields).await.map_err(|trouble| {
                match trouble {
                    Trouble::Credential(_) => Error::Conflict(
                        "Last.fm was not told yet that you agree; do so on its page first"
                            .to_owned(),
                    ),
                    other => answer(other),
                }
            })?;
        let session = &body["session"];
        let (Some(name), Some(key)) = (session["name"].as_str(), session["key"].as_str()) else {
            return Err(Error::Unavailable("Last.fm gave no session".to_owned()));
        };
        self.connect(principal, Service::LastFm, name, key).await
    }

    /// Connects ListenBrainz by the token of the user's page there.
    pub async fn connect_listenbrainz(&self, principal: &Principal, token: &str) -> Result<()> {
        self.require(principal).await?;
        let token = token.trim();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if token.is_empty() || 100 < token.len() || !token.chars().all(is_plain) {
            return Err(Error::Invalid("That is no ListenBrainz token".to_owned()));
        }
        let name = self.0.listenbrainz_name(token).await.map_err(|trouble| match trouble {
            Trouble::Credential(_) => {
                Error::Invalid("ListenBrainz does not know this token".to_owned())
            }
            other => answer(other),
        })?;
        self.connect(principal, Service::ListenBrainz, &name, token).await
    }

    /// Whether stars are passed on too.
    pub async fn set_sends_stars(
        &self,
        principal: &Principal,
        service: Service,
        sends: bool,
    ) -> Result<()> {
        let (name, sends) = (service.name(), i64::from(sends));
        let mut tx = self.0.of.db.write().await?;
        let found = sqlx::query!(
            "update scrobble_account set sends_stars = ?3 where user_id = ?1 and service = ?2",
            principal.user,
            name,
            sends
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        self.0.listens.notify_one();
        if found == 0 { Err(Error::NotFound("Account")) } else { Ok(()) }
    }

    /// Forgets an account and its credential.
    pub async fn disconnect(&self, principal: &Principal, service: Service) -> Result<()> {
        let name = service.name();
        let mut tx = self.0.of.db.write().await?;
        let found = sqlx::query!(
            "delete from scrobble_account where user_id = ? and service = ?",
            principal.user,
            name
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        if found == 0 { Err(Error::NotFound("Account")) } else { Ok(()) }
    }

    /// Says that there may be listens to pass on; they are looked for now and then anyway.
    pub fn wake(&self) {
        self.0.listens.notify_one();
    }

    /// Keeps the credential. What was heard before is not sent; an account that was connected
    /// before goes on where it stopped.
    async fn connect(
        &self,
        principal: &Principal,
        service: Service,
        name: &str,
        secret: &str,
    ) -> Result<()> {
        let sealed = self.0.of.accounts.seal(principal.user, secret)?;
        let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
        let (now, service) = (self.0.now(), service.name());
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "insert into scrobble_account (user_id, service, name, sealed, listen_id, created_at)
             values (?1, ?2, ?3, ?4, (select coalesce(max(listen_id), 0) from listen), ?5)
             on conflict do update set name = ?3, sealed = ?4, failures = 0, next_try_at = 0, error = '', is_broken = 0",
            principal.user,
            service,
            shown,
            sealed,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.0.listens.notify_one();
        Ok(())
    }

    async fn require(&self, principal: &Principal) -> Result<()> {
        self.0.require(Feature::Scrobbling).await?;
        if principal.is_person() {
            Ok(())
        } else {
            Err(Error::Forbidden("A device without a user has no history".to_owned()))
        }
    }

    async fn require_lastfm(&self, principal: &Principal) -> Result<LastFmKeys> {
        self.require(principal).await?;
        let keys = self.0.of.accounts.lastfm_keys().await?;
        keys.ok_or_else(|| {
            Error::Unavailable("An administrator has to enter Last.fm's API key first".to_owned())
        })
    }
}

impl Shared {
    async fn listenbrainz_name(&self, token: &str) -> Result<String, Trouble> {
        let body = self.listenbrainz_get("/1/validate-token", token).await?;
        match (body["valid"].as_bool(), body["user_name"].as_str()) {
            (Some(true), Some(name)) => Ok(name.to_owned()),
            _ => Err(Trouble::Credential(json!(body["message"]).to_string())),
        }
    }
}

/// A web service's trouble as an answer to the user who waits.
fn answer(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Later(sentence) => Error::Unavailable(sentence),
        Trouble::Credential(sentence) | Trouble::Refused(sentence) => Error::Invalid(sentence),
    }
}
