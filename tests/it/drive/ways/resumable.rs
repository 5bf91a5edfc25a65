//! How a file is sent by tus: in pieces, with its length told later, or in parts that are joined.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, RequestBuilder};

use super::{
    House,
    send::{Only, Refusal, Sent, plain},
};

/// What is special of an upload.
#[derive(Clone, Copy)]
pub(super) struct Tus<'a> {
    pub(super) is_deferred: bool,
    pub(super) unpacks: bool,
    pub(super) only: Only<'a>,
}

/// `Upload-Metadata` of a file.
fn metadata(path: &str, only: Only<'_>) -> String {
    let mut metadata = format!("path {}", STANDARD.encode(path));
    if only == Only::Absent {
        metadata += &format!(",ifAbsent {}", STANDARD.encode("true"));
    }
    metadata
}

impl House {
    pub(super) fn tus_request(&self, method: Method, address: &str) -> RequestBuilder {
        self.ann.request(method, address).header("Tus-Resumable", "1.0.0")
    }

    /// The import that it became, where it is an archive.
    pub(super) async fn tus(
        &self,
        path: &str,
        bytes: &[u8],
        Tus { is_deferred, unpacks, only }: Tus<'_>,
    ) -> Result<Option<String>, Refusal> {
        let mut metadata = metadata(path, only);
        if unpacks {
            metadata += &format!(",unpack {}", STANDARD.encode("true"));
        }
        let request = self.tus_request(Method::POST, "uploads").header("Upload-Metadata", metadata);
        let request = if is_deferred {
            request.header("Upload-Defer-Length", "1")
        } else {
            request.header("Upload-Length", bytes.len())
        };
        let made = request.send().await.unwrap();
        let Some(address) = made.headers().get("location").cloned() else {
            return Err(plain(made).await.unwrap_err());
        };
        let address = address.to_str().unwrap().replace("/api/v1/", "");
        let half = bytes.len() / 2;
        let mut import = None;
        // What is empty and announced is whole already.
        let parts: &[(usize, &[u8])] = match bytes {
            [] if !is_deferred => &[],
            [] => &[(0, bytes)],
            _ => &[(0, &bytes[..half]), (half, &bytes[half..])],
        };
        for (at, part) in parts {
            let mut patch = self
                .tus_request(Method::PATCH, &address)
                .header("Upload-Offset", *at)
                .header("Content-Type", "application/offset+octet-stream");
            if is_deferred && *at == half && part.as_ptr() == bytes[half..].as_ptr() {
                patch = patch.header("Upload-Length", bytes.len());
            }
            let answer = patch.body(part.to_vec()).send().await.unwrap();
            if answer.status() != 204 {
                let refusal = plain(answer).await.unwrap_err();
                // A client that gives up says so; what was promised is free again.
                let gone = self.tus_request(Method::DELETE, &address).send().await.unwrap();
                assert!(matches!(gone.status().as_u16(), 204 | 404), "{}", gone.status());
                return Err(refusal);
            }
            let told = answer.headers().get("tunelocker-import");
            import = told.map(|id| id.to_str().unwrap().to_owned());
        }
        Ok(import)
    }

    /// Two parts side by side, then what joins them.
    pub(super) async fn concat(&self, path: &str, bytes: &[u8], only: Only<'_>) -> Sent {
        let mut parts = Vec::new();
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let mut sent = Ok(());
        for part in [first, second] {
            let made = self
                .tus_request(Method::POST, "uploads")
                .header("Upload-Concat", "partial")
                .header("Upload-Length", part.len())
                .header("Content-Type", "application/offset+octet-stream")
                .body(part.to_vec());
            let made = made.send().await.unwrap();
            match made.headers().get("location").cloned() {
                Some(place) => parts.push(place.to_str().unwrap().to_owned()),
                None => {
                    sent = plain(made).await;
                    break;
                }
            }
        }
        if sent.is_ok() {
            let joined = self
                .tus_request(Method::POST, "uploads")
                .header("Upload-Concat", format!("final;{}", parts.join(" ")))
                .header("Upload-Metadata", metadata(path, only));
            sent = plain(joined.send().await.unwrap()).await;
        }
        if sent.is_err() {
            // A client that gives up says so of what it still has.
            for part in parts {
                let address = part.replace("/api/v1/", "");
                let gone = self.tus_request(Method::DELETE, &address).send().await.unwrap();
                assert!(matches!(gone.status().as_u16(), 204 | 404), "{}", gone.status());
            }
        }
        sent
    }
}
