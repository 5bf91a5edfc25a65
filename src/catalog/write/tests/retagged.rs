//! Albums and artists whose tags are corrected keep their rows, and with them what people added.

use super::*;

const DAY: std::time::Duration = std::time::Duration::from_hours(25);
const ALBUM_IDS: &str =
    "select album_id || ' ' || name || ' by ' || display_artist || ' ' || track_count
     from album order by album_id";
const ARTIST_IDS: &str = "select artist_id || ' ' || name from artist order by artist_id";
const STARS: &str = "select kind || ' ' || item_id || ' ' || coalesce(starred_at, '-') || ' '
     || coalesce(rating, '-') || ' ' || play_count from annotation order by kind, item_id";

impl Bench {
    /// One user's annotation of an item.
    async fn mark(&self, kind: &str, item: i64, starred_at: Option<i64>, rating: Option<i64>) {
        let mut tx = self.db.write().await.unwrap();
        sqlx::query!(
            "insert into annotation (user_id, kind, item_id, starred_at, rating, rated_at, play_count, played_at)
             values (1, ?1, ?2, ?3, ?4, ?3, 2, 7)",
            kind,
            item,
            starred_at,
            rating
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// With a user, who is nobody else's concern here.
    async fn with_user() -> Self {
        let bench = Self::new().await;
        let mut tx = bench.db.write().await.unwrap();
        for sql in [
            "insert into plan (plan_id, name, created_at) values (1, 'p', 0)",
            "insert into user (user_id, name, role, password_hash, plan_id, created_at, changed_at)
             values (1, 'u', 'user', '', 1, 0, 0)",
        ] {
            sqlx::query(sql).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        bench
    }
}

/// A track of an album by Ann.
fn of(number: u8, album: &str) -> FileFound {
    by(number, "Ann", album)
}

fn by(number: u8, artist: &str, album: &str) -> FileFound {
    file(&format!("{number}.flac"), number, tags(&number.to_string(), artist, album))
}

#[tokio::test]
async fn an_album_that_is_tagged_anew_keeps_its_row() {
    let bench = Bench::with_user().await;
    bench.apply(vec![of(1, "Blue"), of(2, "Blue"), by(3, "Bob", "Red")]).await;
    bench.mark("album", 1, Some(5), Some(4)).await;
    bench.apply(vec![of(1, "Azul"), of(2, "Azul")]).await;
    assert_eq!(bench.rows(ALBUM_IDS).await, ["1 Azul by Ann 2", "2 Red by Bob 1"]);
    // Another year, an edition, a MusicBrainz id.
    let again = |change: fn(&mut Tags)| {
        [1, 2].map(|number| {
            let mut tags = tags(&number.to_string(), "Ann", "Azul");
            change(&mut tags);
            file(&format!("{number}.flac"), number, tags)
        })
    };
    for change in [
        (|tags| tags.date = Some("1999".to_owned())) as fn(&mut Tags),
        |tags| tags.album_version = Some("Deluxe".to_owned()),
        |tags| tags.mbid_album = Some("m".to_owned()),
        |tags| tags.album_artists.clear(),
    ] {
        bench.apply(again(change).into()).await;
        assert_eq!(bench.rows(ALBUM_IDS).await, ["1 Azul by Ann 2", "2 Red by Bob 1"]);
        bench.check().await;
    }
    assert_eq!(bench.rows(STARS).await, ["album 1 5 4 2"]);
}

#[tokio::test]
async fn an_album_that_is_tagged_anew_track_by_track_keeps_its_row() {
    let bench = Bench::with_user().await;
    bench.apply(vec![of(1, "Blue"), of(2, "Blue"), of(3, "Blue")]).await;
    bench.mark("album", 1, Some(5), None).await;
    for (number, expected) in [
        (1, vec!["1 Blue by Ann 2", "2 Azul by Ann 1"]),
        (2, vec!["1 Blue by Ann 1", "2 Azul by Ann 2"]),
        (3, vec!["1 Azul by Ann 3"]),
    ] {
        bench.apply(vec![of(number, "Azul")]).await;
        assert_eq!(bench.rows(ALBUM_IDS).await, expected);
        bench.check().await;
    }
    assert_eq!(bench.rows(STARS).await, ["album 1 5 - 2"]);
    // Somebody marked the new row meanwhile: nothing of it is lost.
    bench.apply(vec![of(1, "Bleu")]).await;
    let heir = bench.rows("select album_id || '' from album order by album_id").await[1].clone();
    bench.mark("album", heir.parse().unwrap(), Some(9), Some(3)).await;
    bench.apply(vec![of(2, "Bleu"), of(3, "Bleu")]).await;
    assert_eq!(bench.rows(ALBUM_IDS).await, ["1 Bleu by Ann 3"]);
    assert_eq!(bench.rows(STARS).await, ["album 1 5 3 4"]);
}

#[tokio::test]
async fn a_split_leaves_the_row_where_tracks_stay() {
    let bench = Bench::with_user().await;
    bench.apply(vec![of(1, "Blue"), of(2, "Blue"), of(3, "Blue")]).await;
    bench.mark("album", 1, Some(5), None).await;
    bench.apply(vec![of(2, "Azul"), of(3, "Azul")]).await;
    assert_eq!(bench.rows(ALBUM_IDS).await, ["1 Blue by Ann 1", "2 Azul by Ann 2"]);
    assert_eq!(bench.rows(STARS).await, ["album 1 5 - 2"]);
    // Long after, the new row has a life of its own; stars join it.
    bench.clock.advance(DAY);
    bench.apply(vec![of(1, "Azul")]).await;
    assert_eq!(bench.rows(ALBUM_IDS).await, ["2 Azul by Ann 3"]);
    assert_eq!(bench.rows(STARS).await, ["album 2 5 - 2"]);
    // Split with nothing left: the larger part is the album.
    bench.apply(vec![of(1, "A"), of(2, "B"), of(3, "B")]).await;
    assert_eq!(bench.rows(ALBUM_IDS).await.len(), 2);
    assert!(bench.rows(ALBUM_IDS).await.contains(&"2 B by Ann 2".to_owned()));
    bench.check().await;
}

#[tokio::test]
async fn a_merge_brings_what_people_added_along() {
    let bench = Bench::with_user().await;
    bench.apply(vec![of(1, "Blue"), of(2, "Red"), of(3, "Red"), of(4, "Green")]).await;
    let ids = bench.rows("select name || album_id from album order by name").await;
    assert_eq!(ids, ["Blue1", "Green2", "Red3"]);
    bench.mark("album", 1, Some(5), Some(2)).await;
    bench.mark("album", 2, None, Some(1)).await;
    bench.mark("album", 3, Some(6), Some(4)).await;
    bench.apply(vec![of(1, "Red")]).await;
    assert_eq!(bench.rows(ALBUM_IDS).await, ["2 Green by Ann 1", "3 Red by Ann 3"]);
    // The earlier star and the later rating.
    assert_eq!(bench.rows(STARS).await, ["album 2 - 1 2", "album 3 5 4 4"]);
    // Two into one that is new: the larger one goes on.
    bench.apply(vec![of(1, "New"), of(2, "New"), of(3, "New"), of(4, "New")]).await;
    assert_eq!(bench.rows(ALBUM_IDS).await, ["3 New by Ann 4"]);
    assert_eq!(bench.rows(STARS).await, ["album 3 5 4 6"]);
    bench.check().await;
}

#[tokio::test]
async fn files_that_are_gone_take_no_stars_elsewhere() {
    let bench = Bench::with_user().await;
    bench.apply(vec![of(1, "Blue"), of(2, "Blue")]).await;
    bench.mark("album", 1, Some(5), None).await;
    bench.apply(vec![of(1, "Azul")]).await;
    bench.gone("2.flac").await;
    assert_eq!(bench.rows(ALBUM_IDS).await, ["1 Blue by Ann 0", "2 Azul by Ann 1"]);
    assert_eq!(bench.rows(STARS).await, ["album 1 5 - 2"]);
    bench.check().await;
    // Back, and tagged anew as the other one was.
    bench.apply(vec![of(2, "Azul")]).await;
    assert_eq!(bench.rows(ALBUM_IDS).await, ["1 Azul by Ann 2"]);
    bench.check().await;
}

#[tokio::test]
async fn an_artist_who_is_tagged_anew_keeps_the_row() {
    let bench = Bench::with_user().await;
    bench.apply(vec![of(1, "Blue"), of(2, "Red"), by(3, "Bob", "Mix")]).await;
    let ids = bench.rows(ARTIST_IDS).await;
    assert_eq!(ids, ["1 Ann", "2 Bob"]);
    bench.mark("artist", 1, Some(5), Some(4)).await;
    // One album after the other; then with an id of MusicBrainz; then as one who was there.
    bench.apply(vec![by(1, "Anna", "Blue")]).await;
    assert_eq!(bench.rows(ARTIST_IDS).await, ["1 Ann", "2 Bob", "3 Anna"]);
    bench.apply(vec![by(2, "Anna", "Red")]).await;
    assert_eq!(bench.rows(ARTIST_IDS).await, ["1 Anna", "2 Bob"]);
    assert_eq!(bench.rows(STARS).await, ["artist 1 5 4 2"]);
    assert_eq!(bench.rows(ALBUM_IDS).await.len(), 3);
    bench.check().await;
    bench.apply(vec![by(1, "Bob", "Blue"), by(2, "Bob", "Red")]).await;
    assert_eq!(bench.rows(ARTIST_IDS).await, ["2 Bob"]);
    assert_eq!(bench.rows(STARS).await, ["artist 2 5 4 2"]);
    bench.check().await;
    // Various artists are nobody: no star of a singer lands on them.
    bench.apply([1, 2, 3].map(|number| by(number, "Various Artists", "Mix")).into()).await;
    assert_eq!(bench.rows(STARS).await, ["artist 2 5 4 2"]);
    bench.check().await;
}

#[tokio::test]
async fn an_artist_with_other_works_stays() {
    let bench = Bench::with_user().await;
    bench.apply(vec![of(1, "Blue"), of(2, "Red")]).await;
    bench.mark("artist", 1, Some(5), None).await;
    bench.apply(vec![by(1, "Bob", "Blue")]).await;
    assert_eq!(bench.rows(ARTIST_IDS).await, ["1 Ann", "2 Bob"]);
    assert_eq!(bench.rows(STARS).await, ["artist 1 5 - 2"]);
    bench.check().await;
}

#[tokio::test]
async fn shares_and_what_others_know_follow_an_album_into_another_one() {
    let bench = Bench::with_user().await;
    bench.apply(vec![of(1, "Blue"), of(2, "Blue"), of(3, "Red")]).await;
    bench.clock.advance(DAY);
    let mut tx = bench.db.write().await.unwrap();
    for sql in [
        "insert into share (share_id, user_id, lookup, sealed, created_at) values (1, 1, x'01', x'02', 0)",
        "insert into share_item values (1, 0, 'track', 1), (1, 1, 'album', 1)",
        "insert into remote_info (kind, item_id, text, asked_at) values ('album', 1, 'known', 0)",
    ] {
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    // Both of Blue's tracks are Red's now, which was there before.
    bench.apply(vec![of(1, "Red"), of(2, "Red")]).await;
    let shown = "select kind || ' ' || item_id from share_item order by position";
    assert_eq!(bench.rows(shown).await, ["track 1", "album 2"]);
    let known = "select item_id || ' ' || text from remote_info";
    assert_eq!(bench.rows(known).await, ["2 known"]);
    // Red was known itself: that stays, and nothing is left behind.
    bench.apply(vec![of(1, "Green"), of(2, "Green"), of(3, "Green")]).await;
    let albums = bench.rows(ALBUM_IDS).await;
    let red = albums.iter().find(|album| album.contains("Green")).unwrap();
    let id = red.split(' ').next().unwrap();
    assert_eq!(bench.rows(shown).await, ["track 1".to_owned(), format!("album {id}")]);
    assert_eq!(bench.rows(known).await, [format!("{id} known")]);
}
