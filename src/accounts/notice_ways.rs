//! Where notices go beside the panel: a mail server and a webhook, as an administrator says in the
//! panel. Secrets are closed under the server's key. What the configuration says goes first; that
//! is for whoever asks here to see to.

use serde::{Deserialize, Serialize};

use super::{Accounts, Principal};
use crate::{
    Error, Result,
    config::{Mail, MailSecurity, Webhook},
    ids::UserId,
};

const MAIL: &str = "notices.mail";
const PASSWORD: &str = "notices.mail.password";
const WEBHOOK: &str = "notices.webhook";
const SIGNING: &str = "notices.webhook.secret";
/// A chain of certificates is some kilobytes.
const LONGEST_CERTIFICATE: usize = 64 * 1024;

/// A mail server as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailWay {
    /// Its name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: MailSecurity,
    /// Who signs in there; empty for nobody.
    #[serde(default)]
    pub user: String,
    /// `Tunelocker <music@example.org>`
    pub from: String,
    /// Certificates (PEM) that are trusted besides the public ones; empty for none.
    #[serde(default)]
    pub certificate: String,
}

impl Accounts {
    /// The mail server that an administrator named here.
    pub async fn mail_way(&self) -> Result<Option<Mail>> {
        let Some(text) = self.setting(MAIL).await? else { return Ok(None) };
        let Ok(way) = serde_json::from_str::<MailWay>(&text) else { return Ok(None) };
        let password = self.read_secret(PASSWORD).await?.unwrap_or_default();
        Ok(Some(Mail {
            server: way.server,
            port: way.port,
            security: way.security,
            login: (!way.user.is_empty()).then_some((way.user, password)),
            from: way.from,
            certificate: Some(way.certificate).filter(|text| !text.is_empty()),
        }))
    }

    /// Names it, or forgets it. Without a password the one that is known stays. Administrators
    /// only.
    pub async fn set_mail_way(
        &self,
        admin: &Principal,
        way: Option<&MailWay>,
        password: Option<&str>,
    ) -> Result<()> {
        admin.require_admin()?;
        let text = way.map(check_mail).transpose()?;
        let text = text.map(|way| serde_json::to_string(&way)).transpose()?;
        let forgets = way.is_none_or(|way| way.user.trim().is_empty());
        self.keep(MAIL, text.as_deref(), PASSWORD, password.filter(|_| !forgets), forgets).await
    }

    /// The webhook that an administrator named here.
    pub async fn webhook_way(&self) -> Result<Option<Webhook>> {
        let Some(url) = self.setting(WEBHOOK).await? else { return Ok(None) };
        Ok(Some(Webhook { url, secret: self.read_secret(SIGNING).await? }))
    }

    /// Names it, or forgets it. Without a secret the one that is known stays; an empty one forgets
    /// it. Administrators only.
    pub async fn set_webhook_way(
        &self,
        admin: &Principal,
        url: Option<&str>,
        secret: Option<&str>,
    ) -> Result<()> {
        admin.require_admin()?;
        let url = url.map(str::trim);
        let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if url.is_some_and(|url| !is_web(url) || 2000 < url.len()) {
            return Err(Error::Invalid("A webhook has an http or https address".to_owned()));
        }
        let forgets = url.is_none() || secret.is_some_and(str::is_empty);
        let secret = secret.filter(|secret| !secret.is_empty() && url.is_some());
        self.keep(WEBHOOK, url, SIGNING, secret, forgets).await
    }

    async fn keep(
        &self,
        name: &str,
        value: Option<&str>,
        secret_name: &str,
        secret: Option<&str>,
        forgets: bool,
    ) -> Result<()> {
        let sealed = secret.map(|secret| self.seal(UserId(0), secret)).transpose()?;
        let mut tx = self.db.write().await?;
        self.write_setting(&mut tx, name, value).await?;
        if sealed.is_some() || forgets {
            let sealed = sealed.map(hex::encode);
            self.write_setting(&mut tx, secret_name, sealed.as_deref()).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Fails if there is a password for the mail server that does not open.
    pub(crate) async fn require_mail_password(&self) -> Result<()> {
        self.require_secret(PASSWORD).await
    }

    /// Fails if there is a secret of the webhook that does not open: notices would go out
    /// unsigned.
    pub(crate) async fn require_webhook_secret(&self) -> Result<()> {
        self.require_secret(SIGNING).await
    }

    async fn require_secret(&self, name: &str) -> Result<()> {
        if self.setting(name).await?.is_some() && self.read_secret(name).await?.is_none() {
            let sentence = "The secret cannot be opened; enter it again";
            return Err(Error::Unavailable(sentence.to_owned()));
        }
        Ok(())
    }

    async fn read_secret(&self, name: &str) -> Result<Option<String>> {
        let sealed = self.setting(name).await?.and_then(|sealed| hex::decode(sealed).ok());
        // A restored database without its key file shows as if none were given.
        Ok(sealed.and_then(|sealed| self.unseal(UserId(0), &sealed)))
    }
}

fn check_mail(way: &MailWay) -> Result<MailWay> {
    let wrong = |sentence: &str| Err(Error::Invalid(sentence.to_owned()));
    let way = MailWay {
        server: way.server.trim().to_owned(),
        user: way.user.trim().to_owned(),
        from: way.from.trim().to_owned(),
        certificate: way.certificate.trim().to_owned(),
        ..way.clone()
    };
    let is_name = |text: &str| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter);
        (1..=255).contains(&text.len()) && text.chars().all(plain)
    };
    if !is_name(&way.server) {
        return wrong("A mail server has a name or an address, with nothing around it");
    }
    if way.port == 0 {
        return wrong("A mail server has a port, mostly 587 or 465");
    }
    if !way.from.contains('@') || way.from.chars().any(char::is_control) || 320 < way.from.len() {
        return wrong("Say from which e-mail address notices come");
    }
    if LONGEST_CERTIFICATE < way.certificate.len()
        || !(way.certificate.is_empty() || way.certificate.contains("BEGIN CERTIFICATE"))
    {
        return wrong("A certificate is text that begins with BEGIN CERTIFICATE (PEM)");
    }
    Ok(way)
}
