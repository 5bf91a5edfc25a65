//! Accounts that were made for somebody, and the link by which he chooses a password.

use super::{
    Accounts, NewUser, Origin, Principal, SessionCookie,
    keys::random,
    rules::{check_name, check_password},
};
use crate::{Error, Result, clock::Millis, db::Tx, events::Event, ids::UserId};

/// How long an invitation waits.
const PATIENCE: Millis = 30 * 24 * 3600 * 1000;

/// A link's secret.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Of `/invite/TOKEN`.
    pub token: String,
    /// Until when it is good.
    pub expires_at: Millis,
}

impl Accounts {
    /// The user who is meant by a login name or an e-mail address.
    pub(crate) async fn find_user(&self, name_or_email: &str) -> Result<Option<UserId>> {
        let found = sqlx::query_scalar!(
            r#"select user_id as "id!: i64" from user
               where name = ?1 or (email <> '' and email = ?1 collate nocase)
               order by name = ?1 desc, user_id limit 2"#,
            name_or_email
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(found.first().copied().map(UserId))
    }

    /// Makes an account for an e-mail address that has none, with a name made of it and a password
    /// that nobody knows; the invitation is how its owner gets in.
    pub(crate) async fn invite(&self, email: &str) -> Result<UserId> {
        let email = super::one_line(email, 200);
        let Some((local, domain)) = email.split_once('@') else {
            return Err(Error::Invalid("An account is made for an e-mail address".to_owned()));
        };
        if local.is_empty() || !domain.contains('.') || email.contains(char::is_whitespace) {
            return Err(Error::Invalid("That is not an e-mail address".to_owned()));
        }
        let password = hex::encode(random::<32>()?);
        let hash = self.passwords.hash(&password).await?;
        let stem = stem(local);
        let mut tx = self.db.write().await?;
        self.settle_mode(&mut tx).await?;
        let mut number = 1;
        let name = loop {
            let name = if number == 1 { stem.clone() } else { format!("{stem}{number}") };
            let path = format!("lockers/{name}");
            let is_taken = check_name(&name).is_err()
                || sqlx::query_scalar!(
                    r#"select exists (select 1 from user where name = ?1)
                       or exists (select 1 from locker where path = ?2) as "is_taken!: bool""#,
                    name,
                    path
                )
                .fetch_one(&mut *tx)
                .await?;
            if !is_taken {
                break name;
            }
            number += 1;
        };
        let new = NewUser { email, ..NewUser::new(&name, &password) };
        let user = self.insert_invited(&mut tx, &hash, &new).await?;
        tx.commit().await?;
        self.tell_of_new(user);
        Ok(user)
    }

    /// Makes an account under this login name, with a password that nobody knows; the invitation
    /// is how its owner gets in. Admin only.
    pub(crate) async fn invite_as(
        &self,
        admin: &Principal,
        name: &str,
        display_name: &str,
        email: &str,
    ) -> Result<UserId> {
        admin.require_admin()?;
        let name = check_name(name)?;
        let password = hex::encode(random::<32>()?);
        let hash = self.passwords.hash(&password).await?;
        let new = NewUser {
            display_name: display_name.to_owned(),
            email: email.to_owned(),
            ..NewUser::new(name, &password)
        };
        let mut tx = self.db.write().await?;
        self.settle_mode(&mut tx).await?;
        let user = self.insert_invited(&mut tx, &hash, &new).await?;
        tx.commit().await?;
        self.tell_of_new(user);
        Ok(user)
    }

    async fn insert_invited(&self, tx: &mut Tx, hash: &str, new: &NewUser) -> Result<UserId> {
        let user = self.insert_user(tx, &new.name, hash, new).await?;
        let token = hex::encode(random::<20>()?);
        let lookup = self.keys.hash("invitation", token.as_bytes());
        let lookup = lookup.as_slice();
        let sealed = self.keys.seal(user.0, token.as_bytes())?;
        let now = self.clock.now();
        let expires_at = now + PATIENCE;
        sqlx::query!(
            "insert into invitation (user_id, lookup, sealed, created_at, expires_at) values (?, ?, ?, ?, ?)",
            user.0,
            lookup,
            sealed,
            now,
            expires_at
        )
        .execute(&mut **tx)
        .await?;
        Ok(user)
    }

    fn tell_of_new(&self, user: UserId) {
        self.memory.forget_all();
        self.events.publish(Event::LibrariesChanged);
        self.events.publish(Event::AccountChanged { user });
    }

    /// The invitation that waits for a user, if one does.
    pub(crate) async fn invitation(&self, user: UserId) -> Result<Option<Invitation>> {
        let now = self.clock.now();
        let row = sqlx::query!(
            "select sealed, expires_at from invitation where user_id = ? and ? < expires_at",
            user.0,
            now
        )
        .fetch_optional(self.db.read())
        .await?;
        Ok(row.and_then(|row| {
            let token = self.unseal(user, &row.sealed)?;
            Some(Invitation { token, expires_at: row.expires_at })
        }))
    }

    /// Whom an invitation is for, by login name. Wrong ones are counted.
    pub async fn invited(&self, token: &str, origin: &Origin) -> Result<String> {
        let lookup = self.keys.hash("invitation", token.as_bytes());
        let (lookup, now) = (lookup.as_slice(), self.clock.now());
        let name = sqlx::query_scalar!(
            "select u.name from invitation i join user u using (user_id)
             where i.lookup = ? and ? < i.expires_at and u.disabled_at is null",
            lookup,
            now
        )
        .fetch_optional(self.db.read())
        .await?;
        match name {
            Some(name) => Ok(name),
            None => {
                self.share_missed(origin.address)?;
                Err(Error::NotFound("Invitation"))
            }
        }
    }

    /// Sets the password that the invited chose, and signs him in. The link is used up.
    pub async fn accept_invitation(
        &self,
        token: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<(SessionCookie, Principal)> {
        self.invited(token, origin).await?;
        check_password(password)?;
        let hash = self.passwords.hash(password).await?;
        let lookup = self.keys.hash("invitation", token.as_bytes());
        let (lookup, now) = (lookup.as_slice(), self.clock.now());
        let mut tx = self.db.write().await?;
        let user = sqlx::query_scalar!(
            r#"delete from invitation where lookup = ? and ? < expires_at returning user_id as "id!: i64""#,
            lookup,
            now
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("Invitation"))?;
        sqlx::query!(
            "update user set password_hash = ?, changed_at = ? where user_id = ?",
            hash,
            now,
            user
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.forget(UserId(user));
        let account = self.account(UserId(user)).await?.ok_or(Error::NotFound("User"))?;
        self.start_session(&account, origin).await
    }
}

/// A login name from the part of an address before the @.
fn stem(local: &str) -> String {
    let plain: String = local
        .to_ascii_lowercase()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .take(40)
        .collect();
    let plain = plain.trim_matches('-').to_owned();
    if plain.is_empty() { "guest".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_made_of_addresses() {
        for (local, name) in [("Ann.Lee+shop", "ann-lee-shop"), ("--", "guest"), ("Ünal", "nal")] {
            assert_eq!(super::stem(local), name);
        }
    }
}
