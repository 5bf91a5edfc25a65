//! DLNA from outside: what renderers, radios, TVs and control points send, and what a stranger
//! must not get.

mod art;
mod browse;
mod control;
mod door;
mod events;
mod lab;
mod mdns;
mod media;
mod music;
mod quirks;
mod search;
mod shared;
mod ssdp;

pub(crate) use self::control::Control;
