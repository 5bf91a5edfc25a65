//! One request of somebody known: who asks, and what the address stands for.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
};

use super::{
    Services,
    address::{Address, Wrong, is_same_host},
    failure::{Answer, Failure},
    headers,
};
use crate::{
    Error,
    accounts::Principal,
    drive::{Entry, EntryKind, Place, PlaceKind, RelativePath},
    error::AuthFailure,
    http::{credentials, origin, own_address},
};

/// One request of somebody known.
pub(super) struct Call<'a> {
    /// As it came.
    pub(super) request: &'a HttpRequest,
    /// For whom everything is done.
    pub(super) principal: Principal,
    /// What answers.
    pub(super) services: &'a Services,
    /// Where somebody may keep or find files, each with a name of its own.
    pub(super) places: Vec<(String, Place)>,
}

/// What an address stands for, there or not.
#[derive(Debug, Clone)]
pub(super) struct Spot<'a> {
    /// How the place is called in addresses.
    pub(super) name: &'a str,
    /// The place.
    pub(super) place: &'a Place,
    /// Where in the place.
    pub(super) path: RelativePath,
    /// Where in the locker.
    pub(super) full: RelativePath,
}

impl<'a> Call<'a> {
    /// Finds out who asks. Nothing of the body was read before.
    pub(super) async fn open(request: &'a HttpRequest, services: &'a Services) -> Answer<Self> {
        let given = headers::text(request.headers(), &header::AUTHORIZATION);
        let given = given.ok_or(Error::from(AuthFailure::Missing))?;
        let given = credentials(given).ok_or(Error::from(AuthFailure::Wrong))?;
        let principal = services.accounts.authenticate(given, &origin(request)).await?;
        let places = named(services.drive.places(&principal).await?);
        Ok(Self { request, principal, services, places })
    }

    /// What the request's own address says.
    pub(super) fn address(&self) -> Answer<Address> {
        Ok(Address::parse(self.request.uri().path())?)
    }

    /// What the request's own address stands for. `Forbidden` for the list of places.
    pub(super) fn spot(&self) -> Answer<Spot<'_>> {
        self.spot_of(self.address()?)?.ok_or_else(|| {
            Failure::forbidden("Lockers are made by administrators; this is the list of them")
        })
    }

    /// The same for something that is to be put there: its name is one that every way in takes.
    pub(super) fn new_spot(&self) -> Answer<Spot<'_>> {
        let spot = self.spot()?;
        spot.path.judge()?;
        Ok(spot)
    }

    /// What an address stands for; none for the list of places.
    pub(super) fn spot_of(&self, address: Address) -> Answer<Option<Spot<'_>>> {
        let Address::Inside { place, path } = address else { return Ok(None) };
        let (name, place) =
            self.places.iter().find(|(name, _)| *name == place).ok_or(Error::NotFound("Locker"))?;
        let full = path.below(&place.base);
        Ok(Some(Spot { name, place, path, full }))
    }

    /// Reads an address that a header carries.
    pub(super) fn address_of(&self, value: &str) -> Result<Address, Wrong> {
        let own = own_address(self.request);
        let hosts = [Some(own.as_str()), self.services.public_url.as_deref()];
        Address::of_header(value, |host| {
            hosts
                .iter()
                .flatten()
                .filter_map(|url| authority(url))
                .any(|own| is_same_host(own, host))
        })
    }

    /// What is at a spot; none where nothing is.
    pub(super) async fn there(&self, spot: &Spot<'_>) -> Answer<Option<Entry>> {
        let drive = &self.services.drive;
        match drive.stat(&self.principal, spot.place.locker, &spot.full).await {
            Err(Error::NotFound(_)) => Ok(None),
            entry => Ok(Some(entry?)),
        }
    }

    /// A spot that something shall be put at has a folder above it (RFC 4918, 9.3.1 and 9.7.1).
    pub(super) async fn require_parent(&self, spot: &Spot<'_>) -> Answer<()> {
        let missing = || Failure::new(StatusCode::CONFLICT, "There is no folder to put it in");
        let Some(parent) = spot.path.parent() else { return Ok(()) };
        let full = parent.below(&spot.place.base);
        let parent = Spot { path: parent, full, ..spot.clone() };
        match self.there(&parent).await? {
            Some(entry) if entry.kind == EntryKind::Folder => Ok(()),
            _ => Err(missing()),
        }
    }
}

/// `host[:port]` of an address.
fn authority(url: &str) -> Option<&str> {
    url.split_once("://")?.1.split('/').next()
}

/// Each place by a name of its own: what a place is called, and whose it is where two are called
/// the same.
fn named(places: Vec<Place>) -> Vec<(String, Place)> {
    let mut named: Vec<(String, Place)> = Vec::new();
    for place in places {
        let mut name = place.name.clone();
        let is_taken = |name: &str| named.iter().any(|(taken, _)| taken == name);
        if is_taken(&name)
            && let PlaceKind::Shared { owner, .. } = &place.kind
        {
            name = format!("{name} ({owner})");
        }
        let base = name.clone();
        let mut number = 2;
        while is_taken(&name) {
            name = format!("{base} {number}");
            number += 1;
        }
        named.push((name, place));
    }
    named
}
