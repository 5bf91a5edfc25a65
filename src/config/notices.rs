//! `[notices]`: where notices about a locker's room are sent, once an administrator turns that on.
//! What is not said here can be said in the panel.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Invalid, addresses};

/// How the connection to the mail server is closed to others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// It begins open and must become TLS before anything is said.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None: for a mail server in the house.
    None,
}

/// A mail server and who writes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: MailSecurity,
    /// Name and password there, if it wants some.
    pub login: Option<(String, String)>,
    /// `Tunelocker <music@example.org>`
    pub from: String,
    /// Certificates (PEM) that are trusted besides the public ones.
    pub certificate: Option<String>,
}

/// An address that is told of every notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where notices are posted.
    pub url: String,
    /// Signs them, so that the other side knows whose they are.
    pub secret: Option<String>,
}

/// Where notices go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    /// As e-mail.
    pub mail: Option<Mail>,
    /// To a program.
    pub webhook: Option<Webhook>,
}

/// The section as it is written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_server: Option<String>,
    smtp_port: u16,
    smtp_security: MailSecurity,
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_password_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_certificate_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret_file: Option<PathBuf>,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            smtp_server: None,
            smtp_port: 587,
            smtp_security: MailSecurity::default(),
            smtp_user: None,
            smtp_password: None,
            smtp_password_file: None,
            smtp_certificate_file: None,
            from: None,
            webhook: None,
            webhook_secret: None,
            webhook_secret_file: None,
        }
    }
}

impl Section {
    pub(super) fn complete(self) -> Result<Notices, Invalid> {
        let secret = |name, text, file: Option<PathBuf>| secret(name, text, file.as_deref());
        let password = secret("smtp_password", self.smtp_password, self.smtp_password_file)?;
        let signing = secret("webhook_secret", self.webhook_secret, self.webhook_secret_file)?;
        let login = match (self.smtp_user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            _ => {
                return Err(Invalid::new(
                    "notices.smtp_user and notices.smtp_password are set together or not at all",
                ));
            }
        };
        let certificate = self.smtp_certificate_file.map(|path| {
            std::fs::read_to_string(&path).map_err(|error| {
                let path = path.display();
                Invalid::new(format!("notices.smtp_certificate_file: cannot read {path}: {error}"))
            })
        });
        let certificate = certificate.transpose()?;
        let mail = match (self.smtp_server, self.from) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(Invalid::new("notices.smtp_server is set, but notices.from is not"));
            }
            (Some(server), Some(from)) => {
                let (port, security) = (self.smtp_port, self.smtp_security);
                Some(Mail { server, port, security, login, from, certificate })
            }
        };
        if let Some(url) = &self.webhook {
            addresses::check("notices.webhook", url)?;
        }
        let webhook = self.webhook.map(|url| Webhook { url, secret: signing });
        Ok(Notices { mail, webhook })
    }

    /// Hides what `check` must not print.
    pub(super) fn hide(&mut self, hidden: &str) {
        for secret in [&mut self.smtp_password, &mut self.webhook_secret] {
            *secret = secret.take().map(|_| hidden.to_owned());
        }
        // Who knows the path may post there.
        self.webhook = self.webhook.take().map(|url| addresses::host_alone(&url, hidden));
    }
}

/// A secret by itself, or the first line of a file.
fn secret(
    name: &str,
    text: Option<String>,
    file: Option<&Path>,
) -> Result<Option<String>, Invalid> {
    match (text, file) {
        (Some(_), Some(_)) => Err(Invalid::new(format!(
            "notices.{name} and notices.{name}_file are both set; one is enough"
        ))),
        (text, None) => Ok(text),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let path = path.display();
                Invalid::new(format!("notices.{name}_file: cannot read {path}: {error}"))
            })?;
            Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_files_and_are_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "pass word\nmore").unwrap();
        let section = Section {
            smtp_server: Some("mail.example.org".to_owned()),
            smtp_user: Some("me".to_owned()),
            smtp_password_file: Some(file.path().to_owned()),
            from: Some("music@example.org".to_owned()),
            webhook_secret: Some("key".to_owned()),
            ..Section::default()
        };
        let mut shown = section.clone();
        shown.hide("(hidden)");
        assert_eq!(shown.webhook_secret.as_deref(), Some("(hidden)"));
        let mail = section.clone().complete().unwrap().mail.unwrap();
        assert_eq!(mail.login, Some(("me".to_owned(), "pass word".to_owned())));
        assert_eq!((mail.port, mail.security), (587, MailSecurity::StartTls));
        let both = Section { smtp_password: Some("x".to_owned()), ..section.clone() };
        assert!(both.complete().is_err());
        assert!(Section { from: None, ..section }.complete().is_err());
        assert_eq!(Section::default().complete().unwrap(), Notices::default());
    }
}
