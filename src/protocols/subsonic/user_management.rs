//! User management: whoever asks about himself, and administrators.

use super::{
    call::{Answer, Call, clear_text},
    failure::Failure,
    params::Params,
    responses::{Mapped, User, listed},
};
use crate::{
    accounts::{Abilities, NewUser, Role, UserChange},
    ids::LibraryId,
};

/// `getUser`: oneself, or anybody for an administrator.
pub(super) async fn get_user(call: &Call) -> Answer {
    // Some apps leave the name out when they ask about themselves.
    let name = call.params.get("username").unwrap_or(&call.principal.name);
    let is_own = name.eq_ignore_ascii_case(&call.principal.name);
    if !is_own {
        call.principal.require_admin()?;
    }
    let user = call.accounts().user(&call.principal, name).await?;
    call.reply("user", &User::of(&user))
}

/// `getUsers`.
pub(super) async fn get_users(call: &Call) -> Answer {
    let users = call.accounts().users(&call.principal).await?;
    call.reply("users", &listed("user", Mapped(&users, User::of)))
}

/// `createUser`.
pub(super) async fn create_user(call: &Call) -> Answer {
    let params = &call.params;
    let abilities = Abilities {
        settings: true,
        stream: true,
        playlist: true,
        scrobbling: true,
        sees_shared: true,
        download: false,
        upload: false,
        cover_art: false,
        comment: false,
        share: false,
        jukebox: false,
        podcast: false,
    };
    let mut new =
        NewUser::new(params.required("username")?, &clear_text(params.required("password")?));
    new.email = params.get("email").unwrap_or_default().to_owned();
    new.role = role(params)?.unwrap_or(Role::User);
    new.abilities = switched(params, abilities)?;
    let wanted = libraries(params)?;
    call.accounts().create_user(&call.principal, &new).await?;
    if wanted.is_some() {
        let change = UserChange { libraries: wanted, ..UserChange::default() };
        call.accounts().update_user(&call.principal, &new.name, &change).await?;
    }
    call.done()
}

/// `updateUser`: what is not sent stays.
pub(super) async fn update_user(call: &Call) -> Answer {
    let params = &call.params;
    call.principal.require_admin()?;
    let name = params.required("username")?;
    let user = call.accounts().user(&call.principal, name).await?;
    let limit = params.amount("maxBitRate")?;
    let change = UserChange {
        email: params.text("email").map(ToOwned::to_owned),
        role: role(params)?,
        abilities: Some(switched(params, user.abilities)?),
        max_bitrate_kbps: limit.map(|limit| (limit > 0).then_some(limit)),
        libraries: libraries(params)?,
        ..UserChange::default()
    };
    call.accounts().update_user(&call.principal, name, &change).await?;
    if let Some(password) = params.get("password") {
        call.accounts().set_password(&call.principal, name, &clear_text(password)).await?;
    }
    call.done()
}

/// `deleteUser`.
pub(super) async fn delete_user(call: &Call) -> Answer {
    let name = call.params.required("username")?;
    call.accounts().remove_user(&call.principal, name).await?;
    call.done()
}

/// `changePassword`: one's own, or anybody's for an administrator.
pub(super) async fn change_password(call: &Call) -> Answer {
    let name = call.params.required("username")?;
    let password = clear_text(call.params.required("password")?);
    call.accounts().set_password(&call.principal, name, &password).await?;
    call.done()
}

fn role(params: &Params) -> Result<Option<Role>, Failure> {
    let is_admin = params.flag("adminRole")?;
    Ok(is_admin.map(|is_admin| if is_admin { Role::Admin } else { Role::User }))
}

/// The switches with those changed that were sent.
fn switched(params: &Params, mut abilities: Abilities) -> Result<Abilities, Failure> {
    for (name, switch) in [
        ("settingsRole", &mut abilities.settings),
        ("streamRole", &mut abilities.stream),
        ("jukeboxRole", &mut abilities.jukebox),
        ("downloadRole", &mut abilities.download),
        ("uploadRole", &mut abilities.upload),
        ("playlistRole", &mut abilities.playlist),
        ("coverArtRole", &mut abilities.cover_art),
        ("commentRole", &mut abilities.comment),
        ("podcastRole", &mut abilities.podcast),
        ("shareRole", &mut abilities.share),
        ("scrobblingEnabled", &mut abilities.scrobbling),
    ] {
        if let Some(wanted) = params.flag(name)? {
            *switch = wanted;
        }
    }
    Ok(abilities)
}

/// The music folders to see; `None` when none was named, which leaves them as they are.
fn libraries(params: &Params) -> Result<Option<Vec<LibraryId>>, Failure> {
    let mut ids = Vec::new();
    for text in params.all("musicFolderId") {
        ids.push(LibraryId(super::params::number("musicFolderId", text)?));
    }
    Ok((!ids.is_empty()).then_some(ids))
}
