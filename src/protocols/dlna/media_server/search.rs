//! Search: criteria over what is below a container at any depth. Each object is found
//! once, as itself, with its own id and parent.

use super::{
    super::{
        Asking,
        soap::{Call, Fault},
    },
    below::{Below, below},
    content_directory::{Listing, container, listing, update_id, window},
    didl::Didl,
    entries::{artist_folder, genre_folder, playlist_folder, with_cover},
    filter::Filter,
    kind::Kind,
    object_id::{Container, ObjectId, View},
    search_criteria::Expression,
    sort,
    tree::{Tree, Window},
};
use crate::{
    Error, Result,
    catalog::{
        Artist, ArtistFilter, ArtistRole, Catalog, Criteria, Field, Genre, Object, OrderBy, Page,
        Playlist, TextMatch, identity::order_key,
    },
};

/// Runs the action.
pub(super) async fn search(
    catalog: &Catalog,
    asking: &Asking,
    call: &Call,
) -> Result<Listing, Fault> {
    let within = call.text("ContainerID").or_else(|| call.text("ObjectID")).unwrap_or("0");
    let criteria = call.required("SearchCriteria")?;
    let window = window(call)?;
    let order = sort::parse(call.text("SortCriteria"));
    let within = container(within)?;
    let expression = Expression::parse(criteria)
        .map_err(|_| Fault::new(708, "Unsupported or invalid search criteria"))?;
    let tree = Tree {
        catalog,
        principal: &asking.principal,
        profile: &asking.profile,
        shuffles: &asking.shuffles,
    };
    let below = below(&tree, within).await.map_err(|error| match error {
        Error::NotFound(_) => Fault::new(710, "No such container"),
        other => other.into(),
    })?;
    let filter = Filter::parse(call.text("Filter"));
    let mut didl = Didl::new(filter, asking.profile, asking.address);
    let mut finding = Finding { tree, order, window, artists: below.artists.clone(), total: 0 };
    for kind in sort::kinds(call.text("SortCriteria")) {
        let wanted = Criteria::all([expression.of(kind), below.of(kind)]);
        if wanted != Criteria::Never {
            finding.find(kind, &wanted, &mut didl).await?;
        }
    }
    Ok(listing(didl, finding.total, update_id(catalog)))
}

impl Below {
    fn of(&self, kind: Kind) -> Criteria {
        match kind {
            Kind::Track => self.tracks.clone(),
            Kind::Album => self.albums.clone(),
            Kind::Artist => Criteria::constant(self.artists.is_some()),
            Kind::Genre => self.genres.clone(),
            Kind::Playlist => self.playlists.clone(),
        }
    }
}

/// Results of one kind after another, one window over all of them.
struct Finding<'a> {
    tree: Tree<'a>,
    order: Vec<OrderBy>,
    window: Window,
    /// Which artists are below the container.
    artists: Option<ArtistRole>,
    total: u64,
}

impl Finding<'_> {
    async fn find(&mut self, kind: Kind, wanted: &Criteria, didl: &mut Didl) -> Result<()> {
        let (catalog, principal) = (self.tree.catalog, self.tree.principal);
        let page = self.window.page();
        let length = match kind {
            Kind::Track => {
                let list = catalog.find_tracks(principal, wanted, &self.order, page).await?;
                for track in &list.items {
                    self.tree.track(ObjectId::Track(track.id), Tree::home(track), track, didl);
                }
                list.total
            }
            Kind::Album => {
                let list = catalog.find_albums(principal, wanted, &self.order, page).await?;
                for album in &list.items {
                    didl.album(album, Container::View(View::Albums));
                }
                list.total
            }
            Kind::Artist => {
                let artists = self.artists(wanted).await?;
                for artist in self.window.of(&artists) {
                    let (id, view) = match self.artists {
                        Some(ArtistRole::Composer) => {
                            (Container::Composer(artist.id), View::Composers)
                        }
                        _ if artist.album_count > 0 => {
                            (Container::Artist(artist.id), View::AlbumArtists)
                        }
                        _ => (Container::Artist(artist.id), View::Artists),
                    };
                    didl.folder(&artist_folder(artist, id, Container::View(view)));
                }
                artists.len() as u64
            }
            Kind::Genre => {
                let genres = catalog.genres(principal).await?;
                let wanted = ByName::of(wanted);
                let is_wanted = |genre: &&Genre| {
                    wanted.fits(&genre.name, &order_key(&genre.name), Object::Genre(genre.id))
                };
                let mut fitting: Vec<_> = genres.iter().filter(is_wanted).collect();
                if self.is_title_descending() {
                    fitting.reverse();
                }
                let shown: Vec<_> = self.window.of(&fitting).map(|genre| genre.id).collect();
                let covers = catalog.genre_covers(principal, &shown).await?;
                for genre in self.window.of(&fitting) {
                    didl.folder(&with_cover(genre_folder(genre), covers.get(&genre.id)));
                }
                fitting.len() as u64
            }
            Kind::Playlist => {
                let playlists = catalog.playlists(principal).await?;
                let wanted = ByName::of(wanted);
                let is_wanted = |list: &&Playlist| {
                    wanted.fits(&list.name, &order_key(&list.name), Object::Playlist(list.id))
                };
                let mut fitting: Vec<_> = playlists.iter().filter(is_wanted).collect();
                if self.is_title_descending() {
                    fitting.reverse();
                }
                for playlist in self.window.of(&fitting) {
                    didl.folder(&playlist_folder(playlist));
                }
                fitting.len() as u64
            }
        };
        self.total += length;
        self.window = self.window.split(u32::try_from(length).unwrap_or(u32::MAX)).1;
        Ok(())
    }

    /// The artists below the container by name; in the whole, all who are album artist or track
    /// artist (composers have a branch of their own).
    async fn artists(&self, wanted: &Criteria) -> Result<Vec<Artist>> {
        let Some(role) = self.artists.clone() else { return Ok(Vec::new()) };
        let is_any = role == ArtistRole::Any;
        let filter = ArtistFilter { role, ..ArtistFilter::default() };
        let list = self.tree.catalog.artists(self.tree.principal, &filter, Page::ALL).await?;
        let wanted = ByName::of(wanted);
        let is_heard = |role: &String| role == "artist" || role == "albumartist";
        let mut found = list.items;
        found.retain(|artist| {
            wanted.fits(&artist.name, &artist.order_key, Object::Artist(artist.id))
                && (!is_any || artist.roles.iter().any(is_heard))
        });
        if self.is_title_descending() {
            found.reverse();
        }
        Ok(found)
    }

    fn is_title_descending(&self) -> bool {
        self.order.first().is_some_and(|key| key.is_descending && key.field == Field::Title)
    }
}

/// Criteria asked of something that has a name and nothing else, values folded once.
enum ByName {
    Constant(bool),
    All(Vec<ByName>),
    Any(Vec<ByName>),
    Not(Box<ByName>),
    Is(Object),
    Text { how: TextMatch, lower: String, key: String },
}

impl ByName {
    fn of(criteria: &Criteria) -> Self {
        match criteria {
            Criteria::Always | Criteria::Has(Field::Title) => Self::Constant(true),
            Criteria::All(parts) => Self::All(parts.iter().map(Self::of).collect()),
            Criteria::Any(parts) => Self::Any(parts.iter().map(Self::of).collect()),
            Criteria::Not(inner) => Self::Not(Box::new(Self::of(inner))),
            Criteria::Is(object) => Self::Is(*object),
            Criteria::Text(Field::Title, how, value) => {
                Self::Text { how: *how, lower: value.trim().to_lowercase(), key: order_key(value) }
            }
            _ => Self::Constant(false),
        }
    }

    /// `key` is the name's order key.
    fn fits(&self, name: &str, key: &str, object: Object) -> bool {
        match self {
            Self::Constant(holds) => *holds,
            Self::All(parts) => parts.iter().all(|part| part.fits(name, key, object)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(name, key, object)),
            Self::Not(inner) => !inner.fits(name, key, object),
            Self::Is(is) => *is == object,
            Self::Text { how, lower, key: wanted } => {
                let compare = |name: &str, value: &str| match how {
                    TextMatch::Equals => name == value,
                    TextMatch::Contains => name.contains(value),
                    TextMatch::StartsWith => name.starts_with(value),
                    TextMatch::EndsWith => name.ends_with(value),
                    TextMatch::Before => name < value,
                    TextMatch::After => name > value && !name.starts_with(value),
                };
                compare(key, wanted) || compare(&name.to_lowercase(), lower)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_people_do() {
        let text = |how, value: &str| Criteria::Text(Field::Title, how, value.to_owned());
        let object = Object::Artist(crate::ids::ArtistId(1));
        for (criteria, name, expected) in [
            (text(TextMatch::Equals, "bjork"), "Björk", true),
            (text(TextMatch::Equals, "THE BEATLES"), "The Beatles", true),
            (text(TextMatch::Contains, "the beat"), "The Beatles", true),
            (text(TextMatch::Contains, "eatl"), "The Beatles", true),
            (text(TextMatch::StartsWith, "beat"), "The Beatles", true),
            (text(TextMatch::Equals, "beat"), "The Beatles", false),
            (text(TextMatch::Contains, "x").negate(), "The Beatles", true),
            (Criteria::Is(object), "anything", true),
            (Criteria::Has(Field::Genre), "anything", false),
        ] {
            let by_name = ByName::of(&criteria);
            assert_eq!(
                by_name.fits(name, &order_key(name), object),
                expected,
                "{criteria:?} {name}"
            );
        }
    }
}
