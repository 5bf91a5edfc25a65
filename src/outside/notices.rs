//! Notices about people's room on their way out: as e-mail to whoever has an address, and to a
//! webhook. Off until an administrator turns it on, and only through the one way out. What does
//! not get through is tried again, later and later, for some days.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use lettre::{
    Message,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        extension::ClientId,
    },
};
use serde_json::json;

use super::{Shared, back_off};
use crate::{
    Error, Result,
    accounts::{Feature, Unsent},
    clock::iso,
    config::{Mail, MailSecurity, Webhook},
    egress::{Limits, Wanted, header::HeaderName},
};

/// How often is looked for what is to be sent.
const EVERY: Duration = Duration::from_secs(20);
/// A mail server answers within this.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first and the longest wait after a failure, ms.
const FIRST: i64 = 60_000;
const LONGEST: i64 = 6 * 3600 * 1000;
/// Then it is given up; the panel has it all the same.
const MOST_TRIES: i64 = 20;
/// Signs what is posted: hex of BLAKE3 keyed by the secret's hash, over the body.
const SIGNATURE: &str = "x-tunelocker-signature";

/// The sending. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Notices(pub(super) Arc<Shared>);

impl Notices {
    /// Sends what there is, until dropped.
    pub(super) async fn keep_sending(&self) {
        let mut every = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                _ = every.tick() => (),
                () = self.0.notices.notified() => (),
            }
            if let Err(error) = self.send_all().await {
                tracing::warn!("notices could not be sent: {error:?}");
            }
        }
    }

    async fn send_all(&self) -> Result<()> {
        let settings = &self.0.settings.notices;
        let is_on = self.0.is_on(Feature::Notices).await?;
        if !is_on || (settings.mail.is_none() && settings.webhook.is_none()) {
            return Ok(());
        }
        let accounts = &self.0.of.accounts;
        let (mails, posts) = (settings.mail.is_some(), settings.webhook.is_some());
        for notice in accounts.unsent_notices(mails, posts).await? {
            let mut failed = None;
            let mut mailed = notice.is_mailed;
            if let Some(mail) = settings.mail.as_ref().filter(|_| !mailed && has_address(&notice)) {
                match self.mail(mail, &notice).await {
                    Ok(()) => mailed = true,
                    Err(error) => failed = Some(error),
                }
            }
            let mut posted = notice.is_posted;
            if let Some(webhook) = settings.webhook.as_ref().filter(|_| !posted) {
                match self.post(webhook, &notice).await {
                    Ok(()) => posted = true,
                    Err(error) => failed = Some(error),
                }
            }
            let try_at = failed.map(|error| {
                tracing::warn!(user = notice.user, "a notice could not be sent: {error}");
                if MOST_TRIES <= notice.tries + 1 {
                    i64::MAX
                } else {
                    self.0.now() + back_off(notice.tries + 1, FIRST, LONGEST)
                }
            });
            accounts.notice_sent(notice.id, (mailed, posted), try_at).await?;
        }
        Ok(())
    }

    async fn post(&self, webhook: &Webhook, notice: &Unsent) -> Result<()> {
        let body = json!({
            "id": notice.id, "user": notice.user, "email": notice.email, "key": notice.key,
            "text": notice.text, "at": iso(notice.at),
        });
        let body = Bytes::from(body.to_string());
        let mut wanted =
            Wanted::post(&webhook.url, Limits::SERVICE, "application/json", body.clone());
        if let Some(secret) = &webhook.secret {
            let key = blake3::derive_key("tunelocker 2026 webhook of notices", secret.as_bytes());
            let signature = blake3::keyed_hash(&key, &body).to_hex().to_string();
            wanted = wanted.with(HeaderName::from_static(SIGNATURE), signature);
        }
        let answer = self.0.of.egress.ask(wanted).await?;
        if answer.is_success() {
            return Ok(());
        }
        Err(Error::Unavailable(format!("The webhook answers {}", answer.status())))
    }

    async fn mail(&self, mail: &Mail, notice: &Unsent) -> Result<()> {
        let message = message(mail, notice)?;
        let address = self.0.of.egress.resolve(&mail.server, mail.port).await?;
        let sending = send(mail, address, &message);
        let sent = tokio::time::timeout(PATIENCE, sending).await;
        let slow = |_| Error::Unavailable("The mail server answers too slowly".to_owned());
        sent.map_err(slow)?.map_err(|error| {
            Error::Unavailable(format!("The mail server does not take it: {error}"))
        })
    }
}

fn has_address(notice: &Unsent) -> bool {
    !notice.email.is_empty()
}

/// The e-mail of a notice.
fn message(mail: &Mail, notice: &Unsent) -> Result<Message> {
    let wrong = |error: lettre::address::AddressError| {
        Error::Invalid(format!("That is not an e-mail address: {error}"))
    };
    let from: Mailbox = mail.from.parse().map_err(wrong)?;
    let name = Some(notice.display_name.clone()).filter(|name| !name.is_empty());
    let to = Mailbox::new(name, notice.email.parse().map_err(wrong)?);
    let domain = from.email.domain().to_owned();
    Message::builder()
        .from(from)
        .to(to)
        .subject("About the room in your locker")
        // The same notice has the same id, however often it is sent.
        .message_id(Some(format!("<notice-{}-{}@{domain}>", notice.id, notice.at)))
        .header(ContentType::TEXT_PLAIN)
        .body(format!("{}\n", notice.text))
        .map_err(|error| Error::Invalid(format!("The e-mail cannot be written: {error}")))
}

/// To exactly this address; the name is what its certificate must bear.
async fn send(
    mail: &Mail,
    address: std::net::SocketAddr,
    message: &Message,
) -> Result<(), lettre::transport::smtp::Error> {
    let hello = ClientId::default();
    let tls = || TlsParameters::new_rustls(mail.server.clone());
    let at_once = match mail.security {
        MailSecurity::Tls => Some(tls()?),
        MailSecurity::StartTls | MailSecurity::None => None,
    };
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(address, Some(PATIENCE), &hello, at_once, None).await?;
    if mail.security == MailSecurity::StartTls {
        connection.starttls(tls()?, &hello).await?;
    }
    if let Some((user, password)) = &mail.login {
        let credentials = Credentials::new(user.clone(), password.clone());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
    }
    connection.send(message.envelope(), &message.formatted()).await?;
    connection.quit().await.map(drop)
}
