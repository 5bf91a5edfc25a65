//! Who uploads: anybody who may call the API, or a shop with its delivery key, whose uploads become
//! files when a delivery names them and are nothing else before.

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use futures_util::future::LocalBoxFuture;

use super::caller::Caller;
use crate::{
    Error, Result,
    accounts::Deliverer,
    error::AuthFailure,
    http::origin,
    web::{Handles, failure::Failure},
};

/// An uploader that `accounts` knows.
#[derive(Debug, Clone)]
pub(super) struct Uploader {
    /// Whom the uploads belong to: of a shop, the account that its key hands over for.
    pub(super) caller: Caller,
    /// Came with a delivery key: part uploads are all that it makes and sees.
    pub(super) is_shop: bool,
}

impl Uploader {
    /// A shop sees no upload that is not one it may hand over.
    pub(super) async fn require(&self, of: &Handles, id: &str) -> Result<()> {
        if self.is_shop && !of.drive.upload(&self.caller.principal, id).await?.is_part {
            return Err(Error::NotFound("Upload"));
        }
        Ok(())
    }
}

impl FromRequest for Uploader {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, body: &mut Payload) -> Self::Future {
        let is_shop = bearer(request).is_some_and(Deliverer::has_form);
        if !is_shop {
            let caller = Caller::from_request(request, body);
            return Box::pin(async move { Ok(Self { caller: caller.await?, is_shop }) });
        }
        let request = request.clone();
        Box::pin(async move {
            let of = request
                .app_data::<Data<Handles>>()
                .ok_or_else(|| Error::Unavailable("The server is starting".to_owned()))?;
            let deliverer = deliverer(&request, of).await?;
            let principal = of.accounts.shop(&deliverer).await?;
            Ok(Self { caller: Caller { principal, cookie: None }, is_shop })
        })
    }
}

/// The shop whose key a request bears.
pub(super) async fn deliverer(request: &HttpRequest, of: &Handles) -> Result<Deliverer> {
    let secret = bearer(request).ok_or(AuthFailure::Missing)?;
    of.accounts.deliverer(secret, &origin(request)).await
}

/// The same, where the request bears such a key; `None` for everybody else.
pub(super) async fn deliverer_of(request: &HttpRequest, of: &Handles) -> Result<Option<Deliverer>> {
    if !bearer(request).is_some_and(Deliverer::has_form) {
        return Ok(None);
    }
    deliverer(request, of).await.map(Some)
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}
