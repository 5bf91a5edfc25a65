//! PROPFIND (RFC 4918, 9.1): what there is, one level deep at most. Long folders are written
//! while they are sent.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use actix_web::{HttpResponse, http::StatusCode};
use bytes::Bytes;

use super::{
    address::href,
    bodies::{self, Wish},
    call::{Call, Spot},
    failure::{Answer, Failure},
    headers::{self, Depth},
    locking::covering,
    multistatus::{self, href_of, name_of, propstat},
    properties::{Live, Resource},
};
use crate::{
    Error,
    accounts::Usage,
    clock::Millis,
    drive::{Entry, EntryKind, Lock, Place, PlaceKind, Property, PropertyName, RelativePath},
};

/// Members that are written at a time.
const PIECE: usize = 128;

pub(super) async fn serve(call: &Call<'_>, body: &[u8]) -> Answer {
    let depth = headers::depth(call.request.headers(), Depth::Infinity)?;
    let wish = bodies::propfind(body)?;
    if depth == Depth::Infinity {
        let sentence = "Folders are listed one level at a time";
        return Err(Failure::forbidden(sentence).because("propfind-finite-depth"));
    }
    let plan = Plan::of(wish);
    match call.spot_of(call.address()?)? {
        None => places(call, &plan, depth).await,
        Some(spot) => inside(call, &spot, plan, depth).await,
    }
}

/// The list of places.
async fn places(call: &Call<'_>, plan: &Plan, depth: Depth) -> Answer {
    let now = call.services.clock.now();
    let own = call.places.iter().find(|(_, place)| place.kind == PlaceKind::Own);
    let top = Resource {
        name: "Tunelocker",
        is_folder: true,
        size: 0,
        modified_at: 0,
        created_at: None,
        etag: None,
        locks: Vec::new(),
        // Whoever mounts all of it asks here how much fits.
        usage: own.and_then(|(_, place)| place.usage),
        is_lockable: false,
        now,
    };
    let mut out = String::new();
    plan.write("/dav/", &top, &[], &mut out);
    if depth == Depth::One {
        for (name, place) in &call.places {
            let full = place.base.clone();
            let spot = Spot { name, place, path: RelativePath::root(), full };
            let Some(entry) = call.there(&spot).await? else { continue };
            let listing = Listing::of(call, &spot, plan.clone(), entry).await?;
            listing.write_own(&mut out);
        }
    }
    Ok(multistatus::whole(&out))
}

/// A file, or a folder and perhaps its members.
async fn inside(call: &Call<'_>, spot: &Spot<'_>, plan: Plan, depth: Depth) -> Answer {
    let entry = call.there(spot).await?.ok_or(Error::NotFound("File"))?;
    let lists = depth == Depth::One && entry.kind == EntryKind::Folder;
    let mut listing = Listing::of(call, spot, plan, entry).await?;
    if lists {
        let (drive, locker) = (&call.services.drive, spot.place.locker);
        listing.members = drive.list(&call.principal, locker, &spot.full).await?;
        if listing.plan.wants_dead {
            listing.members_kept = drive.properties_in(&call.principal, locker, &spot.full).await?;
        }
    }
    let mut head = String::from(multistatus::HEAD);
    listing.write_own(&mut head);
    if listing.members.len() <= PIECE {
        listing.write_members(0, &mut head);
        head.push_str(multistatus::TAIL);
        let mut answer = HttpResponse::build(StatusCode::MULTI_STATUS);
        return Ok(answer.content_type(multistatus::TYPE).body(head));
    }
    let listing = Arc::new(listing);
    let starts = (0..listing.members.len()).step_by(PIECE);
    let members = starts.map(move |start| {
        let mut out = String::new();
        listing.write_members(start, &mut out);
        out
    });
    let pieces = std::iter::once(head)
        .chain(members)
        .chain(std::iter::once(multistatus::TAIL.to_owned()))
        .map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
    Ok(HttpResponse::build(StatusCode::MULTI_STATUS)
        .content_type(multistatus::TYPE)
        .streaming(futures_util::stream::iter(pieces)))
}

/// A file or folder as it is told of, with everything that telling needs.
struct Listing {
    plan: Plan,
    name: String,
    place: Place,
    path: RelativePath,
    /// As the locker spells it.
    full: RelativePath,
    entry: Entry,
    kept: Vec<Property>,
    locks: Vec<Lock>,
    members: Vec<Entry>,
    members_kept: HashMap<String, Vec<Property>>,
    now: Millis,
}

impl Listing {
    async fn of(call: &Call<'_>, spot: &Spot<'_>, plan: Plan, mut entry: Entry) -> Answer<Self> {
        let around = call.locks(spot).await?;
        let (drive, locker) = (&call.services.drive, spot.place.locker);
        let kept = if plan.wants_dead {
            drive.properties(&call.principal, locker, &spot.full).await?
        } else {
            Vec::new()
        };
        if spot.path.is_root() {
            spot.name.clone_into(&mut entry.name);
        }
        Ok(Self {
            plan,
            name: spot.name.to_owned(),
            place: spot.place.clone(),
            path: spot.path.clone(),
            full: around.path,
            entry,
            kept,
            locks: around.locks,
            members: Vec::new(),
            members_kept: HashMap::new(),
            now: call.services.clock.now(),
        })
    }

    fn usage(&self) -> Option<Usage> {
        self.place.usage
    }

    fn write_own(&self, out: &mut String) {
        let mut resource = Resource::of(&self.entry, self.usage(), self.now);
        resource.locks = self.covering(&self.full);
        let href = href(&self.name, &self.path, resource.is_folder);
        self.plan.write(&href, &resource, &self.kept, out);
    }

    /// A piece of the members.
    fn write_members(&self, start: usize, out: &mut String) {
        // Bytes of a usual member with the usual wishes.
        out.reserve(700 * PIECE.min(self.members.len()));
        let base = href(&self.name, &self.path, true);
        let mut href = String::new();
        for entry in self.members.iter().skip(start).take(PIECE) {
            let mut resource = Resource::of(entry, self.usage(), self.now);
            if !self.locks.is_empty() {
                resource.locks = self.covering(&self.full.entry(&entry.name));
            }
            href.clone_from(&base);
            super::address::encode(&entry.name, &mut href);
            if resource.is_folder {
                href.push('/');
            }
            let kept = self.members_kept.get(&entry.name).map_or(&[][..], Vec::as_slice);
            self.plan.write(&href, &resource, kept, out);
        }
    }

    fn covering(&self, full: &RelativePath) -> Vec<(&Lock, String)> {
        if self.locks.is_empty() {
            return Vec::new();
        }
        let (place, path) = (&self.place, self.path.clone());
        let spot = Spot { name: &self.name, place, path, full: self.full.clone() };
        covering(&self.locks, full, &spot)
    }
}

/// What is told of each.
#[derive(Debug, Clone)]
struct Plan {
    wish: Wish,
    /// Named wishes, with the live property of each that is one.
    named: Vec<(PropertyName, Option<Live>)>,
    /// Whether dead properties are looked up at all.
    wants_dead: bool,
}

impl Plan {
    fn of(wish: Wish) -> Self {
        let named = match &wish {
            Wish::All { include: names } | Wish::These(names) => names.clone(),
            Wish::Names => Vec::new(),
        };
        let named: Vec<_> = named
            .into_iter()
            .map(|name| {
                let live = Live::find(&name);
                (name, live)
            })
            .collect();
        let wants_dead = match wish {
            Wish::These(_) => named.iter().any(|(_, live)| live.is_none()),
            Wish::All { .. } | Wish::Names => true,
        };
        Self { wish, named, wants_dead }
    }

    /// Appends a `response`.
    fn write(&self, href: &str, resource: &Resource<'_>, kept: &[Property], out: &mut String) {
        out.push_str("<D:response>");
        href_of(href, out);
        let (mut found, mut missing) = (String::new(), String::new());
        match self.wish {
            Wish::Names => {
                let mut value = String::new();
                for live in Live::ALL {
                    value.clear();
                    if resource.write(live, &mut value) {
                        found.push_str("<D:");
                        found.push_str(live.local());
                        found.push_str("/>");
                    }
                }
                for property in kept {
                    name_of(&property.name, &mut found);
                }
            }
            Wish::All { .. } => {
                for live in Live::CHEAP {
                    resource.write(live, &mut found);
                }
                for property in kept {
                    found.push_str(&property.element);
                }
                for (name, live) in &self.named {
                    let is_told = live.is_some_and(|live| Live::CHEAP.contains(&live))
                        || kept.iter().any(|property| property.name == *name);
                    if !is_told && !live.is_some_and(|live| resource.write(live, &mut found)) {
                        name_of(name, &mut missing);
                    }
                }
            }
            Wish::These(_) => {
                for (name, live) in &self.named {
                    let is_found = match live {
                        Some(live) => resource.write(*live, &mut found),
                        None => match kept.iter().find(|property| property.name == *name) {
                            Some(property) => {
                                found.push_str(&property.element);
                                true
                            }
                            None => false,
                        },
                    };
                    if !is_found {
                        name_of(name, &mut missing);
                    }
                }
            }
        }
        let is_nothing = found.is_empty() && missing.is_empty();
        propstat(&found, StatusCode::OK, "", out);
        propstat(&missing, StatusCode::NOT_FOUND, "", out);
        if is_nothing {
            // A response says something of itself in any case.
            out.push_str("<D:propstat><D:prop/><D:status>HTTP/1.1 200 OK</D:status></D:propstat>");
        }
        out.push_str("</D:response>\n");
    }
}
