//! The table of sounds in memory: read when somebody asks, read again when enough was heard since,
//! let go when nobody asks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use tokio::sync::Mutex;

use super::matrix::{Matrix, Row};
use crate::{Result, db::Db, media::analysis::VERSION};

/// While tracks are being heard, the table is this old at most.
const FRESH: Duration = Duration::from_secs(60);
/// Nobody asked for so long.
const REST: Duration = Duration::from_mins(5);
/// A small table costs nothing to read again.
const SMALL: usize = 5_000;

/// The table, perhaps.
#[derive(Debug, Default)]
pub(in crate::catalog) struct Sounds {
    changes: AtomicU64,
    loaded: Mutex<Option<Loaded>>,
}

#[derive(Debug)]
struct Loaded {
    matrix: Arc<Matrix>,
    changes: u64,
    read_at: Instant,
    asked_at: Instant,
}

impl Sounds {
    /// Something was heard since.
    pub(in crate::catalog) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// The table as of now, or of a moment ago.
    pub(super) async fn matrix(&self, db: &Db) -> Result<Arc<Matrix>> {
        let mut loaded = self.loaded.lock().await;
        let changes = self.changes.load(Ordering::Acquire);
        if let Some(loaded) = &mut *loaded {
            let is_good = loaded.changes == changes
                || (SMALL < loaded.matrix.len() && loaded.read_at.elapsed() < FRESH);
            if is_good {
                loaded.asked_at = Instant::now();
                return Ok(Arc::clone(&loaded.matrix));
            }
        }
        let matrix = Arc::new(read(db).await?);
        let now = Instant::now();
        let matrix_again = Arc::clone(&matrix);
        *loaded = Some(Loaded { matrix, changes, read_at: now, asked_at: now });
        Ok(matrix_again)
    }

    /// Lets go of a table that nobody asks for.
    pub(in crate::catalog) async fn tidy(&self) {
        let mut loaded = self.loaded.lock().await;
        if loaded.as_ref().is_some_and(|loaded| REST < loaded.asked_at.elapsed()) {
            *loaded = None;
        }
    }
}

async fn read(db: &Db) -> Result<Matrix> {
    let mut rows = sqlx::query!(
        r#"select s.track_id, t.library_id as "library: u32", s.features as "features!"
           from sound s join track t using (track_id)
           where s.features is not null and s.version = ? and t.missing_at is null
           order by s.track_id"#,
        VERSION
    )
    .fetch(db.read());
    let mut matrix = Matrix::default();
    while let Some(row) = rows.try_next().await? {
        // A row of another length is none of ours.
        if let Ok(bytes) = <[u8; size_of::<Row>()]>::try_from(row.features) {
            matrix.push(row.track_id, row.library, bytes.map(u8::cast_signed));
        }
    }
    Ok(tokio::task::spawn_blocking(move || matrix.ready()).await?)
}
