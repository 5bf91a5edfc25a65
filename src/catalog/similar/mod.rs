//! What goes with what: by sound where tracks were heard (`media::analysis`), else by tags and by
//! what the household listens to.

mod artists;
mod index;
mod matrix;
mod mix;
mod radio;
mod sonic;
mod top;

use std::sync::Arc;

pub(super) use index::Sounds;
use matrix::Matrix;
pub use sonic::SonicMatch;

use super::Catalog;
use crate::{Result, accounts::Principal, ids::LibraryId};

impl Catalog {
    /// The table of sounds.
    async fn matrix(&self) -> Result<Arc<Matrix>> {
        self.inner.sounds.matrix(&self.db).await
    }
}

/// Whether the principal may see a library of the table.
fn may_see(principal: &Principal, library: u32) -> bool {
    principal.may_see(LibraryId(library.into()))
}
