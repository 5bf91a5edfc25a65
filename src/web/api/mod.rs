//! The JSON API under `/api/v1`: thin over the services. Responses have types of their own
//! ([`shapes`]); failures are problem+json.

mod addresses;
mod albums;
mod app_passwords;
mod artists;
mod backups;
mod caller;
mod chat;
mod clients;
mod contents;
mod cookies;
mod covers;
mod deliveries;
mod devices;
mod duplicates;
mod events;
mod files;
mod grants;
mod history;
mod imports;
mod jukebox;
mod kept;
mod libraries;
mod lists;
mod lockers;
mod many;
mod marks;
mod matching;
mod notice_ways;
mod openapi;
mod outside;
mod people;
mod places;
mod plans;
mod playlists;
mod podcasts;
mod queue;
mod radio;
mod scrobbling;
mod search;
mod server;
mod session;
mod shapes;
mod shares;
mod sound;
mod tracks;
mod uploader;
mod uploads;

use actix_web::{
    guard::fn_guard,
    web::{PayloadConfig, ServiceConfig, delete, get, head, patch, post, put, resource},
};

use super::failure::json_up_to;

/// How the panel calls itself beside apps.
const CLIENT: &str = "Web player";

pub(super) use caller::session_cookie;
pub(super) use cookies::{form_cookie, form_token, set_session};

/// Adds the routes below `/api/v1`: the table of contents.
pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .configure(uploads::configure)
        // Who I am.
        .route("/session", get().to(session::show))
        .route("/session", post().to(session::sign_in))
        .route("/session", patch().to(session::rename))
        .route("/session", delete().to(session::sign_out))
        .route("/session/password", put().to(session::set_password))
        .route("/sessions", get().to(session::list))
        .route("/sessions/{id}", delete().to(session::end))
        .route("/app-passwords", get().to(app_passwords::list))
        .route("/app-passwords", post().to(app_passwords::create))
        .route("/app-passwords/{id}", delete().to(app_passwords::revoke))
        .route("/addresses", get().to(addresses::list))
        .route("/qr", get().to(addresses::code))
        .route("/avatar", put().to(chat::set_avatar))
        .route("/avatar", delete().to(chat::remove_avatar))
        .route("/avatars/{name}", get().to(chat::avatar))
        .route("/chat", get().to(chat::list))
        .route("/chat", post().to(chat::say))
        .route("/lockers", get().to(lockers::list))
        // What need not be sent.
        .service(
            resource("/match")
                .app_data(json_up_to(matching::LARGEST))
                .route(post().to(matching::look)),
        )
        .route("/match/policy", get().to(matching::policy))
        .route("/match/policy", put().to(matching::set_policy))
        .route("/claims", post().to(matching::claim))
        .route("/duplicates", get().to(duplicates::list))
        .route("/duplicates", post().to(duplicates::act))
        .route("/duplicates/done", get().to(duplicates::done))
        .route("/duplicates/done/{id}", delete().to(duplicates::undo))
        .route("/storage", get().to(grants::storage))
        .route("/ledger", get().to(grants::ledger))
        .route("/notices", get().to(grants::notices))
        .route("/notices/{id}/seen", post().to(grants::see_notice))
        // Files, kept.
        .route("/files/{path:.*}", get().to(files::show))
        .route("/files/{path:.*}", head().to(files::show))
        .route("/files/{path:.*}", put().to(files::store))
        .route("/files/{path:.*}", delete().to(files::remove))
        .route("/files/{path:.*}", post().guard(fn_guard(many::is_form)).to(many::store))
        .route("/files/{path:.*}", post().guard(fn_guard(many::is_archive)).to(many::unpack))
        .route("/files/{path:.*}", post().to(files::rename))
        .route("/imports", get().to(imports::list))
        .route("/imports", post().to(imports::fetch))
        .route("/imports/{id}", get().to(imports::one))
        .route("/imports/{id}", delete().to(imports::cancel))
        .route("/places", get().to(places::list))
        .route("/file-search", get().to(places::find))
        .route("/folder-shares", get().to(places::shares))
        .route("/folder-shares", put().to(places::share_folder))
        .route("/folder-shares/{id}", delete().to(places::unshare))
        .route("/trash", get().to(kept::trash))
        .route("/trash", delete().to(kept::empty))
        .route("/trash/{id}", get().to(kept::open_trashed))
        .route("/trash/{id}", post().to(kept::restore))
        .route("/trash/{id}", delete().to(kept::forget))
        .route("/versions", get().to(kept::versions))
        .route("/versions/{id}", get().to(kept::open_version))
        .route("/versions/{id}", post().to(kept::restore_version))
        .route("/versions/{id}", delete().to(kept::forget_version))
        .route("/keeping", get().to(kept::rules))
        .route("/keeping", put().to(kept::set_rules))
        // What there is to hear.
        .route("/albums", get().to(albums::list))
        .route("/albums/{id}", get().to(albums::one))
        .route("/artists", get().to(artists::list))
        .route("/artists/{id}", get().to(artists::one))
        .route("/artists/{id}/similar", get().to(sound::artists))
        .route("/radio/{id}", get().to(sound::radio))
        .route("/tracks", get().to(tracks::list))
        .route("/tracks/{id}", get().to(tracks::one))
        .route("/tracks/{id}/stream", get().to(tracks::stream))
        .route("/tracks/{id}/decision", get().to(clients::decision))
        .route("/tracks/{id}/lyrics", get().to(tracks::lyrics))
        .route("/search", get().to(search::search))
        .route("/genres", get().to(search::genres))
        .route("/covers/{id}", get().to(covers::cover))
        // What I add to it.
        .route("/stars/{id}", put().to(marks::star))
        .route("/stars/{id}", delete().to(marks::unstar))
        .route("/history", get().to(history::list))
        .route("/history/summary", get().to(history::summary))
        .route("/history/{id}", delete().to(history::remove))
        .route("/playback", post().to(marks::report))
        .route("/playback/expect", post().to(tracks::expect))
        .route("/jukebox", get().to(jukebox::show))
        .route("/jukebox", post().to(jukebox::control))
        .route("/listening", get().to(clients::listening))
        .route("/listening", put().to(clients::set_listening))
        .route("/queue", get().to(queue::show))
        .route("/queue", put().to(queue::save))
        .route("/admin/shares", get().to(shares::of_everybody))
        .route("/shares", get().to(shares::list))
        .route("/shares", post().to(shares::create))
        .route("/shares/{id}", patch().to(shares::change))
        .route("/shares/{id}", delete().to(shares::remove))
        .route("/playlists", get().to(playlists::list))
        .route("/playlists", post().to(playlists::create))
        .route("/playlists/file", post().to(playlists::import))
        .route("/playlists/{id}", get().to(playlists::one))
        .route("/playlists/{id}/file", get().to(playlists::export))
        .route("/playlists/{id}", patch().to(playlists::change))
        .route("/playlists/{id}", delete().to(playlists::remove))
        .route("/smart-fields", get().to(playlists::fields))
        // What the internet brings and gets.
        .route("/backups", get().to(backups::show))
        .route("/backups", post().to(backups::take))
        .route("/backups/plan", put().to(backups::set_plan))
        .route("/backups/plan", delete().to(backups::end_plan))
        .route("/outside", get().to(outside::show))
        .route("/outside/lastfm/keys", put().to(outside::set_keys))
        .route("/outside/lastfm/keys", delete().to(outside::forget_keys))
        .route("/outside/{feature}", put().to(outside::switch))
        .route("/podcasts", get().to(podcasts::list))
        .route("/podcasts", post().to(podcasts::subscribe))
        .route("/podcasts/refresh", post().to(podcasts::refresh))
        .route("/podcasts/{id}", get().to(podcasts::one))
        .route("/podcasts/{id}", patch().to(podcasts::keep))
        .route("/podcasts/{id}", delete().to(podcasts::unsubscribe))
        .route("/episodes", get().to(podcasts::newest))
        .route("/episodes/{id}/file", put().to(podcasts::download))
        .route("/episodes/{id}/file", delete().to(podcasts::remove))
        .route("/episodes/{id}/position", put().to(podcasts::stopped_at))
        .route("/episodes/{id}/stream", get().to(podcasts::stream))
        .route("/radio", get().to(radio::list))
        .route("/radio", post().to(radio::create))
        .route("/radio/{id}", put().to(radio::update))
        .route("/radio/{id}", delete().to(radio::remove))
        .service(
            resource("/radio/{id}/cover")
                .app_data(PayloadConfig::new(radio::LARGEST_PICTURE))
                .route(put().to(radio::set_cover)),
        )
        .route("/scrobbling", get().to(scrobbling::show))
        .route("/scrobbling/lastfm", post().to(scrobbling::begin_lastfm))
        .route("/scrobbling/{service}", put().to(scrobbling::connect))
        .route("/scrobbling/{service}", patch().to(scrobbling::change))
        .route("/scrobbling/{service}", delete().to(scrobbling::disconnect))
        // The server.
        .route("/openapi.json", get().to(openapi::document))
        .route("/server", get().to(server::show))
        .route("/server/storage", post().to(server::try_storage))
        .route("/users", get().to(people::list))
        .route("/users", post().to(people::create))
        .route("/users/{name}", patch().to(people::change))
        .route("/users/{name}", delete().to(people::remove))
        .route("/users/{name}/password", put().to(people::set_password))
        .route("/users/{name}/storage", get().to(grants::storage_of))
        .route("/users/{name}/grants", get().to(grants::list))
        .route("/users/{name}/grants", post().to(grants::give))
        .route("/grants/{id}", patch().to(grants::change))
        .route("/grants/{id}", delete().to(grants::take_back))
        .route("/exempt", put().to(grants::exempt))
        .route("/quota-rules", get().to(grants::rules))
        .route("/quota-rules", put().to(grants::set_rules))
        .route("/overdue", get().to(grants::overdue))
        .route("/household", get().to(lockers::household))
        .route("/household", put().to(lockers::set_household))
        .route("/contents", get().to(contents::find))
        .route("/contents/{hash}", get().to(contents::owners))
        .route("/contents/{hash}", delete().to(contents::take_down))
        .route("/takedowns", get().to(contents::list))
        .route("/takedowns/{id}", delete().to(contents::allow))
        .route("/notice-ways", get().to(notice_ways::show))
        .route("/notice-ways/mail", put().to(notice_ways::set_mail))
        .route("/notice-ways/mail", delete().to(notice_ways::forget_mail))
        .route("/notice-ways/webhook", put().to(notice_ways::set_webhook))
        .route("/notice-ways/webhook", delete().to(notice_ways::forget_webhook))
        .route("/notice-ways/{way}/test", post().to(notice_ways::test))
        .route("/deliveries", get().to(deliveries::list))
        .route("/deliveries", post().to(deliveries::deliver))
        .route("/deliveries/{id}", get().to(deliveries::one))
        .route("/delivery-keys", get().to(deliveries::keys))
        .route("/delivery-keys", post().to(deliveries::create_key))
        .route("/delivery-keys/{id}", delete().to(deliveries::revoke_key))
        .route("/bonus-rules", get().to(deliveries::rules))
        .route("/bonus-rules", post().to(deliveries::add_rule))
        .route("/bonus-rules/{id}", delete().to(deliveries::remove_rule))
        .route("/plans", get().to(plans::list))
        .route("/plans/{name}", put().to(plans::set))
        .route("/plans/{name}", delete().to(plans::remove))
        .route("/clients", get().to(clients::list))
        .route("/clients/{client}", put().to(clients::set))
        .route("/clients/{client}", delete().to(clients::remove))
        .route("/libraries", get().to(libraries::list))
        .route("/libraries/{id}", patch().to(libraries::share))
        .route("/libraries/{id}/unreadable", get().to(libraries::unreadable))
        .route("/scan", get().to(libraries::scan_state))
        .route("/scan", post().to(libraries::scan))
        .route("/analysis", get().to(sound::show))
        .route("/analysis", put().to(sound::switch))
        .route("/devices", get().to(devices::list))
        .route("/devices/{id}", patch().to(devices::change))
        .route("/events", get().to(events::socket));
}
