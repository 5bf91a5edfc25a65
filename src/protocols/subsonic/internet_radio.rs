//! Internet radio: stations that apps play themselves.

use super::{
    call::{Answer, Call},
    failure::Failure,
    responses::{Mapped, RadioStation, listed},
};
use crate::{ids::StationId, outside::StationDraft};

/// `getInternetRadioStations`.
pub(super) async fn get_internet_radio_stations(call: &Call) -> Answer {
    let stations = call.outside().radio.stations(&call.principal).await?;
    let list = listed("internetRadioStation", Mapped(&stations, RadioStation::of));
    call.reply("internetRadioStations", &list)
}

/// `createInternetRadioStation`.
pub(super) async fn create_internet_radio_station(call: &Call) -> Answer {
    let draft = draft(call)?;
    call.outside().radio.create(&call.principal, &draft).await?;
    call.done()
}

/// `updateInternetRadioStation`.
pub(super) async fn update_internet_radio_station(call: &Call) -> Answer {
    let id = station(call)?;
    let draft = draft(call)?;
    call.outside().radio.update(&call.principal, id, &draft).await?;
    call.done()
}

/// `deleteInternetRadioStation`.
pub(super) async fn delete_internet_radio_station(call: &Call) -> Answer {
    let id = station(call)?;
    call.outside().radio.remove(&call.principal, id).await?;
    call.done()
}

fn station(call: &Call) -> Result<StationId, Failure> {
    let id = StationId::parse(call.params.required("id")?);
    id.ok_or_else(|| Failure::not_found("Station"))
}

/// `homepageUrl` on its way in, `homePageUrl` on its way out.
fn draft(call: &Call) -> Result<StationDraft, Failure> {
    let params = &call.params;
    Ok(StationDraft {
        stream_url: params.required("streamUrl")?.to_owned(),
        name: params.required("name")?.to_owned(),
        homepage_url: params.text("homepageUrl").map(str::to_owned),
    })
}
