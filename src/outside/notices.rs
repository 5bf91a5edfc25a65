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
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        extension::ClientId,
    },
};
use serde_json::json;

use super::{Shared, back_off};
use crate::{
    Error, Result,
    accounts::{Feature, Principal, Unsent},
    clock::{self, iso},
    config::{Mail, MailSecurity, Webhook},
    egress::{Limits, Wanted, header::HeaderName},
};

/// How often is looked for what is to be sent. Seldom: whoever looks brings code and rows back into
/// a memory that rests.
const EVERY: Duration = Duration::from_mins(1);
/// A mail server answers within this.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first and the longest wait after a failure, ms.
const FIRST: i64 = 60_000;
const LONGEST: i64 = 6 * 3600 * 1000;
/// Then it is given up; the panel has it all the same.
const MOST_TRIES: i64 = 20;
/// Signs what is posted: hex of BLAKE3 keyed by the secret's hash, over the body.
const SIGNATURE: &str = "x-tunelocker-signature";

/// A way that notices take beside the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeWay {
    /// As e-mail.
    Mail,
    /// To the webhook.
    Webhook,
}

/// Where notices go.
#[derive(Debug, Clone)]
pub struct NoticeWays {
    /// The mail server.
    pub mail: Option<Mail>,
    /// The configuration says so, and nobody else.
    pub is_mail_fixed: bool,
    /// The webhook.
    pub webhook: Option<Webhook>,
    /// The same of it.
    pub is_webhook_fixed: bool,
}

/// The sending. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Notices(pub(super) Arc<Shared>);

impl Notices {
    /// Sends what there is, until dropped.
    pub(super) async fn keep_sending(&self) {
        loop {
            if let Err(error) = self.send_all().await {
                tracing::warn!("notices could not be sent: {error:?}");
            }
            tokio::select! {
                () = clock::beat(EVERY) => (),
                () = self.0.notices.notified() => (),
            }
        }
    }

    async fn send_all(&self) -> Result<()> {
        if !self.0.is_on(Feature::Notices).await? {
            return Ok(());
        }
        let mut ways = self.ways().await?;
        for by in [NoticeWay::Mail, NoticeWay::Webhook] {
            let Err(error) = self.require_secret(&ways, by).await else { continue };
            tracing::warn!(?by, "notices wait: {error}");
            match by {
                NoticeWay::Mail => ways.mail = None,
                NoticeWay::Webhook => ways.webhook = None,
            }
        }
        let (mails, posts) = (ways.mail.is_some(), ways.webhook.is_some());
        if !mails && !posts {
            return Ok(());
        }
        let accounts = &self.0.of.accounts;
        for notice in accounts.unsent_notices(mails, posts).await? {
            let mut failed = None;
            let mut mailed = notice.is_mailed;
            if let Some(mail) = ways.mail.as_ref().filter(|_| !mailed && has_address(&notice)) {
                match self.mail(mail, &notice).await {
                    Ok(()) => mailed = true,
                    Err(error) => failed = Some(error),
                }
            }
            let mut posted = notice.is_posted;
            if let Some(webhook) = ways.webhook.as_ref().filter(|_| !posted) {
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

    /// Where notices go: what the configuration says, else what an administrator said.
    pub(super) async fn ways(&self) -> Result<NoticeWays> {
        let (fixed, accounts) = (&self.0.settings.notices, &self.0.of.accounts);
        let (is_mail_fixed, is_webhook_fixed) = (fixed.mail.is_some(), fixed.webhook.is_some());
        let mail = if is_mail_fixed { fixed.mail.clone() } else { accounts.mail_way().await? };
        let webhook =
            if is_webhook_fixed { fixed.webhook.clone() } else { accounts.webhook_way().await? };
        Ok(NoticeWays { mail, is_mail_fixed, webhook, is_webhook_fixed })
    }

    /// Fails if the secret that an administrator gave for a way does not open.
    async fn require_secret(&self, ways: &NoticeWays, by: NoticeWay) -> Result<()> {
        let accounts = &self.0.of.accounts;
        match by {
            NoticeWay::Mail if !ways.is_mail_fixed => accounts.require_mail_password().await,
            NoticeWay::Webhook if !ways.is_webhook_fixed => accounts.require_webhook_secret().await,
            NoticeWay::Mail | NoticeWay::Webhook => Ok(()),
        }
    }

    /// Sends a test to the administrator himself by one of the ways, whether notices are on or not.
    pub(super) async fn test(&self, admin: &Principal, by: NoticeWay) -> Result<()> {
        admin.require_admin()?;
        if self.0.settings.forbidden.contains(&Feature::Notices) {
            return Err(Error::Forbidden(
                "The server's configuration keeps notices off".to_owned(),
            ));
        }
        let ways = self.ways().await?;
        self.require_secret(&ways, by).await?;
        let user = self.0.of.accounts.user(admin, &admin.name).await?;
        let notice = Unsent {
            id: 0,
            user: user.name,
            display_name: user.display_name,
            email: user.email,
            key: "test".to_owned(),
            text: "This is a test. Notices about room in lockers come this way.".to_owned(),
            at: self.0.now(),
            is_mailed: false,
            is_posted: false,
            tries: 0,
        };
        let nowhere = || Error::Conflict("Say first where notices go, and save it".to_owned());
        match by {
            NoticeWay::Mail => {
                if notice.email.is_empty() {
                    return Err(Error::Conflict(
                        "Your account has no e-mail address; give it one under People".to_owned(),
                    ));
                }
                self.mail(&ways.mail.ok_or_else(nowhere)?, &notice).await
            }
            NoticeWay::Webhook => self.post(&ways.webhook.ok_or_else(nowhere)?, &notice).await,
        }
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
            // What was wrong with a certificate stands further down.
            let cause = std::error::Error::source(&error);
            let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
            Error::Unavailable(format!("The mail server does not take it: {error}{cause}"))
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
    let tls = || {
        let mut of = TlsParameters::builder(mail.server.clone());
        if let Some(pem) = &mail.certificate {
            for part in pem.split_inclusive("-----END CERTIFICATE-----") {
                if part.contains("BEGIN CERTIFICATE") {
                    of = of.add_root_certificate(Certificate::from_pem(part.as_bytes())?);
                }
            }
        }
        of.build_rustls()
    };
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
