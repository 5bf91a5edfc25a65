//! What all HTTP faces share: answers with files and running streams, ranges, whether the client
//! is still there, the client's address, security headers, the request log. Knows no face.

mod authorization;
pub mod connection;
pub mod file;
pub mod headers;
pub mod live;
pub mod log;
mod origin;
mod own_address;
mod pieces;
mod range;
mod read;
pub mod server;
mod straight;
mod wire;

pub use authorization::credentials;
pub use origin::{TrustedProxies, address, origin};
pub use own_address::own_address;
pub use read::read;
