//! The certificate of the public listener, read again when its files change.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_util::sync::CancellationToken;

use crate::config::Tls;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(3);

/// Certificate and key as they are now. Cheap to clone; all clones change together.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    files: Tls,
    current: Arc<RwLock<Arc<CertifiedKey>>>,
}

impl Certificate {
    /// Reads the files.
    pub(super) fn load(files: &Tls) -> anyhow::Result<Self> {
        let key = read(files)?;
        Ok(Self { files: files.clone(), current: Arc::new(RwLock::new(key.into())) })
    }

    /// What the listener needs. HTTP/1.1 alone: HTTP/2 would open it to floods of streams for nothing
    /// that a household would notice.
    pub(super) fn server_config(&self) -> anyhow::Result<ServerConfig> {
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        Ok(config)
    }

    /// Follows the files until `stop`. Files that make no sense (half written, say) are logged
    /// and the last good pair stays; they are tried again, for what was wrong may pass by itself.
    pub(super) async fn keep_fresh(self, stop: CancellationToken) {
        let mut known = self.changed_at();
        let mut told = None;
        while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
            let now = self.changed_at();
            if now != known {
                match read(&self.files) {
                    Ok(key) => {
                        known = now;
                        *self.current.write().unwrap_or_else(PoisonError::into_inner) = key.into();
                        tracing::info!("the certificate was read again");
                    }
                    Err(error) if told != Some(now) => {
                        told = Some(now);
                        tracing::warn!("keeping the old certificate: {error:#}");
                    }
                    Err(_) => (),
                }
            }
        }
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        let time = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        [time(&self.files.cert), time(&self.files.key)]
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(files: &Tls) -> anyhow::Result<CertifiedKey> {
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| {
            format!("tls.cert: cannot read the certificate {}", files.cert.display())
        })?;
    anyhow::ensure!(!chain.is_empty(), "tls.cert: {} holds no certificate", files.cert.display());
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("tls.key: cannot read the key {}", files.key.display()))?;
    let key = CertifiedKey::from_der(chain, key, &ring::default_provider())
        .context("tls.cert and tls.key do not belong together")?;
    Ok(key)
}
