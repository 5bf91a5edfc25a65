//! The door through which the fuzz targets reach the readers of this face. No part of its interface.

use super::{
    media_server::taste,
    soap::{self, Call},
    ssdp,
};
use crate::xml;

/// Search criteria, and what they ask of each kind of object; the same text as an object id, a
/// filter and a sort.
pub fn criteria(text: &str) {
    taste(text);
}

/// An envelope; what it calls can be answered and refused in well-formed XML.
pub fn soap(bytes: &[u8]) {
    let Ok(call) = Call::read(bytes) else { return };
    let value = call.text("ObjectID").unwrap_or_default();
    let _ = call.number("StartingIndex");
    let answer = soap::answer("urn:x:1", "Browse", None, &[("Result", value.to_owned())]);
    assert!(xml::read(answer.as_bytes(), &soap::RULES).is_ok(), "{answer}");
    let fault = soap::fault(&soap::Fault::invalid_args(value.to_owned()));
    assert!(xml::read(fault.as_bytes(), &soap::RULES).is_ok(), "{fault}");
}

/// A datagram of SSDP.
pub fn ssdp(bytes: &[u8]) {
    ssdp::taste(bytes);
}
