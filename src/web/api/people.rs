//! People, for administrators.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, done, sent},
    lockers,
};
use crate::{
    Error, Result,
    accounts::{Abilities, NewUser, Role, User, UserChange},
    ids::LibraryId,
    web::{Handles, failure::Answer, query::Query},
};

/// A person to add.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    name: String,
    password: String,
    role: Option<Role>,
    plan: Option<String>,
}

/// A change of one; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Change {
    display_name: Option<String>,
    email: Option<String>,
    role: Option<Role>,
    plan: Option<String>,
    disabled: Option<bool>,
    /// Switches by name; those left out stay.
    may: Option<serde_json::Map<String, Value>>,
    /// kbit/s; null is none.
    #[serde(default, deserialize_with = "sent")]
    max_bitrate: Option<Option<u32>>,
    /// Exactly these libraries besides the own locker; null is every shared one.
    #[serde(default, deserialize_with = "sent")]
    libraries: Option<Option<Vec<String>>>,
}

/// A new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    password: String,
}

/// GET /users
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let users = of.accounts.users(&caller.principal).await?;
    let mut shapes = Vec::with_capacity(users.len());
    for user in &users {
        shapes.push(shape(&of, user).await?);
    }
    Ok(all(shapes))
}

/// POST /users
pub(super) async fn create(caller: Caller, of: Data<Handles>, new: Json<New>) -> Answer {
    let new = new.into_inner();
    let user = NewUser {
        role: new.role.unwrap_or(Role::User),
        plan: new.plan,
        ..NewUser::new(&new.name, &new.password)
    };
    let id = of.accounts.create_user(&caller.principal, &user).await?;
    Ok(HttpResponse::Created().json(json!({ "id": id.to_string() })))
}

/// PATCH /users/NAME
pub(super) async fn change(
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
    change: Json<Change>,
) -> Answer {
    let change = change.into_inner();
    let mut abilities = None;
    if change.may.is_some() || change.libraries.is_some() {
        let user = of.accounts.user(&caller.principal, &name).await?;
        let mut switches = serde_json::to_value(user.abilities)?;
        for (switch, value) in change.may.unwrap_or_default() {
            switches[switch] = value;
        }
        if let Some(libraries) = &change.libraries {
            switches["sees_shared"] = json!(libraries.is_none());
        }
        abilities = Some(
            serde_json::from_value::<Abilities>(switches)
                .map_err(|error| Error::Invalid(error.to_string()))?,
        );
    }
    let libraries = change.libraries.flatten().map(|ids| {
        ids.iter()
            .map(|id| LibraryId::parse(id).ok_or(Error::NotFound("Library")))
            .collect::<Result<Vec<_>>>()
    });
    let change = UserChange {
        display_name: change.display_name,
        email: change.email,
        role: change.role,
        plan: change.plan,
        abilities,
        max_bitrate_kbps: change.max_bitrate,
        libraries: libraries.transpose()?,
        is_disabled: change.disabled,
    };
    of.accounts.update_user(&caller.principal, &name, &change).await?;
    Ok(done())
}

/// What becomes of the files of somebody who is removed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Removal {
    /// They go for good.
    #[serde(default)]
    delete_files: bool,
}

/// DELETE /users/NAME
pub(super) async fn remove(
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
    removal: Query<Removal>,
) -> Answer {
    if removal.delete_files {
        of.accounts.remove_user_and_files(&caller.principal, &name).await?;
    } else {
        of.accounts.remove_user(&caller.principal, &name).await?;
    }
    Ok(done())
}

/// PUT /users/NAME/password
pub(super) async fn set_password(
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
    fields: Json<Password>,
) -> Answer {
    caller.principal.require_admin()?;
    of.accounts.set_password(&caller.principal, &name, &fields.password).await?;
    Ok(done())
}

async fn shape(of: &Handles, user: &User) -> Result<Value> {
    let shown = if user.display_name.is_empty() { &user.name } else { &user.display_name };
    let usage = of.accounts.usage_of(&of.accounts.operator(), &user.name).await.ok();
    Ok(json!({
        "id": user.id.to_string(),
        "name": user.name,
        "displayName": shown,
        "email": user.email,
        "role": user.role,
        "plan": user.plan_name,
        "disabled": user.disabled_at.is_some(),
        "may": user.abilities,
        "maxBitrate": user.max_bitrate_kbps,
        "libraries": user.libraries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "avatar": user.avatar_changed_at,
        "createdAt": user.created_at,
        "usage": usage.as_ref().map(lockers::usage),
    }))
}
