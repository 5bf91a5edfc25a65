//! DLNA from outside: what renderers, radios, TVs and control points send, and what a stranger
//! must not get.

mod browse;
mod control;
mod door;
mod events;
mod lab;
mod mdns;
mod media;
mod music;
mod ssdp;
