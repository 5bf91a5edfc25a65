//! ConnectionManager:1: everything that could be served, and the one connection that there is.

use super::{
    super::soap::{Call, Fault},
    content_directory::Arguments,
    protocol_info::SOURCE,
};

/// Runs one action.
pub(crate) fn act(call: &Call) -> Result<Arguments, Fault> {
    let text = |name, value: &str| (name, value.to_owned());
    match call.action.as_str() {
        "GetProtocolInfo" => Ok(vec![text("Source", SOURCE), text("Sink", "")]),
        "GetCurrentConnectionIDs" => Ok(vec![text("ConnectionIDs", "0")]),
        "GetCurrentConnectionInfo" => match call.required("ConnectionID")?.trim() {
            "0" => Ok(vec![
                text("RcsID", "-1"),
                text("AVTransportID", "-1"),
                text("ProtocolInfo", ""),
                text("PeerConnectionManager", ""),
                text("PeerConnectionID", "-1"),
                text("Direction", "Output"),
                text("Status", "OK"),
            ]),
            _ => Err(Fault::new(706, "Invalid connection reference")),
        },
        "PrepareForConnection" | "ConnectionComplete" => {
            Err(Fault::new(602, "Optional Action Not Implemented"))
        }
        _ => Err(Fault::invalid_action()),
    }
}

/// The value of an evented variable.
pub(crate) fn variable(name: &str) -> String {
    match name {
        "SourceProtocolInfo" => SOURCE.to_owned(),
        "CurrentConnectionIDs" => "0".to_owned(),
        _ => String::new(),
    }
}
