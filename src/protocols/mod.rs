//! The faces for programs. Thin; none knows another.

pub mod dlna;
pub mod mdns;
pub mod subsonic;
pub mod webdav;
