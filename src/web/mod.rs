//! The face for people: the panel's pages and assets, and the JSON API that the panel and scripts
//! speak to. Knows services, never another face.

mod addresses;
mod api;
mod assets;
mod failure;
mod guard;
mod pages;
mod pictures;
mod qr;
mod query;
mod share;

use std::path::PathBuf;

use actix_web::{
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};

use crate::{
    Error, Result,
    accounts::{Accounts, Origin, Principal, SessionCookie},
    analysis::Analysis,
    catalog::{Catalog, Shares},
    clock::Millis,
    drive::{Deliveries, Drive, Imports},
    events::Events,
    ingest::Ingest,
    matching::Matching,
    ops::backup::Backups,
    outside::Outside,
    playback::{Jukebox, Playback},
    storage::Storage,
};

/// The services that the panel stands on. Cheap to clone.
#[derive(Clone)]
pub struct Handles {
    /// Who may do what.
    pub accounts: Accounts,
    /// What there is to hear.
    pub catalog: Catalog,
    /// What is shown to people without an account.
    pub shares: Shares,
    /// What is kept.
    pub drive: Drive,
    /// What shops hand over.
    pub deliveries: Deliveries,
    /// What is fetched and unpacked.
    pub imports: Imports,
    /// How music gets in.
    pub ingest: Ingest,
    /// How music gets out.
    pub playback: Playback,
    /// The speakers of the house.
    pub jukebox: Jukebox,
    /// What the box hears by itself.
    pub analysis: Analysis,
    /// That nothing is sent twice.
    pub matching: Matching,
    /// Copies of everything.
    pub backups: Backups,
    /// What the internet brings and gets.
    pub outside: Outside,
    /// What changed.
    pub events: Events,
    /// What the panel tells of the server itself.
    pub site: Site,
}

impl Handles {
    /// Signs somebody in; on a full disk with the room that was put by, for whoever makes more has to
    /// get in first.
    async fn sign_in(
        &self,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<(SessionCookie, Principal)> {
        match self.accounts.sign_in(name, password, origin).await {
            Err(Error::StorageFull) if self.drive.give_up_room().await => {
                self.accounts.sign_in(name, password, origin).await
            }
            signed_in => signed_in,
        }
    }
}

/// Facts of this server that pages show or judge requests by.
#[derive(Debug, Clone)]
pub struct Site {
    /// The address that people use, if the operator named one.
    pub public_url: Option<String>,
    /// The data folder, for administrators.
    pub data: PathBuf,
    /// The root of the lockers.
    pub drive: PathBuf,
    /// Whether devices on the LAN are served.
    pub has_lan: bool,
    /// When the server started.
    pub started_at: Millis,
    /// Whether what is written to the database lasts.
    pub database: Storage,
}

/// Adds the routes. Last among the faces, for whatever nobody else took.
pub fn configure(routes: &mut ServiceConfig, handles: &Handles) {
    routes
        .app_data(Data::new(handles.clone()))
        .app_data(failure::json_limits())
        // Pictures of people; files go in as streams.
        .app_data(web::PayloadConfig::new(crate::catalog::avatars::MOST_BYTES))
        .service(web::scope("/a").configure(assets::configure))
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(guard::own_host))
                .configure(api::configure)
                .default_service(web::to(failure::no_such_address)),
        )
        .service(
            web::scope("")
                .wrap(from_fn(guard::own_host))
                .configure(share::configure)
                .configure(pages::configure),
        );
}
