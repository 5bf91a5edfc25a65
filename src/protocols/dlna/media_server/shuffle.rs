//! "Random albums": shuffled for each principal, and the same for a while, so that a client that
//! reads page by page meets each album once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    Result,
    accounts::Principal,
    catalog::{Album, AlbumFilter, AlbumOrder, Catalog, Page},
    ids::{AlbumId, UserId},
};

const KEPT: Duration = Duration::from_mins(10);

/// The shuffles that are in use.
#[derive(Debug, Default)]
pub(crate) struct Shuffles(Mutex<HashMap<UserId, (Instant, Vec<AlbumId>)>>);

impl Shuffles {
    /// So many albums at most in the order of this while; what went away meanwhile is left out.
    pub(crate) async fn albums(
        &self,
        catalog: &Catalog,
        principal: &Principal,
        limit: u32,
    ) -> Result<Vec<Album>> {
        if let Some(ids) = self.known(principal.user) {
            return catalog.albums_by_id(principal, &ids).await;
        }
        let (filter, page) = (AlbumFilter::default(), Page { offset: 0, limit });
        let albums = catalog.albums(principal, &filter, AlbumOrder::Random, page).await?.items;
        let ids = albums.iter().map(|album| album.id).collect();
        let mut shuffles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shuffles.retain(|_, (at, _)| at.elapsed() < KEPT);
        shuffles.insert(principal.user, (Instant::now(), ids));
        Ok(albums)
    }

    fn known(&self, user: UserId) -> Option<Vec<AlbumId>> {
        let shuffles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shuffles.get(&user).filter(|(at, _)| at.elapsed() < KEPT).map(|(_, ids)| ids.clone())
    }
}
