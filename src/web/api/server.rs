//! The server at a glance, for administrators.

use std::path::Path;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::{Value, json};

use super::{caller::Caller, libraries::progress, lockers, shapes};
use crate::{
    Result,
    accounts::{LockerKind, Mode, SetUpState},
    catalog::{AlbumFilter, AlbumOrder, ArtistFilter, Page, TrackFilter, TrackOrder},
    web::{Handles, addresses::addresses, failure::Answer},
};

/// Below this part of the disk, room is worth a warning.
const LOW_DISK: f64 = 0.05;

/// GET /server
pub(super) async fn show(request: HttpRequest, caller: Caller, of: Data<Handles>) -> Answer {
    let who = &caller.principal;
    who.require_admin()?;
    let users = of.accounts.users(who).await?;
    let devices = of.accounts.devices(who).await?;
    let none = Page { offset: 0, limit: 0 };
    let albums =
        of.catalog.albums(who, &AlbumFilter::default(), AlbumOrder::Name, none).await?.total;
    let artists = of.catalog.artists(who, &ArtistFilter::default(), none).await?.total;
    let tracks =
        of.catalog.tracks(who, &TrackFilter::default(), TrackOrder::Title, none).await?.total;
    let genres = of.catalog.genres(who).await?.len();
    let playing = of.playback.now_playing(who).await?;
    let disk = disk(&of.site.drive);
    let facts = facts(&of, &addresses(&request, &of.site)).await?;
    Ok(HttpResponse::Ok().json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "startedAt": of.site.started_at,
        "counts": {
            "albums": albums, "artists": artists, "tracks": tracks, "genres": genres,
            "users": users.len(), "devices": devices.len(),
        },
        "playing": playing.iter().map(|one| json!({
            "user": &*one.user_name, "client": one.client, "track": shapes::track(&one.media),
        })).collect::<Vec<_>>(),
        "scan": progress(&of.ingest.status()),
        "disk": disk.map(|(free, total)| json!({ "free": free, "total": total })),
        "lockers": all_lockers(&of).await?,
        "attention": attention(&of, &caller, disk).await?,
        "facts": facts,
    })))
}

/// Free and all bytes of the disk under the lockers.
fn disk(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Some((bytes(disk.f_bavail), bytes(disk.f_blocks)))
}

/// Every locker, fullest first, each asked as its owner.
async fn all_lockers(of: &Handles) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut has_household = false;
    for user in of.accounts.users(&of.accounts.operator()).await? {
        let principal = of.accounts.principal(user.id).await?;
        for locker in of.accounts.lockers(&principal).await? {
            let is_household = locker.kind == LockerKind::Household;
            if !(is_household && has_household) {
                has_household |= is_household;
                found.push(locker);
            }
        }
    }
    found.sort_by_key(|locker| std::cmp::Reverse(locker.usage.used));
    Ok(found.iter().map(lockers::shape).collect())
}

/// What an administrator should look at, as sentences.
async fn attention(of: &Handles, caller: &Caller, disk: Option<(u64, u64)>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for library in of.catalog.libraries(&caller.principal).await? {
        if library.state != "ok" {
            found.push(format!("{}: {}", library.name, library.state));
        }
    }
    if !of.drive.is_mounted().await? {
        found.push(
            "The disk of the lockers is not mounted. Nothing can be stored; nothing that was stored is changed."
                .to_owned(),
        );
    } else if let Some((free, total)) = disk
        && (free as f64) < LOW_DISK * total as f64
    {
        found.push("The disk under the lockers is almost full.".to_owned());
    }
    let errors: u64 = of.ingest.status().libraries.values().map(|scan| scan.errors).sum();
    found.extend(of.backups.worry().await?);
    if errors > 0 {
        found.push(match errors {
            1 => "1 file could not be read as music; Libraries tells why.".to_owned(),
            _ => format!("{errors} files could not be read as music; Libraries tells why."),
        });
    }
    Ok(found)
}

async fn facts(of: &Handles, addresses: &[String]) -> Result<Vec<Value>> {
    let mode = match of.accounts.set_up_state().await? {
        SetUpState::Needed => "not set up",
        SetUpState::Done(Mode::Household) => "household",
        SetUpState::Done(Mode::Hosting) => "hosting",
    };
    let lan = if of.site.has_lan { "served (DLNA)" } else { "off" };
    let fact = |name: &str, value: String| json!({ "name": name, "value": value });
    Ok(vec![
        fact("version", env!("CARGO_PKG_VERSION").to_owned()),
        fact("addresses", addresses.join("  ")),
        fact("mode", mode.to_owned()),
        fact("lan", lan.to_owned()),
        fact("revision", of.catalog.revision().number.to_string()),
        fact("data", of.site.data.display().to_string()),
    ])
}
