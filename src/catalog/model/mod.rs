//! The catalogue's own words. Not serialisable: each face has its response types. What is the
//! same for everybody is shared (`*Facts`); what belongs to the principal (stars, ratings,
//! counts) is filled in for who asked.

mod album;
mod annotation;
mod artist;
mod libraries;
mod listen;
mod lists;
mod picture;
mod share;
mod track;
mod written;

pub use album::*;
pub use annotation::*;
pub use artist::*;
pub use libraries::*;
pub use listen::*;
pub use lists::*;
pub use picture::*;
pub use share::*;
pub use track::*;
pub use written::*;
