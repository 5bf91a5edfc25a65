//! The three services as tables, and the service description (SCPD) made of each. Only what is
//! there is listed: strict clients check every call against it.

use std::fmt::Write as _;

/// A service of the device.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// `urn:...:1`
    pub(crate) kind: &'static str,
    /// `urn:...:serviceId:...`
    pub(crate) id: &'static str,
    /// Last part of its three addresses.
    pub(crate) path: &'static str,
    actions: &'static [Action],
    variables: &'static [Variable],
}

#[derive(Debug, PartialEq, Eq)]
struct Action(&'static str, &'static [Argument]);

#[derive(Debug, PartialEq, Eq)]
struct Argument(&'static str, Direction, &'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// Name, type, whether evented, allowed values.
#[derive(Debug, PartialEq, Eq)]
struct Variable(&'static str, &'static str, Evented, &'static [&'static str]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evented {
    Yes,
    No,
}

use Direction::{In, Out};
use Evented::{No, Yes};

const RESULT: Argument = Argument("Result", Out, "A_ARG_TYPE_Result");
const RETURNED: Argument = Argument("NumberReturned", Out, "A_ARG_TYPE_Count");
const TOTAL: Argument = Argument("TotalMatches", Out, "A_ARG_TYPE_Count");
const UPDATE: Argument = Argument("UpdateID", Out, "A_ARG_TYPE_UpdateID");
const FILTER: Argument = Argument("Filter", In, "A_ARG_TYPE_Filter");
const START: Argument = Argument("StartingIndex", In, "A_ARG_TYPE_Index");
const COUNT: Argument = Argument("RequestedCount", In, "A_ARG_TYPE_Count");
const SORT: Argument = Argument("SortCriteria", In, "A_ARG_TYPE_SortCriteria");

/// Browse and Search.
pub(crate) static CONTENT_DIRECTORY: Service = Service {
    kind: "urn:schemas-upnp-org:service:ContentDirectory:1",
    id: "urn:upnp-org:serviceId:ContentDirectory",
    path: "content-directory",
    actions: &[
        Action("GetSearchCapabilities", &[Argument("SearchCaps", Out, "SearchCapabilities")]),
        Action("GetSortCapabilities", &[Argument("SortCaps", Out, "SortCapabilities")]),
        Action("GetSystemUpdateID", &[Argument("Id", Out, "SystemUpdateID")]),
        Action(
            "Browse",
            &[
                Argument("ObjectID", In, "A_ARG_TYPE_ObjectID"),
                Argument("BrowseFlag", In, "A_ARG_TYPE_BrowseFlag"),
                FILTER,
                START,
                COUNT,
                SORT,
                RESULT,
                RETURNED,
                TOTAL,
                UPDATE,
            ],
        ),
        Action(
            "Search",
            &[
                Argument("ContainerID", In, "A_ARG_TYPE_ObjectID"),
                Argument("SearchCriteria", In, "A_ARG_TYPE_SearchCriteria"),
                FILTER,
                START,
                COUNT,
                SORT,
                RESULT,
                RETURNED,
                TOTAL,
                UPDATE,
            ],
        ),
    ],
    variables: &[
        Variable("SearchCapabilities", "string", No, &[]),
        Variable("SortCapabilities", "string", No, &[]),
        Variable("SystemUpdateID", "ui4", Yes, &[]),
        Variable("ContainerUpdateIDs", "string", Yes, &[]),
        Variable("TransferIDs", "string", Yes, &[]),
        Variable("A_ARG_TYPE_ObjectID", "string", No, &[]),
        Variable("A_ARG_TYPE_Result", "string", No, &[]),
        Variable("A_ARG_TYPE_SearchCriteria", "string", No, &[]),
        Variable(
            "A_ARG_TYPE_BrowseFlag",
            "string",
            No,
            &["BrowseMetadata", "BrowseDirectChildren"],
        ),
        Variable("A_ARG_TYPE_Filter", "string", No, &[]),
        Variable("A_ARG_TYPE_SortCriteria", "string", No, &[]),
        Variable("A_ARG_TYPE_Index", "ui4", No, &[]),
        Variable("A_ARG_TYPE_Count", "ui4", No, &[]),
        Variable("A_ARG_TYPE_UpdateID", "ui4", No, &[]),
    ],
};

/// What can be served.
pub(crate) static CONNECTION_MANAGER: Service = Service {
    kind: "urn:schemas-upnp-org:service:ConnectionManager:1",
    id: "urn:upnp-org:serviceId:ConnectionManager",
    path: "connection-manager",
    actions: &[
        Action(
            "GetProtocolInfo",
            &[
                Argument("Source", Out, "SourceProtocolInfo"),
                Argument("Sink", Out, "SinkProtocolInfo"),
            ],
        ),
        Action(
            "GetCurrentConnectionIDs",
            &[Argument("ConnectionIDs", Out, "CurrentConnectionIDs")],
        ),
        Action(
            "GetCurrentConnectionInfo",
            &[
                Argument("ConnectionID", In, "A_ARG_TYPE_ConnectionID"),
                Argument("RcsID", Out, "A_ARG_TYPE_RcsID"),
                Argument("AVTransportID", Out, "A_ARG_TYPE_AVTransportID"),
                Argument("ProtocolInfo", Out, "A_ARG_TYPE_ProtocolInfo"),
                Argument("PeerConnectionManager", Out, "A_ARG_TYPE_ConnectionManager"),
                Argument("PeerConnectionID", Out, "A_ARG_TYPE_ConnectionID"),
                Argument("Direction", Out, "A_ARG_TYPE_Direction"),
                Argument("Status", Out, "A_ARG_TYPE_ConnectionStatus"),
            ],
        ),
    ],
    variables: &[
        Variable("SourceProtocolInfo", "string", Yes, &[]),
        Variable("SinkProtocolInfo", "string", Yes, &[]),
        Variable("CurrentConnectionIDs", "string", Yes, &[]),
        Variable(
            "A_ARG_TYPE_ConnectionStatus",
            "string",
            No,
            &[
                "OK",
                "ContentFormatMismatch",
                "InsufficientBandwidth",
                "UnreliableChannel",
                "Unknown",
            ],
        ),
        Variable("A_ARG_TYPE_ConnectionManager", "string", No, &[]),
        Variable("A_ARG_TYPE_Direction", "string", No, &["Input", "Output"]),
        Variable("A_ARG_TYPE_ProtocolInfo", "string", No, &[]),
        Variable("A_ARG_TYPE_ConnectionID", "i4", No, &[]),
        Variable("A_ARG_TYPE_AVTransportID", "i4", No, &[]),
        Variable("A_ARG_TYPE_RcsID", "i4", No, &[]),
    ],
};

/// Microsoft's permission service; Windows hardly lists a server without it.
pub(crate) static REGISTRAR: Service = Service {
    kind: "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1",
    id: "urn:microsoft.com:serviceId:X_MS_MediaReceiverRegistrar",
    path: "registrar",
    actions: &[
        Action(
            "IsAuthorized",
            &[
                Argument("DeviceID", In, "A_ARG_TYPE_DeviceID"),
                Argument("Result", Out, "A_ARG_TYPE_Result"),
            ],
        ),
        Action(
            "IsValidated",
            &[
                Argument("DeviceID", In, "A_ARG_TYPE_DeviceID"),
                Argument("Result", Out, "A_ARG_TYPE_Result"),
            ],
        ),
        Action(
            "RegisterDevice",
            &[
                Argument("RegistrationReqMsg", In, "A_ARG_TYPE_RegistrationReqMsg"),
                Argument("RegistrationRespMsg", Out, "A_ARG_TYPE_RegistrationRespMsg"),
            ],
        ),
    ],
    variables: &[
        Variable("A_ARG_TYPE_DeviceID", "string", No, &[]),
        Variable("A_ARG_TYPE_Result", "int", No, &[]),
        Variable("A_ARG_TYPE_RegistrationReqMsg", "bin.base64", No, &[]),
        Variable("A_ARG_TYPE_RegistrationRespMsg", "bin.base64", No, &[]),
        Variable("AuthorizationGrantedUpdateID", "ui4", Yes, &[]),
        Variable("AuthorizationDeniedUpdateID", "ui4", Yes, &[]),
        Variable("ValidationSucceededUpdateID", "ui4", Yes, &[]),
        Variable("ValidationRevokedUpdateID", "ui4", Yes, &[]),
    ],
};

/// All, in the order of the device description.
pub(crate) static ALL: [&Service; 3] = [&CONTENT_DIRECTORY, &CONNECTION_MANAGER, &REGISTRAR];

impl Service {
    /// The service whose addresses end so.
    pub(crate) fn by_path(path: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|service| service.path == path)
    }

    /// The service description.
    pub(crate) fn scpd(&self) -> String {
        let mut out = String::with_capacity(8 * 1024);
        out.push_str(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<scpd xmlns=\"urn:schemas-upnp-org:service-1-0\">\
             <specVersion><major>1</major><minor>0</minor></specVersion><actionList>",
        );
        for Action(name, arguments) in self.actions {
            let _ = write!(out, "<action><name>{name}</name><argumentList>");
            for Argument(name, direction, variable) in *arguments {
                let direction = if *direction == In { "in" } else { "out" };
                let _ = write!(
                    out,
                    "<argument><name>{name}</name><direction>{direction}</direction>\
                     <relatedStateVariable>{variable}</relatedStateVariable></argument>"
                );
            }
            out.push_str("</argumentList></action>");
        }
        out.push_str("</actionList><serviceStateTable>");
        for Variable(name, data_type, evented, allowed) in self.variables {
            let evented = if *evented == Yes { "yes" } else { "no" };
            let _ = write!(
                out,
                "<stateVariable sendEvents=\"{evented}\"><name>{name}</name><dataType>{data_type}</dataType>"
            );
            if !allowed.is_empty() {
                out.push_str("<allowedValueList>");
                for value in *allowed {
                    let _ = write!(out, "<allowedValue>{value}</allowedValue>");
                }
                out.push_str("</allowedValueList>");
            }
            out.push_str("</stateVariable>");
        }
        out.push_str("</serviceStateTable></scpd>\n");
        out
    }

    /// Its evented variables.
    pub(crate) fn evented(&self) -> impl Iterator<Item = &'static str> {
        self.variables
            .iter()
            .filter(|Variable(_, _, evented, _)| *evented == Yes)
            .map(|Variable(name, ..)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_has_its_variable() {
        for service in ALL {
            for Action(action, arguments) in service.actions {
                for Argument(name, _, variable) in *arguments {
                    assert!(
                        service.variables.iter().any(|Variable(is, ..)| is == variable),
                        "{action} {name} {variable}"
                    );
                }
            }
            let read =
                crate::xml::read(service.scpd().as_bytes(), &super::super::super::soap::RULES)
                    .unwrap();
            let listed = read.child("actionList").unwrap().children.len();
            assert_eq!(listed, service.actions.len());
        }
    }
}
