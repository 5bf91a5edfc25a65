//! Giving what was read to the people here. It acts for the operator: who moves a household in
//! says who is who.

use super::{
    model::{Arrived, Belongings, Joins, Name, Station, Taken, Tally, Wish},
    resolve::{Meant, resolve},
};
use crate::{
    Error, Result,
    accounts::{Accounts, Feature, Principal, SetUpState, login_name},
    catalog::{Catalog, Description, Named, TakenShare, Trial},
    outside::{Outside, StationDraft},
};

/// Moving in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Moving {
    accounts: Accounts,
    catalog: Catalog,
    outside: Outside,
}

impl Moving {
    /// Over the services of a running server.
    #[must_use]
    pub fn new(accounts: Accounts, catalog: Catalog, outside: Outside) -> Self {
        Self { accounts, catalog, outside }
    }

    /// Finds or makes an account for each: under the name that was wished, else under its own. New
    /// ones have no password; the invitation is how their owners get in. Admin only.
    pub async fn arrive(
        &self,
        admin: &Principal,
        wishes: &[Wish],
        trial: Trial,
    ) -> Result<Vec<Arrived>> {
        admin.require_admin()?;
        if self.accounts.set_up_state().await? == SetUpState::Needed {
            return Err(Error::Conflict(
                "nobody has set this server up yet; do that first, so that it has an administrator"
                    .to_owned(),
            ));
        }
        let mut arrived = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let wanted = wish.as_name.as_deref().unwrap_or(&wish.name);
            let as_name = login_name(wanted).ok_or_else(|| {
                Error::Invalid(format!(
                    "no login name can be made of {wanted:?}; choose one with --user {wanted}=NAME"
                ))
            })?;
            let known = self.accounts.find_user(&as_name).await?;
            let joins = if known.is_some() { Joins::Known } else { Joins::New };
            let user = match (known, trial) {
                (None, Trial::No) => {
                    let (shown, email) = (&wish.display_name, &wish.email);
                    Some(self.accounts.invite_as(admin, &as_name, shown, email).await?)
                }
                (known, _) => known,
            };
            let invitation = match user {
                Some(user) => self.accounts.invitation(user).await?.map(|it| it.token),
                None => None,
            };
            arrived.push(Arrived { name: wish.name.clone(), as_name, joins, invitation });
        }
        Ok(arrived)
    }

    /// Gives belongings to a user. `people` are all who came along. As a trial for somebody who is
    /// not here yet, it looks at what a new user would see. Admin only.
    pub async fn take_in(
        &self,
        admin: &Principal,
        name: &str,
        belongings: &Belongings,
        people: &[Arrived],
        trial: Trial,
    ) -> Result<Taken> {
        admin.require_admin()?;
        let principal = match self.accounts.principal_named(name).await {
            Err(Error::NotFound(_)) if trial == Trial::Yes => self.accounts.newcomer().await?,
            found => found?,
        };
        let descriptions: Vec<Description> = belongings
            .tracks
            .iter()
            .map(|track| Description {
                path: track.path.clone(),
                mbids: track.mbids.clone(),
                title: track.title.clone(),
                artist: track.artist.clone(),
                album: track.album.clone(),
                duration_ms: track.duration_ms,
            })
            .collect();
        let named = |of: &Name, artist: &str| Named {
            name: of.name.clone(),
            artist: artist.to_owned(),
            mbid: of.mbid.clone(),
        };
        let albums: Vec<Named> =
            belongings.albums.iter().map(|album| named(&album.mark.of, &album.artist)).collect();
        let artists: Vec<Named> =
            belongings.artists.iter().map(|artist| named(&artist.of, "")).collect();
        let meant = Meant {
            tracks: self.catalog.recognise_tracks(&principal, &descriptions).await?,
            albums: self.catalog.recognise_albums(&principal, &albums).await?,
            artists: self.catalog.recognise_artists(&principal, &artists).await?,
        };
        let member = |there: &str| {
            let found = people.iter().find(|person| person.name.eq_ignore_ascii_case(there));
            found.map(|person| person.as_name.clone())
        };
        let brought = resolve(belongings, &meant, member);
        let done = self.catalog.take_in(&principal, &brought, trial).await?;
        Ok(Taken {
            stars: tally(done.stars),
            ratings: tally(done.ratings),
            plays: tally(done.plays),
            listens: tally(done.listens),
            lists: tally(done.playlists),
            bookmarks: tally(done.bookmarks),
            queue: tally(done.queue),
            notes: done.notes,
            ..meant.told()
        })
    }

    /// Adds stations whose stream is not here yet, and says what could not be added. Admin only.
    pub async fn add_stations(
        &self,
        admin: &Principal,
        stations: &[Station],
        trial: Trial,
    ) -> Result<(Tally, Vec<String>)> {
        admin.require_admin()?;
        let mut tally = Tally::default();
        let mut notes = Vec::new();
        if stations.is_empty() {
            return Ok((tally, notes));
        }
        if !self.outside.is_on(Feature::Radio).await? {
            notes.push(format!(
                "{} stations: internet radio is turned off here; turn it on and import again",
                stations.len()
            ));
            return Ok((tally, notes));
        }
        let radio = &self.outside.radio;
        let here = radio.stations(admin).await?;
        for station in stations {
            let same =
                |url: &str| url.trim_end_matches('/') == station.stream_url.trim_end_matches('/');
            if here.iter().any(|one| same(&one.stream_url)) {
                tally.kept += 1;
                continue;
            }
            if trial == Trial::No {
                let homepage_url =
                    (!station.homepage_url.is_empty()).then(|| station.homepage_url.clone());
                let draft = StationDraft {
                    name: station.name.clone(),
                    stream_url: station.stream_url.clone(),
                    homepage_url,
                };
                match radio.create(admin, &draft).await {
                    Ok(_) => (),
                    Err(Error::Invalid(why)) => {
                        notes.push(format!("the station {:?}: {why}", station.name));
                        continue;
                    }
                    Err(other) => return Err(other),
                }
            }
            tally.taken += 1;
        }
        Ok((tally, notes))
    }
}

fn tally(share: TakenShare) -> Tally {
    Tally { taken: share.taken, kept: share.kept }
}
