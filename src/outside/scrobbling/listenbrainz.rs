//! Listens as ListenBrainz takes them: JSON with the ids of MusicBrainz where they are known.

use serde_json::{Value, json};

use super::{
    super::{Shared, lastfm::Trouble},
    Told,
};
use crate::egress::{Answer, Limits, Wanted, header};

impl Shared {
    /// Sends listens.
    pub(super) async fn listenbrainz_submit(
        &self,
        token: &str,
        listens: &[Told],
    ) -> Result<u64, Trouble> {
        let (wanted, odd): (Vec<&Told>, Vec<&Told>) =
            listens.iter().partition(|told| !told.artist.is_empty() && !told.title.is_empty());
        if wanted.is_empty() {
            return Ok(odd.len() as u64);
        }
        let kind = if wanted.len() == 1 { "single" } else { "import" };
        let payload: Vec<Value> = wanted
            .iter()
            .map(|told| json!({ "listened_at": told.at / 1000, "track_metadata": metadata(told) }))
            .collect();
        let body = json!({ "listen_type": kind, "payload": payload });
        self.listenbrainz_post("/1/submit-listens", token, &body).await?;
        Ok(odd.len() as u64)
    }

    /// Says what is heard now.
    pub(super) async fn listenbrainz_now(&self, token: &str, told: &Told) -> Result<(), Trouble> {
        let payload = [json!({ "track_metadata": metadata(told) })];
        let body = json!({ "listen_type": "playing_now", "payload": payload });
        self.listenbrainz_post("/1/submit-listens", token, &body).await.map(drop)
    }

    /// Loves a recording, or not any more; those without an id cannot be told.
    pub(super) async fn listenbrainz_love(
        &self,
        token: &str,
        told: &Told,
        is_loved: bool,
    ) -> Result<(), Trouble> {
        let Some(mbid) = &told.mbid else { return Ok(()) };
        let body = json!({ "recording_mbid": mbid, "score": i32::from(is_loved) });
        self.listenbrainz_post("/1/feedback/recording-feedback", token, &body).await.map(drop)
    }

    /// Asks something of a user.
    pub(super) async fn listenbrainz_get(&self, path: &str, token: &str) -> Result<Value, Trouble> {
        let url = format!("{}{path}", self.settings.places.listenbrainz);
        self.listenbrainz_answer(Wanted::get(&url, Limits::SERVICE), token).await
    }

    async fn listenbrainz_post(
        &self,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Result<Value, Trouble> {
        let url = format!("{}{path}", self.settings.places.listenbrainz);
        let bytes = body.to_string().into();
        let wanted = Wanted::post(&url, Limits::SERVICE, "application/json", bytes);
        self.listenbrainz_answer(wanted, token).await
    }

    async fn listenbrainz_answer(&self, wanted: Wanted<'_>, token: &str) -> Result<Value, Trouble> {
        let later = |sentence: String| Trouble::Later(format!("ListenBrainz: {sentence}"));
        let wanted = wanted.with(header::AUTHORIZATION, format!("Token {token}"));
        let answer: Answer =
            self.of.egress.ask(wanted).await.map_err(|fault| later(fault.to_string()))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|fault| later(fault.to_string()))?;
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let said: String = body["error"].as_str().unwrap_or_default().chars().take(200).collect();
        match status {
            200..300 => Ok(body),
            401 | 403 => Err(Trouble::Credential(format!("ListenBrainz says {status}: {said}"))),
            // Not 404: that says that the address is wrong, and nothing about the listens.
            400 | 413 | 422 => Err(Trouble::Refused(format!("ListenBrainz says {status}: {said}"))),
            _ => Err(later(format!("it answers {status}"))),
        }
    }
}

fn metadata(told: &Told) -> Value {
    let mut about = json!({
        "media_player": "Tunelocker",
        "submission_client": "Tunelocker",
        "submission_client_version": env!("CARGO_PKG_VERSION"),
        "duration_ms": told.duration_ms,
    });
    let mut set = |name: &str, value: Value| {
        about[name] = value;
    };
    if let Some(mbid) = &told.mbid {
        set("recording_mbid", json!(mbid));
    }
    if let Some(mbid) = &told.release_mbid {
        set("release_mbid", json!(mbid));
    }
    if let Some(number) = told.number {
        set("tracknumber", json!(number));
    }
    let mut metadata = json!({
        "artist_name": told.artist,
        "track_name": told.title,
        "additional_info": about,
    });
    if !told.album.is_empty() {
        metadata["release_name"] = json!(told.album);
    }
    metadata
}
