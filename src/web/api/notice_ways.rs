//! Where notices go beside the panel, for administrators: the mail server, the webhook, a test of
//! each. Secrets go in and never come out.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::json;

use super::{caller::Caller, lists::done};
use crate::{
    Error,
    accounts::{Feature, MailWay},
    outside::NoticeWay,
    web::{Handles, failure::Answer},
};

/// A mail server. Without a password the one that is known stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mail {
    way: MailWay,
    password: Option<String>,
}

/// A webhook. Without a secret the one that is known stays; an empty one forgets it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhook {
    url: String,
    secret: Option<String>,
}

/// GET /notice-ways
pub(super) async fn show(caller: Caller, of: Data<Handles>) -> Answer {
    let ways = of.outside.notice_ways(&caller.principal).await?;
    let mail = ways.mail.map(|mail| {
        let user = mail.login.as_ref().map_or("", |(user, _)| user);
        json!({
            "server": mail.server, "port": mail.port, "security": mail.security, "user": user,
            "hasPassword": mail.login.as_ref().is_some_and(|(_, password)| !password.is_empty()),
            "from": mail.from, "certificate": mail.certificate.unwrap_or_default(),
            "fixed": ways.is_mail_fixed,
        })
    });
    let webhook = ways.webhook.map(|webhook| {
        json!({
            "url": webhook.url, "hasSecret": webhook.secret.is_some(),
            "fixed": ways.is_webhook_fixed,
        })
    });
    Ok(HttpResponse::Ok().json(json!({
        "on": of.outside.is_on(Feature::Notices).await?,
        "forbidden": of.outside.is_forbidden(Feature::Notices),
        "mail": mail,
        "webhook": webhook,
    })))
}

/// PUT /notice-ways/mail
pub(super) async fn set_mail(caller: Caller, of: Data<Handles>, wish: Json<Mail>) -> Answer {
    let password = wish.password.as_deref();
    of.accounts.set_mail_way(&caller.principal, Some(&wish.way), password).await?;
    Ok(done())
}

/// DELETE /notice-ways/mail
pub(super) async fn forget_mail(caller: Caller, of: Data<Handles>) -> Answer {
    of.accounts.set_mail_way(&caller.principal, None, None).await?;
    Ok(done())
}

/// PUT /notice-ways/webhook
pub(super) async fn set_webhook(caller: Caller, of: Data<Handles>, wish: Json<Webhook>) -> Answer {
    let secret = wish.secret.as_deref();
    of.accounts.set_webhook_way(&caller.principal, Some(&wish.url), secret).await?;
    Ok(done())
}

/// DELETE /notice-ways/webhook
pub(super) async fn forget_webhook(caller: Caller, of: Data<Handles>) -> Answer {
    of.accounts.set_webhook_way(&caller.principal, None, None).await?;
    Ok(done())
}

/// POST /notice-ways/mail/test and /notice-ways/webhook/test: sends the caller a test now.
pub(super) async fn test(caller: Caller, of: Data<Handles>, way: Path<String>) -> Answer {
    let way = match way.as_str() {
        "mail" => NoticeWay::Mail,
        "webhook" => NoticeWay::Webhook,
        _ => return Err(Error::NotFound("Way").into()),
    };
    of.outside.test_notices(&caller.principal, way).await?;
    Ok(done())
}
