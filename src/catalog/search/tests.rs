//! Searches that find more than can be ranked.

use crate::{
    catalog::{Page, Wanted, tests::world},
    ids::LibraryId,
};

/// More than are ranked: the one that is called so comes first, each is there once, and what
/// somebody may not see takes nobody's place.
#[tokio::test]
async fn a_common_word_is_paged_to_its_end() {
    let w = world().await;
    let mut tx = w.catalog.db.write().await.unwrap();
    let many = "insert into track (track_id, library_id, path, size_bytes, modified_ns, title, sort_title, order_key, duration_ms, container, codec, suffix, created_at, changed_at)
          with recursive n(n) as (select 1001 union all select n + 1 from n where n < 4000)
          select n, iif(n <= 2500, 2, 1), 'c/' || n || '.mp3', 1, 0, iif(n = 3456, 'Common', 'A common thing ' || n), '',
                 iif(n = 3456, 'common', 'common thing ' || n), 1, 'mp3', 'mp3', 'mp3', 0, 0 from n;
        update track set title = 'Ordinary ' || n, order_key = 'ordinary ' || n from (select 3999 as n) where track_id = n;
        insert into track_search (rowid, title, album, artist)
          select track_id, title, iif(track_id = 3999, 'Common', ''), '' from track where track_id > 1000;";
    sqlx::raw_sql(many).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let wanted = |offset, limit| Wanted {
        artists: Page { offset: 0, limit: 0 },
        albums: Page { offset: 0, limit: 0 },
        tracks: Page { offset, limit },
    };
    for (query, first) in [("common", Some(3456)), ("comm*", Some(3456)), ("thing", None)] {
        let mut seen = Vec::new();
        for offset in (0..3000).step_by(350) {
            let found = w.catalog.search(&w.bob, query, None, wanted(offset, 350)).await.unwrap();
            seen.extend(found.tracks.iter().map(|track| track.id.0));
        }
        assert!(first.is_none_or(|first| seen[0] == first), "{query}");
        seen.sort_unstable();
        let all: Vec<i64> =
            (2501..=4000).filter(|id| query != "thing" || ![3456, 3999].contains(id)).collect();
        assert_eq!(seen, all, "{query}");
        assert_eq!(w.catalog.count_tracks(&w.bob, query).await.unwrap(), all.len() as u64);
    }
    // Few of hers are in that library, behind thousands of others.
    let found = w.catalog.search(&w.ann, "common", Some(LibraryId(1)), wanted(0, 1)).await.unwrap();
    assert_eq!(found.tracks[0].title, "Common");
    let found = w.catalog.search(&w.ann, "common", None, wanted(2_990, 100)).await.unwrap();
    assert_eq!(found.tracks.len(), 10);
    let found = w.catalog.search(&w.bob, "common 3999", None, wanted(0, 10)).await.unwrap();
    assert_eq!(found.tracks[0].title, "Ordinary 3999");
}
