//! Moving in: databases and library files as other programs write them, made here with their real
//! tables and columns, are read, given to people, and looked at as apps do.

mod airsonic;
mod itunes;
mod jellyfin;
pub(crate) mod navidrome;

use std::path::Path;

use tunelocker::{
    catalog::Trial,
    moving::{self, Arrived, Legacy, Moving, Program, Taken, Wish},
};

use crate::subsonic::House;

/// What came of everybody, by name there.
struct Came(Vec<(Arrived, Taken)>, Legacy);

impl Came {
    fn of(&self, name: &str) -> &(Arrived, Taken) {
        self.0.iter().find(|(arrived, _)| arrived.name == name).unwrap()
    }

    fn taken(&self, name: &str) -> &Taken {
        &self.of(name).1
    }
}

/// Writes a SQLite database.
pub(crate) async fn database(path: &Path, sql: &str) {
    use sqlx::Connection as _;
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Brings everybody of a source along, each under the own name unless `as_name` says otherwise.
async fn bring(
    house: &House,
    program: Program,
    path: &Path,
    as_name: Option<&str>,
    trial: Trial,
) -> Came {
    let legacy = moving::read(program, path, None).await.unwrap();
    let services = &house.app.services;
    let (accounts, operator) = (services.accounts.clone(), services.accounts.operator());
    let moving = Moving::new(accounts, services.catalog.clone(), services.outside.clone());
    let wishes: Vec<Wish> = legacy
        .people
        .iter()
        .map(|person| Wish {
            name: person.name.clone(),
            as_name: as_name.map(str::to_owned),
            display_name: person.display_name.clone(),
            email: person.email.clone(),
        })
        .collect();
    let arrived = moving.arrive(&operator, &wishes, trial).await.unwrap();
    let mut came = Vec::new();
    for (person, arrived_as) in legacy.people.iter().zip(&arrived) {
        let (name, things) = (&arrived_as.as_name, &person.belongings);
        let taken = moving.take_in(&operator, name, things, &arrived, trial).await.unwrap();
        came.push((arrived_as.clone(), taken));
    }
    Came(came, legacy)
}
