//! ContentDirectory:1: what each action answers.

use super::{
    super::{
        Asking,
        soap::{Call, Fault},
    },
    didl::{Didl, Numbering},
    filter::Filter,
    object_id::{Container, ObjectId},
    search, sort,
    tree::{Tree, Window},
};
use crate::catalog::Catalog;

/// Answers more than this in no page; clients read on by the true TotalMatches.
pub(super) const MAX_PAGE: u32 = 500;

/// What an action gives back, in the order of the service's description.
pub(crate) type Arguments = Vec<(&'static str, String)>;

/// The same, or what Browse and Search give back.
pub(crate) enum Answer {
    /// Arguments by name.
    Arguments(Arguments),
    /// A part of a list.
    Listing(Listing),
}

/// The results of Browse and Search.
pub(crate) struct Listing {
    /// `Result`, escaped as text already.
    pub(crate) result: String,
    /// `NumberReturned`, `TotalMatches` and `UpdateID`.
    pub(crate) rest: [(&'static str, String); 3],
}

const SEARCH_CAPABILITIES: &str = "@id,@parentID,@refID,upnp:class,dc:title,dc:creator,dc:date,\
upnp:artist,upnp:artist@role,upnp:albumArtist,upnp:author,upnp:composer,upnp:album,upnp:genre,\
upnp:originalTrackNumber,upnp:originalDiscNumber,upnp:originalYear,upnp:rating,res@protocolInfo,\
res@duration,res@size,res@bitrate,res@sampleFrequency,res@bitsPerSample,res@nrAudioChannels";

/// Runs one action.
pub(crate) async fn act(catalog: &Catalog, asking: &Asking, call: &Call) -> Result<Answer, Fault> {
    match call.action.as_str() {
        "Browse" => browse(catalog, asking, call).await.map(Answer::Listing),
        "Search" => search::search(catalog, asking, call).await.map(Answer::Listing),
        _ => small(catalog, call).map(Answer::Arguments),
    }
}

/// Everything else.
fn small(catalog: &Catalog, call: &Call) -> Result<Arguments, Fault> {
    match call.action.as_str() {
        "GetSystemUpdateID" => Ok(vec![("Id", update_id(catalog).to_string())]),
        "GetSearchCapabilities" => Ok(vec![("SearchCaps", SEARCH_CAPABILITIES.to_owned())]),
        "GetSortCapabilities" => Ok(vec![("SortCaps", sort::CAPABILITIES.to_owned())]),
        "X_GetFeatureList" => Ok(vec![("FeatureList", FEATURES.to_owned())]),
        "X_GetObjectIDfromIndex" => Ok(vec![("ObjectID", "0".to_owned())]),
        "X_GetIndexfromRID" => Ok(vec![("Index", "0".to_owned())]),
        "X_SetBookmark" => Ok(Vec::new()),
        "QueryStateVariable" => Err(Fault::new(404, "Invalid Var")),
        "UpdateObject"
        | "CreateObject"
        | "DestroyObject"
        | "ImportResource"
        | "ExportResource"
        | "StopTransferResource"
        | "GetTransferProgress"
        | "DeleteResource"
        | "CreateReference" => Err(Fault::new(602, "Optional Action Not Implemented")),
        _ => Err(Fault::invalid_action()),
    }
}

/// Samsung's menu entries; there is music alone.
const FEATURES: &str = "<Features xmlns=\"urn:schemas-upnp-org:av:avs\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:schemas-upnp-org:av:avs http://www.upnp.org/schemas/av/avs.xsd\"><Feature name=\"samsung.com_BASICVIEW\" version=\"1\"><container id=\"0\" type=\"object.item.audioItem\"/></Feature></Features>";

/// SystemUpdateID: a `ui4` that never goes backwards.
pub(crate) fn update_id(catalog: &Catalog) -> u32 {
    (catalog.revision().number & i64::from(u32::MAX)) as u32
}

async fn browse(catalog: &Catalog, asking: &Asking, call: &Call) -> Result<Listing, Fault> {
    // Xbox says ContainerID.
    let Some(id) = call.text("ObjectID").or_else(|| call.text("ContainerID")) else {
        return Err(Fault::invalid_args("ObjectID is missing".to_owned()));
    };
    let flag = call.required("BrowseFlag")?;
    let window = window(call)?;
    let order = match call.text("SortCriteria") {
        Some(_) if asking.profile.ignores_sort => Vec::new(),
        criteria => sort::parse(criteria),
    };
    let id = ObjectId::parse(id).ok_or_else(no_such_object)?;
    let tree = Tree {
        catalog,
        principal: &asking.principal,
        profile: &asking.profile,
        shuffles: &asking.shuffles,
    };
    let filter = Filter::parse(call.text("Filter"));
    let mut didl = Didl::new(filter, asking.profile, asking.address);
    let total = match (flag.trim(), id) {
        ("BrowseMetadata", ObjectId::Container(container)) => {
            tree.metadata(container, &mut didl).await?;
            1
        }
        ("BrowseMetadata", ObjectId::Track(track)) => {
            let track = catalog.track(&asking.principal, track).await?;
            tree.track(id, Tree::home(&track), &track, &mut didl);
            1
        }
        ("BrowseMetadata", ObjectId::Shown(place, track)) => {
            let track = catalog.track(&asking.principal, track).await?;
            tree.track(id, place.container, &track, &mut didl);
            1
        }
        ("BrowseDirectChildren", ObjectId::Container(container)) => {
            if asking.profile.numbers_titles {
                didl.number(Numbering {
                    first: window.skip.saturating_add(1),
                    width: digits(container),
                });
            }
            tree.children(container, window, &order, &mut didl).await?
        }
        // A track has no children, but it must be there.
        ("BrowseDirectChildren", ObjectId::Track(track) | ObjectId::Shown(_, track)) => {
            catalog.track(&asking.principal, track).await?;
            0
        }
        _ => return Err(Fault::invalid_args(format!("BrowseFlag is unknown: {flag:.40}"))),
    };
    Ok(listing(didl, total, update_id(catalog)))
}

/// Digits of a place in a container: albums and the like stay below a thousand, lists of
/// everything do not.
fn digits(of: Container) -> usize {
    match of {
        Container::Album(_) | Container::Playlist(_) | Container::Folder(_) => 3,
        _ => 6,
    }
}

/// The four results of Browse and Search.
pub(super) fn listing(didl: Didl, total: u64, update_id: u32) -> Listing {
    let (result, returned) = didl.finish();
    let rest = [
        ("NumberReturned", returned.to_string()),
        ("TotalMatches", total.to_string()),
        ("UpdateID", update_id.to_string()),
    ];
    Listing { result, rest }
}

/// 0 asks for all; nobody gets more than a page.
pub(super) fn window(call: &Call) -> Result<Window, Fault> {
    let take = match call.number("RequestedCount")? {
        0 => MAX_PAGE,
        count => count.min(MAX_PAGE),
    };
    Ok(Window { skip: call.number("StartingIndex")?, take })
}

pub(super) fn no_such_object() -> Fault {
    Fault::new(701, "No such object")
}

/// The container of a Search.
pub(super) fn container(text: &str) -> Result<Container, Fault> {
    match ObjectId::parse(text) {
        Some(ObjectId::Container(container)) => Ok(container),
        _ => Err(Fault::new(710, "No such container")),
    }
}
