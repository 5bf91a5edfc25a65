//! Purchases handed over by shops: the door for their keys, and for administrators the keys, the
//! orders and what an album brings.

use actix_web::{
    FromRequest as _, HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, done},
    uploader::{deliverer, deliverer_of},
};
use crate::{
    Error,
    accounts::{Bonus, Gives},
    drive::{Delivery, Exempt, Granted, ItemSource, NewDelivery, NewItem, Product, Received},
    ids::{DeliveryId, DeliveryKeyId},
    web::{Handles, addresses, failure::Answer},
};

/// Deliveries in one list.
const MOST: u32 = 100;

/// An order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// A login name, or an e-mail address.
    user: String,
    order: String,
    /// Make an account for the address if it has none.
    #[serde(default)]
    create: bool,
    product: Option<Product>,
    /// `purchase` unless something else is said; null counts the files.
    #[serde(default = "purchase")]
    exempt: Option<Exempt>,
    #[serde(default)]
    grants: Vec<Granted>,
    items: Vec<OrderItem>,
}

/// A file of it: exactly one of `upload` and `url`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderItem {
    upload: Option<String>,
    url: Option<String>,
    path: Option<String>,
}

fn purchase() -> Option<Exempt> {
    Some(Exempt::Purchase)
}

/// A key to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    label: String,
    /// Whose uploads it may hand over; one's own if nothing is said.
    user: Option<String>,
}

/// A rule to add: exactly one of `plan` and `bytes`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRule {
    product: Bonus,
    plan: Option<String>,
    bytes: Option<u64>,
    days: Option<u32>,
}

/// POST /deliveries, with a delivery key as the bearer.
pub(super) async fn deliver(request: HttpRequest, of: Data<Handles>, order: Json<Order>) -> Answer {
    let deliverer = deliverer(&request, &of).await?;
    let order = order.into_inner();
    let items = order.items.into_iter().map(|item| {
        let from = match (item.upload, item.url) {
            (Some(upload), None) => {
                // Shops have its address; the last part is the id.
                ItemSource::Upload(upload.rsplit('/').next().unwrap_or_default().to_owned())
            }
            (None, Some(url)) => ItemSource::Url(url),
            _ => {
                return Err(Error::Invalid("A file is either an upload or a url".to_owned()));
            }
        };
        Ok(NewItem { from, path: item.path })
    });
    let new = NewDelivery {
        user: order.user,
        creates_account: order.create,
        order: order.order,
        product: order.product,
        exempt: order.exempt,
        grants: order.grants,
        items: items.collect::<Result<_, Error>>()?,
    };
    let received = of.deliveries.deliver(&deliverer, &new).await?;
    let mut answer = match &received {
        Received::Done(_) => HttpResponse::Created(),
        Received::Known(_) => HttpResponse::Ok(),
        Received::Open(_) => HttpResponse::Accepted(),
    };
    let delivery = received.delivery();
    answer.insert_header((header::LOCATION, format!("/api/v1/deliveries/{}", delivery.id)));
    Ok(shown(&mut answer, &request, &of, delivery))
}

/// GET /deliveries/ID: how one stands, for the shop that handed it over, its owner and administrators.
pub(super) async fn one(request: HttpRequest, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = DeliveryId::parse(&id).ok_or(Error::NotFound("Delivery"));
    let delivery = match deliverer_of(&request, &of).await? {
        Some(deliverer) => of.deliveries.one_by(&deliverer, id?).await?,
        None => {
            let caller = Caller::extract(&request).await?;
            of.deliveries.one(&caller.principal, id?).await?
        }
    };
    Ok(shown(&mut HttpResponse::Ok(), &request, &of, &delivery))
}

fn shown(
    answer: &mut HttpResponseBuilder,
    request: &HttpRequest,
    of: &Handles,
    delivery: &Delivery,
) -> HttpResponse {
    let place = addresses::addresses(request, &of.site);
    let place = place.first().map_or("", String::as_str);
    answer.insert_header((header::CACHE_CONTROL, "no-store")).json(shape(delivery, place))
}

/// GET /deliveries: all for administrators, else one's own.
pub(super) async fn list(request: HttpRequest, caller: Caller, of: Data<Handles>) -> Answer {
    let found = of.deliveries.list(&caller.principal, MOST).await?;
    let place = addresses::addresses(&request, &of.site);
    let place = place.first().map_or("", String::as_str);
    Ok(all(found.iter().map(|delivery| shape(delivery, place))))
}

/// GET /delivery-keys
pub(super) async fn keys(caller: Caller, of: Data<Handles>) -> Answer {
    let keys = of.accounts.delivery_keys(&caller.principal).await?;
    Ok(all(keys.into_iter().map(|key| {
        json!({
            "id": key.id.to_string(), "label": key.label, "user": key.user,
            "createdAt": key.created_at, "usedAt": key.used_at, "revokedAt": key.revoked_at,
        })
    })))
}

/// POST /delivery-keys: the only answer that ever holds the secret.
pub(super) async fn create_key(caller: Caller, of: Data<Handles>, new: Json<NewKey>) -> Answer {
    let user = new.user.as_deref().unwrap_or(&caller.principal.name);
    let (id, secret) = of.accounts.create_delivery_key(&caller.principal, &new.label, user).await?;
    let body = json!({ "id": id.to_string(), "secret": secret });
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(body))
}

/// DELETE /delivery-keys/ID
pub(super) async fn revoke_key(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = DeliveryKeyId::parse(&id).ok_or(Error::NotFound("Delivery key"))?;
    of.accounts.revoke_delivery_key(&caller.principal, id).await?;
    Ok(done())
}

/// GET /bonus-rules
pub(super) async fn rules(caller: Caller, of: Data<Handles>) -> Answer {
    let rules = of.accounts.bonus_rules(&caller.principal).await?;
    Ok(all(rules.into_iter().map(|rule| {
        let (plan, bytes) = match rule.gives {
            Gives::Plan(plan) => (Some(plan), None),
            Gives::Bytes(bytes) | Gives::Tier(bytes) => (None, Some(bytes)),
        };
        json!({
            "id": rule.id, "product": rule.product, "plan": plan, "bytes": bytes,
            "days": rule.days,
        })
    })))
}

/// POST /bonus-rules
pub(super) async fn add_rule(caller: Caller, of: Data<Handles>, new: Json<NewRule>) -> Answer {
    caller.principal.require_admin()?;
    let new = new.into_inner();
    let gives = match (new.plan, new.bytes) {
        (Some(plan), None) => Gives::Plan(plan),
        (None, Some(bytes)) => Gives::Bytes(bytes),
        _ => return Err(Error::Invalid("A rule gives a plan or more bytes".to_owned()).into()),
    };
    let id = of.accounts.add_bonus_rule(&caller.principal, new.product, &gives, new.days).await?;
    Ok(HttpResponse::Created().json(json!({ "id": id })))
}

/// DELETE /bonus-rules/ID
pub(super) async fn remove_rule(caller: Caller, of: Data<Handles>, id: Path<i64>) -> Answer {
    of.accounts.remove_bonus_rule(&caller.principal, *id).await?;
    Ok(done())
}

fn shape(delivery: &Delivery, place: &str) -> Value {
    let items: Vec<Value> = delivery
        .items
        .iter()
        .map(|item| {
            let state = match (item.is_stored, item.problem.is_empty()) {
                (true, _) => "stored",
                (false, true) => "waiting",
                (false, false) => "failed",
            };
            json!({
                "path": item.path, "size": item.size, "state": state, "problem": item.problem,
                "type": item.word,
            })
        })
        .collect();
    let state = match (delivery.is_done, delivery.is_running) {
        (true, _) => "done",
        (false, true) => "running",
        (false, false) => "open",
    };
    json!({
        "id": delivery.id.to_string(), "source": delivery.source, "order": delivery.order,
        "user": delivery.user, "state": state,
        "createdAt": delivery.created_at, "items": items,
        "invitation": delivery.invitation.as_ref().map(|invitation| json!({
            "url": format!("{place}/invite/{}", invitation.token),
            "expiresAt": invitation.expires_at,
        })),
    })
}
