//! What has to be true before anything changes: the conditions of HTTP, those of `If` (RFC 4918,
//! 10.4), and that whoever holds a lock agrees (RFC 4918, 7).

use actix_web::http::StatusCode;

use super::{
    call::{Call, Spot},
    failure::{Answer, Failure},
    headers::{self, There},
    if_header::{If, State},
    locking::root_of,
};
use crate::{
    drive::{Entry, Lock, LocksAround, RelativePath},
    ids::UserId,
};

/// What a method does to what is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Other bytes or properties; it stays where it is.
    Content,
    /// A folder gets a member that was not there.
    Member,
    /// It goes away with all that is in it, and its folder loses a member.
    Tree,
}

/// What a client showed: the tokens of the locks that it knows.
#[derive(Debug, Default)]
pub(super) struct Shown(Vec<String>);

/// Locks that are not held by who wants the change.
#[derive(Debug, Default)]
struct Barred<'a> {
    /// On the thing itself, or on the folder that it is in.
    here: Vec<&'a Lock>,
    /// On things inside it.
    inside: Vec<&'a Lock>,
}

/// Members that are locked by somebody else: their addresses.
pub(super) type LockedMembers = Vec<(String, StatusCode)>;

impl Call<'_> {
    /// Judges the conditions of HTTP and of `If`. `there` is what is at the address.
    pub(super) async fn judge(&self, spot: &Spot<'_>, there: Option<&Entry>) -> Answer<Shown> {
        let headers = self.request.headers();
        let facts = there
            .map(|there| There { etag: there.etag.as_deref(), modified_at: there.modified_at });
        headers::judge(headers, facts)?;
        let Some(text) = self.if_header()? else { return Ok(Shown::default()) };
        let header = If::parse(&text).map_err(|_| Failure::invalid("If cannot be understood"))?;
        let own = self.state(spot, there).await?;
        let mut tagged: Vec<(&str, State)> = Vec::new();
        for tag in header.tags() {
            tagged.push((tag, self.state_at(tag).await?));
        }
        let nothing = State::default();
        let holds = header.holds(|tag| match tag {
            None => &own,
            Some(tag) => {
                tagged.iter().find(|(known, _)| *known == tag).map_or(&nothing, |(_, state)| state)
            }
        });
        if !holds {
            return Err(Failure::precondition_failed("No list of If holds"));
        }
        Ok(Shown(header.tokens().map(str::to_owned).collect()))
    }

    /// The header, however many lines it came in.
    fn if_header(&self) -> Answer<Option<String>> {
        let mut lines = Vec::new();
        for value in self.request.headers().get_all("if") {
            let line = std::str::from_utf8(value.as_bytes());
            lines.push(line.map_err(|_| Failure::invalid("If cannot be understood"))?);
        }
        Ok((!lines.is_empty()).then(|| lines.join(" ")))
    }

    /// What is at an address that `If` is about. Elsewhere is nothing.
    async fn state_at(&self, tag: &str) -> Answer<State> {
        let Ok(address) = self.address_of(tag) else { return Ok(State::default()) };
        let Ok(Some(spot)) = self.spot_of(address) else { return Ok(State::default()) };
        let there = self.there(&spot).await?;
        self.state(&spot, there.as_ref()).await
    }

    async fn state(&self, spot: &Spot<'_>, there: Option<&Entry>) -> Answer<State> {
        let around = self.locks(spot).await?;
        let covering = around.locks.into_iter().filter(|lock| lock.covers(&around.path));
        Ok(State {
            tokens: covering.map(|lock| lock.token).collect(),
            etag: there.and_then(|there| there.etag.clone()),
        })
    }

    /// Locks that have to do with a spot.
    pub(super) async fn locks(&self, spot: &Spot<'_>) -> Answer<LocksAround> {
        let drive = &self.services.drive;
        Ok(drive.locks(&self.principal, spot.place.locker, &spot.full).await?)
    }

    /// Refuses a change that a lock of somebody else, or one that was not shown, forbids. Locked
    /// members of a folder are given back: what to say of them the method knows.
    pub(super) async fn require_unlocked(
        &self,
        spot: &Spot<'_>,
        change: Change,
        shown: &Shown,
    ) -> Answer<LockedMembers> {
        let around = self.locks(spot).await?;
        let barred = barred(&around, change, &shown.0, self.principal.user);
        if !barred.here.is_empty() {
            let roots: Vec<String> = barred.here.iter().map(|lock| root_of(lock, spot)).collect();
            return Err(Failure::locked("lock-token-submitted", &roots));
        }
        let members = barred.inside.iter().map(|lock| (root_of(lock, spot), StatusCode::LOCKED));
        Ok(members.collect())
    }
}

/// Of the locks around a path, those that stand against a change.
fn barred<'a>(
    around: &'a LocksAround,
    change: Change,
    shown: &[String],
    user: UserId,
) -> Barred<'a> {
    let mut barred = Barred::default();
    let LocksAround { path, locks } = around;
    // One lock that is held is enough: exclusive ones have no other beside them, and of shared
    // ones any lets its holder write.
    let against = |path: &RelativePath| -> Option<&'a Lock> {
        let mut covering = locks.iter().filter(|lock| lock.covers(path)).peekable();
        let first = *covering.peek()?;
        let is_held = covering.any(|lock| lock.user == user && shown.contains(&lock.token));
        (!is_held).then_some(first)
    };
    if let Some(lock) = against(path) {
        add(&mut barred.here, lock);
    }
    if change != Change::Content
        && let Some(parent) = path.parent()
        && let Some(lock) = against(&parent)
    {
        add(&mut barred.here, lock);
    }
    if change == Change::Tree {
        for inner in locks.iter().filter(|lock| lock.path.is_inside(path)) {
            if let Some(lock) = against(&inner.path) {
                add(&mut barred.inside, lock);
            }
        }
    }
    barred
}

/// None twice.
fn add<'a>(list: &mut Vec<&'a Lock>, lock: &'a Lock) {
    if !list.iter().any(|known| known.token == lock.token) {
        list.push(lock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::{LockReach, LockScope};

    const ME: UserId = UserId(1);

    fn lock(token: &str, path: &str, scope: LockScope, reach: LockReach) -> Lock {
        Lock {
            token: token.to_owned(),
            path: RelativePath::parse(path).unwrap(),
            user: if token.starts_with("mine") { ME } else { UserId(2) },
            scope,
            reach,
            owner: String::new(),
            expires_at: 0,
        }
    }

    /// Path, locks, change, what is shown, and how many stand against it here and inside.
    type Row<'a> = (&'a str, Vec<Lock>, Change, &'a str, (usize, usize));

    #[test]
    fn what_stands_against_what() {
        use Change::{Content, Member, Tree};
        use LockReach::{Everything, Itself};
        use LockScope::{Exclusive, Shared};
        let mine = |path, reach| lock("mine", path, Exclusive, reach);
        let theirs = |path, reach| lock("theirs", path, Exclusive, reach);
        let table: Vec<Row<'_>> = vec![
            ("a/b", vec![], Tree, "", (0, 0)),
            ("a/b", vec![mine("a/b", Itself)], Content, "", (1, 0)),
            ("a/b", vec![mine("a/b", Itself)], Content, "mine", (0, 0)),
            ("a/b", vec![theirs("a/b", Itself)], Content, "theirs", (1, 0)),
            ("a/b", vec![theirs("a", Itself)], Content, "", (0, 0)),
            ("a/b", vec![theirs("a", Itself)], Member, "", (1, 0)),
            ("a/b", vec![theirs("a", Itself)], Tree, "", (1, 0)),
            ("a/b", vec![theirs("a", Everything)], Content, "", (1, 0)),
            ("a/b", vec![mine("", Everything)], Tree, "mine", (0, 0)),
            ("a/b", vec![mine("", Everything)], Tree, "", (1, 0)),
            ("a", vec![theirs("a/b", Itself)], Content, "", (0, 0)),
            ("a", vec![theirs("a/b", Itself)], Tree, "", (0, 1)),
            ("a", vec![mine("a/b", Itself)], Tree, "mine", (0, 0)),
            ("a", vec![mine("a", Itself), theirs("a/b", Itself)], Tree, "mine", (0, 1)),
            (
                "a",
                vec![lock("mine", "a", Shared, Itself), lock("theirs", "a", Shared, Itself)],
                Content,
                "mine",
                (0, 0),
            ),
            ("a", vec![lock("theirs", "a", Shared, Itself)], Content, "", (1, 0)),
        ];
        for (path, locks, change, shown, expected) in table {
            let around = LocksAround { path: RelativePath::parse(path).unwrap(), locks };
            let barred = barred(&around, change, &[shown.to_owned()], ME);
            assert_eq!(
                (barred.here.len(), barred.inside.len()),
                expected,
                "{path} {change:?} {shown:?} {:?}",
                around.locks
            );
        }
    }
}
