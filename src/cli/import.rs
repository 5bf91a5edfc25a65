//! `import`: moving in from another server. This process reads what the other server left, with
//! the rights of who runs it; the server here gets it person by person.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::{
    control,
    failure::Failure,
    import_told::{self, Here},
    request::{Reply, Request},
};
use crate::{
    Result, app,
    app::Services,
    catalog::Trial,
    config::Config,
    moving::{
        self, Arrived, Belongings, Legacy, Moving, Person, Program, Station, Taken, Tally, Wish,
    },
};

/// What `import` is told.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// What it comes from
    from: From,
    /// navidrome.db; airsonic.script or a dump by mysqldump or pg_dump; jellyfin.db or the folder
    /// of Jellyfin's databases; the exported XML of iTunes or Apple Music
    path: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Who is who: OLD there is NEW here. An empty NEW leaves somebody out; for iTunes NEW alone
    /// is enough. Can be repeated [default: the same name]
    #[arg(long = "user", value_name = "OLD=NEW")]
    users: Vec<String>,
    /// Airsonic: whose the play counts are, which it keeps for all users together
    #[arg(long, value_name = "NAME")]
    plays_of: Option<String>,
    /// Write a line for each track, album and artist: what became of it
    #[arg(long, value_name = "FILE.CSV")]
    report: Option<PathBuf>,
}

/// A source, as it is written on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    /// Navidrome
    Navidrome,
    /// Airsonic, Airsonic-Advanced
    Airsonic,
    /// Jellyfin
    Jellyfin,
    /// iTunes, Apple Music
    Itunes,
}

/// A step, as it crosses the control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum MoveIn {
    Arrive { wishes: Vec<Wish>, dry_run: bool },
    TakeIn { name: String, belongings: Box<Belongings>, people: Vec<Arrived>, dry_run: bool },
    Stations { stations: Vec<Station>, dry_run: bool },
}

/// What came of a step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Moved {
    /// Who is here now, and where people find the server.
    Arrived(Vec<Arrived>, String),
    Taken(Box<Taken>),
    Stations(Tally, Vec<String>),
}

impl MoveIn {
    pub(super) async fn carry_out(self, services: &Services, place: &str) -> Result<Moved> {
        let operator = services.accounts.operator();
        let moving = Moving::new(
            services.accounts.clone(),
            services.catalog.clone(),
            services.outside.clone(),
        );
        let trial = |dry_run| if dry_run { Trial::Yes } else { Trial::No };
        Ok(match self {
            Self::Arrive { wishes, dry_run } => {
                let arrived = moving.arrive(&operator, &wishes, trial(dry_run)).await?;
                Moved::Arrived(arrived, place.to_owned())
            }
            Self::TakeIn { name, belongings, people, dry_run } => {
                let trial = trial(dry_run);
                let taken = moving.take_in(&operator, &name, &belongings, &people, trial).await?;
                Moved::Taken(Box::new(taken))
            }
            Self::Stations { stations, dry_run } => {
                let (tally, notes) =
                    moving.add_stations(&operator, &stations, trial(dry_run)).await?;
                Moved::Stations(tally, notes)
            }
        })
    }
}

impl Import {
    /// Does it, or says what would be done.
    pub(super) fn run(self, config: &Config, is_json: bool) -> std::result::Result<(), Failure> {
        let program = match self.from {
            From::Navidrome => Program::Navidrome,
            From::Airsonic => Program::Airsonic,
            From::Jellyfin => Program::Jellyfin,
            From::Itunes => Program::ITunes,
        };
        let plays_of = self.plays_of.as_deref();
        let legacy = app::block_on(moving::read(program, &self.path, plays_of))?;
        let Legacy { people, stations, mut left_out } = legacy;
        let (people, wishes) = who_is_who(people, &self.users)?;
        let dry_run = self.dry_run;
        let ask = |step: MoveIn| match control::perform(config, Request::MoveIn(step))? {
            Reply::Moved(moved) => Ok(moved),
            _ => Err(Failure::new("the server answered something else; is it of another version?")),
        };
        let Moved::Arrived(arrived, place) = ask(MoveIn::Arrive { wishes, dry_run })? else {
            return Err(Failure::new("the server did not say who is here"));
        };
        let mut told = Vec::new();
        for (person, arrived_as) in people.into_iter().zip(&arrived) {
            let step = MoveIn::TakeIn {
                name: arrived_as.as_name.clone(),
                belongings: Box::new(person.belongings.clone()),
                people: arrived.clone(),
                dry_run,
            };
            let Moved::Taken(taken) = ask(step)? else {
                return Err(Failure::new("the server did not say what it took"));
            };
            told.push(Here { person, arrived: arrived_as.clone(), taken: *taken });
        }
        let step = MoveIn::Stations { stations, dry_run };
        let Moved::Stations(stations, notes) = ask(step)? else {
            return Err(Failure::new("the server did not say which stations it took"));
        };
        left_out.extend(notes);
        if let Some(report) = &self.report {
            import_told::report(report, &told)?;
        }
        import_told::say(program, &told, stations, &left_out, dry_run, &place, is_json);
        Ok(())
    }
}

/// Those who come along, each with what is wished for him.
fn who_is_who(
    people: Vec<Person>,
    said: &[String],
) -> std::result::Result<(Vec<Person>, Vec<Wish>), Failure> {
    let has_names = people.iter().any(|person| !person.name.is_empty());
    let mut chosen: Vec<(&str, &str)> = Vec::new();
    for text in said {
        match text.split_once('=') {
            Some((old, _))
                if has_names
                    && !people.iter().any(|one| one.name.eq_ignore_ascii_case(old.trim())) =>
            {
                return Err(Failure::new(format!("there is no user {old} there")));
            }
            Some((old, new)) => chosen.push((if has_names { old.trim() } else { "" }, new.trim())),
            None if !has_names => chosen.push(("", text.trim())),
            None => return Err(Failure::new("who is who is written --user OLD=NEW")),
        }
    }
    let (mut coming, mut wishes) = (Vec::new(), Vec::new());
    for person in people {
        let choice = chosen.iter().rfind(|(old, _)| person.name.eq_ignore_ascii_case(old));
        let as_name = match choice {
            Some((_, "")) => continue,
            Some((_, new)) => Some((*new).to_owned()),
            None if person.name.is_empty() => {
                return Err(Failure::new(
                    "an iTunes library does not say whose it is; say it with --user NAME",
                ));
            }
            None => None,
        };
        wishes.push(Wish {
            name: person.name.clone(),
            as_name,
            display_name: person.display_name.clone(),
            email: person.email.clone(),
        });
        coming.push(person);
    }
    Ok((coming, wishes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(names: &[&str]) -> Vec<Person> {
        let one = |name: &&str| Person { name: (*name).to_owned(), ..Person::default() };
        names.iter().map(one).collect()
    }

    fn wished(names: &[&str], said: &[&str]) -> Option<Vec<String>> {
        let said: Vec<String> = said.iter().map(|text| (*text).to_owned()).collect();
        let (_, wishes) = who_is_who(people(names), &said).ok()?;
        let text =
            |wish: &Wish| format!("{}>{}", wish.name, wish.as_name.as_deref().unwrap_or("?"));
        Some(wishes.iter().map(text).collect())
    }

    #[test]
    fn who_is_who_is_said_or_the_same() {
        let both = ["Ann", "bob"];
        assert_eq!(wished(&both, &[]).unwrap(), ["Ann>?", "bob>?"]);
        assert_eq!(wished(&both, &["ann=anna", "bob="]).unwrap(), ["Ann>anna"]);
        assert_eq!(wished(&both, &["cid=x"]), None);
        assert_eq!(wished(&both, &["x"]), None);
        assert_eq!(wished(&[""], &["me"]).unwrap(), [">me"]);
        assert_eq!(wished(&[""], &["itunes=me"]).unwrap(), [">me"]);
        assert_eq!(wished(&[""], &[]), None);
    }
}
