//! What was heard to its end is kept, whatever happens to what others heard.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tunelocker::{
    accounts::{NewUser, Role},
    catalog::ListenSource,
    playback::{Counting, Media, PlayState, Player, Report},
};

use crate::{
    harness::{TestApp, music::flac},
    ingest::{first_scan, tracks},
};

#[tokio::test]
async fn a_listen_that_cannot_be_recorded_costs_nobody_else_his() {
    let folder = tempfile::tempdir().unwrap();
    flac("a/one.flac").of("Ann", "Album", "one").write(folder.path());
    let root = folder.path().to_owned();
    let app = TestApp::spawn_with(|config| config.libraries.push(("Music".to_owned(), root))).await;
    first_scan(&app).await;
    let (accounts, playback) = (&app.services.accounts, &app.services.playback);
    let track = tracks(&app).await[0].id;
    let operator = accounts.operator();
    let admin = NewUser { role: Role::Admin, ..NewUser::new("admin", "correct horse battery") };
    accounts.create_user(&operator, &admin).await.unwrap();
    // Many, for they end in any order.
    let (leaves, stays): (Vec<_>, Vec<_>) = (0..12).partition(|number| number % 2 == 0);
    let mut people = Vec::new();
    for number in 0..12 {
        let new = NewUser::new(&format!("user{number}"), "correct horse battery");
        accounts.create_user(&operator, &new).await.unwrap();
        people.push(accounts.principal_named(&new.name).await.unwrap());
    }
    let all_say = async |state, position_ms| {
        let (media, source) = (Media::Track(track), ListenSource::Report);
        let counting = Counting::Listens;
        let report = Report { media, state, position_ms, rate: 100.0, counting, source };
        for person in &people {
            let player = Player { client: "test", device: "" };
            playback.report(person, player, &report).await.unwrap();
        }
    };
    all_say(PlayState::Playing, 0).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    all_say(PlayState::Paused, 2000).await;
    for number in &leaves {
        accounts.remove_user(&operator, &format!("user{number}")).await.unwrap();
    }
    // As at the end of the server.
    let stop = CancellationToken::new();
    stop.cancel();
    playback.clone().run(stop).await;
    let database = app.folder.path().join("data/tunelocker.db");
    let database = sqlx::SqlitePool::connect(database.to_str().unwrap()).await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("select count(*) from listen").fetch_one(&database).await.unwrap();
    assert_eq!(kept, stays.len() as i64);
}
