//! The server at a glance, for administrators.

use std::path::Path;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::{Value, json};

use super::{caller::Caller, libraries::progress, lockers, shapes};
use crate::{
    Result,
    accounts::{LockerKind, Mode, SetUpState},
    catalog::{AlbumFilter, AlbumOrder, ArtistFilter, Page, TrackFilter, TrackOrder},
    clock::{self, Millis},
    drive::Abilities,
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
        "storage": storage(&of).await?,
        "facts": facts,
    })))
}

/// Free and all bytes of the disk under the lockers.
fn disk(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Some((bytes(disk.f_bavail), bytes(disk.f_blocks)))
}

/// POST /server/storage: tries the disks, and takes them for sound again if they keep what they are given.
pub(super) async fn try_storage(caller: Caller, of: Data<Handles>) -> Answer {
    of.drive.try_storage(&caller.principal).await?;
    Ok(HttpResponse::Ok().json(storage(&of).await?))
}

/// How the two disks stand, a word each.
async fn storage(of: &Handles) -> Result<Value> {
    let database = if of.site.database.fault().is_none() { "ok" } else { "degraded" };
    Ok(json!({ "database": database, "drive": of.drive.standing().await?.word() }))
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
    if let Some(what) = of.site.database.fault() {
        found.push(format!("Nothing can be changed: {what}. Restore a backup, or have the disk tried again when it was looked after."));
    }
    let standing = of.drive.standing().await?;
    if let Some(worry) = standing.worry() {
        found.push(worry);
    } else if let Some((free, total)) = disk
        && (free as f64) < LOW_DISK * total as f64
    {
        found.push("The disk under the lockers is almost full.".to_owned());
    }
    let (damaged, named) = of.drive.damaged().await?;
    found.extend(named);
    if 20 < damaged {
        found.push(format!(
            "{damaged} files are damaged; `tunelocker doctor --read-data` names all of them."
        ));
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

/// When everything was read last, or how far it is.
async fn scrub(of: &Handles) -> Result<String> {
    let state = of.drive.scrub_state().await?;
    Ok(match (state.began_at, state.ended_at) {
        (Some(began), _) => format!("under way since {}: {} files", day(began), state.files),
        (None, Some(ended)) if 0 < state.files => format!("{}: {} files", day(ended), state.files),
        _ => "not yet".to_owned(),
    })
}

fn day(at: Millis) -> String {
    clock::iso(at).chars().take(10).collect()
}

async fn facts(of: &Handles, addresses: &[String]) -> Result<Vec<Value>> {
    let mode = match of.accounts.set_up_state().await? {
        SetUpState::Needed => "not set up",
        SetUpState::Done(Mode::Household) => "household",
        SetUpState::Done(Mode::Hosting) => "hosting",
    };
    let lan = if of.site.has_lan { "served (DLNA)" } else { "off" };
    let can =
        of.drive.abilities().await?.map_or_else(|| "not tried yet".to_owned(), Abilities::sentence);
    let read = scrub(of).await?;
    let fact = |name: &str, value: String| json!({ "name": name, "value": value });
    Ok(vec![
        fact("version", env!("CARGO_PKG_VERSION").to_owned()),
        fact("addresses", addresses.join("  ")),
        fact("mode", mode.to_owned()),
        fact("lan", lan.to_owned()),
        fact("revision", of.catalog.revision().number.to_string()),
        fact("data", of.site.data.display().to_string()),
        fact("drive", of.site.drive.display().to_string()),
        fact("fileSystem", can),
        fact("read", read),
    ])
}
