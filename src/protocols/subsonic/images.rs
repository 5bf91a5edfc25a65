//! Pictures at addresses that need no sign-in, as `artistImageUrl` and the addresses in artist and
//! album info are loaded: by whatever shows pictures, without the app's credentials. Such an
//! address opens one picture, for as long as the user for whom it was written may see it.

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path},
};
use serde::{Serialize, Serializer};

use super::{call::Services, id, reply};
use crate::{
    Error,
    accounts::{Accounts, PROOF, Principal},
    catalog::{Item, Picture},
    ids::UserId,
};

/// Longest edges of the sizes that are handed out, px.
pub(super) const SMALL: u32 = 128;
/// The middle one.
pub(super) const MEDIUM: u32 = 300;
/// The largest.
pub(super) const LARGE: u32 = 1000;

/// Where the pictures of one answer are: as the app itself reached us, for whom it asks.
#[derive(Debug, Clone)]
pub(super) struct Images {
    /// Up to what is shown.
    base: String,
    accounts: Accounts,
    user: UserId,
}

/// The address of one picture; written while the answer is.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImageUrl<'a> {
    images: &'a Images,
    item: Item,
    picture: Picture,
    edge: u32,
}

impl Images {
    /// For the answer to this request.
    pub(super) fn of(request: &HttpRequest, accounts: &Accounts, principal: &Principal) -> Self {
        let connection = request.connection_info();
        let (scheme, host, user) = (connection.scheme(), connection.host(), principal.user);
        Self {
            base: format!("{scheme}://{host}/rest/image/{}.", user.0),
            accounts: accounts.clone(),
            user,
        }
    }

    /// The address of an item's picture, if it has one.
    pub(super) fn url(
        &self,
        item: Item,
        picture: Option<Picture>,
        edge: u32,
    ) -> Option<ImageUrl<'_>> {
        picture.map(|picture| ImageUrl { images: self, item, picture, edge })
    }
}

impl Serialize for ImageUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl fmt::Display for ImageUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Images { base, accounts, user } = self.images;
        // The hash makes readers fetch a changed picture anew.
        let cover = id::CoverId::new(self.item, self.picture);
        let thing = format!("{cover}.{}", self.edge);
        let mut digits = [0; 2 * PROOF];
        let proof = accounts.ticket(*user, &thing, &mut digits);
        [base.as_str(), &thing, ".", proof].into_iter().try_for_each(|part| f.write_str(part))
    }
}

/// What an address says: for whom, what, how large, and its proof.
fn read(name: &str) -> Option<(UserId, Item, u32, &str, &str)> {
    let (user, rest) = name.split_once('.')?;
    let (thing, ticket) = rest.rsplit_once('.')?;
    let (cover, edge) = thing.split_once('.')?;
    Some((UserId(user.parse().ok()?), id::item(cover)?, edge.parse().ok()?, thing, ticket))
}

/// GET of such an address. No method of the protocol, so it speaks plain HTTP.
pub(super) async fn serve(name: Path<String>, services: Data<Services>) -> HttpResponse {
    let mut response = match find(&name, &services).await {
        Ok(response) => response,
        Err(Error::NotFound(_)) => HttpResponse::NotFound().finish(),
        Err(Error::TooMany { .. } | Error::Unavailable(_)) => {
            HttpResponse::ServiceUnavailable().finish()
        }
        Err(error) => {
            tracing::error!(%error, "a picture could not be sent");
            HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    reply::allow_any_origin(response.headers_mut());
    response
}

async fn find(name: &str, services: &Services) -> crate::Result<HttpResponse> {
    let (user, item, edge, thing, ticket) = read(name).ok_or(Error::NotFound("Picture"))?;
    let principal = services.accounts.admit(user, thing, ticket).await?;
    let cover = services.catalog.cover(&principal, item, Some(edge)).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, cover.mime))
        .insert_header((header::CACHE_CONTROL, "private, max-age=31536000"))
        .insert_header((header::ETAG, format!("\"{}\"", cover.tag)))
        .body(cover.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ArtistId;

    #[test]
    fn addresses_are_taken_apart() {
        let artist = Item::Artist(ArtistId(5));
        let read = |name| read(name).map(|(user, item, edge, ..)| (user.0, item, edge));
        assert_eq!(read("3.ar-5_0a1b2c3d.300.ff"), Some((3, artist, 300)));
        for wrong in
            ["", "3", "3.ar-5", "3.ar-5_0a1b2c3d.ff", "x.ar-5_0a1b2c3d.300.ff", "3.zz.1.ff"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
