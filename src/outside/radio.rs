//! Stations of internet radio. Administrators keep the list; clients play the streams themselves,
//! so nothing is fetched here.

use std::sync::Arc;

use bytes::Bytes;

use super::Shared;
use crate::{
    Error, Result,
    accounts::{Feature, Principal},
    catalog::Cover,
    ids::StationId,
};

/// Longest address of a stream or page.
const LONGEST_URL: usize = 2000;

/// The stations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Radio(pub(super) Arc<Shared>);

/// A station.
#[derive(Debug, Clone)]
pub struct Station {
    /// Its id.
    pub id: StationId,
    /// Its name.
    pub name: String,
    /// What is played.
    pub stream_url: String,
    /// Its page, or ''.
    pub homepage_url: String,
    /// Hash of its picture.
    pub picture: Option<String>,
}

/// What a station is to be.
#[derive(Debug, Clone)]
pub struct StationDraft {
    /// Its name.
    pub name: String,
    /// What is played; http or https.
    pub stream_url: String,
    /// Its page; `None` leaves as is, '' is none.
    pub homepage_url: Option<String>,
}

impl StationDraft {
    /// The same, trimmed, if it makes sense.
    fn check(&self) -> Result<Self> {
        let name: String =
            self.name.trim().chars().filter(|letter| !letter.is_control()).take(200).collect();
        if name.is_empty() {
            return Err(Error::Invalid("The station needs a name".to_owned()));
        }
        let homepage_url = match self.homepage_url.as_deref().map(str::trim) {
            None => None,
            Some("") => Some(String::new()),
            Some(url) => Some(web_address(url, "homepage")?),
        };
        Ok(Self { name, stream_url: web_address(self.stream_url.trim(), "stream")?, homepage_url })
    }
}

/// The form of an address that clients will open: http or https, with a host, without a password.
fn web_address(text: &str, what: &str) -> Result<String> {
    let wrong = || {
        Error::Invalid(format!(
            "The {what} needs an address that begins with http:// or https:// and holds no password"
        ))
    };
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let is_web = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty());
    let has_password = url.password().is_some() || !url.username().is_empty();
    if !is_web || has_password || LONGEST_URL < text.len() {
        return Err(wrong());
    }
    Ok(url.into())
}

impl Radio {
    /// All stations by name; none while internet radio is off.
    pub async fn stations(&self, _principal: &Principal) -> Result<Vec<Station>> {
        if !self.0.is_on(Feature::Radio).await? {
            return Ok(Vec::new());
        }
        let rows = sqlx::query!(
            "select station_id, name, stream_url, homepage_url, picture from radio_station
             order by name collate nocase, station_id"
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Station {
                id: row.station_id.into(),
                name: row.name,
                stream_url: row.stream_url,
                homepage_url: row.homepage_url,
                picture: row.picture,
            })
            .collect())
    }

    /// Adds a station. Administrators only.
    pub async fn create(&self, principal: &Principal, draft: &StationDraft) -> Result<StationId> {
        self.require(principal).await?;
        let draft = draft.check()?;
        let (now, homepage) = (self.0.now(), draft.homepage_url.unwrap_or_default());
        let mut tx = self.0.of.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into radio_station (name, stream_url, homepage_url, created_at, changed_at)
               values (?1, ?2, ?3, ?4, ?4) returning station_id as "id!: i64""#,
            draft.name,
            draft.stream_url,
            homepage,
            now
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(id.into())
    }

    /// Changes a station. Administrators only.
    pub async fn update(
        &self,
        principal: &Principal,
        id: StationId,
        draft: &StationDraft,
    ) -> Result<()> {
        self.require(principal).await?;
        let (draft, now) = (draft.check()?, self.0.now());
        let mut tx = self.0.of.db.write().await?;
        let found = sqlx::query!(
            "update radio_station set name = ?2, stream_url = ?3,
                    homepage_url = coalesce(?4, homepage_url), changed_at = ?5
             where station_id = ?1",
            id,
            draft.name,
            draft.stream_url,
            draft.homepage_url,
            now
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        there_was(found)
    }

    /// Removes a station. Administrators only.
    pub async fn remove(&self, principal: &Principal, id: StationId) -> Result<()> {
        self.require(principal).await?;
        let mut tx = self.0.of.db.write().await?;
        let found = sqlx::query!("delete from radio_station where station_id = ?", id)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        there_was(found)
    }

    /// Gives a station a picture. Administrators only.
    pub async fn set_picture(
        &self,
        principal: &Principal,
        id: StationId,
        bytes: Bytes,
    ) -> Result<()> {
        self.require(principal).await?;
        let (hash, now) = (self.0.keep_picture(bytes).await?, self.0.now());
        let mut tx = self.0.of.db.write().await?;
        let found = sqlx::query!(
            "update radio_station set picture = ?2, changed_at = ?3 where station_id = ?1",
            id,
            hash,
            now
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        there_was(found)
    }

    /// A station's picture.
    pub async fn cover(
        &self,
        principal: &Principal,
        id: StationId,
        size: Option<u32>,
    ) -> Result<Cover> {
        let stations = self.stations(principal).await?;
        let station = stations.into_iter().find(|station| station.id == id);
        let hash = station.and_then(|station| station.picture).ok_or(Error::NotFound("Picture"))?;
        self.0.picture(&hash, size).await
    }

    async fn require(&self, principal: &Principal) -> Result<()> {
        principal.require_tending()?;
        self.0.require(Feature::Radio).await
    }
}

/// A change of no row at all was about a station that is not there.
fn there_was(rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::NotFound("Station")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stations_have_a_name_and_a_web_address() {
        let draft = |name: &str, stream: &str| StationDraft {
            name: name.to_owned(),
            stream_url: stream.to_owned(),
            homepage_url: None,
        };
        assert!(draft("A", "http://example.org:8000/stream").check().is_ok());
        assert!(draft("A", "https://192.168.1.9/x").check().is_ok());
        for (name, stream) in [
            ("", "http://example.org/"),
            ("A", ""),
            ("A", "example.org"),
            ("A", "ftp://example.org/"),
            ("A", "javascript:alert(1)"),
            ("A", "file:///etc/passwd"),
            ("A", "http://u:p@example.org/"),
            ("A", "http://"),
        ] {
            assert!(draft(name, stream).check().is_err(), "{name} {stream}");
        }
    }
}
