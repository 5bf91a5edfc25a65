//! Files that go from one locker to another, and lockers that go with their owners.

use super::*;

/// What begins the paths of files in the household's locker.
pub(super) const HOUSE: &str = "household:";
/// And in a folder that another shares.
pub(super) const SHARED: &str = "user:bob/Shared/";

/// Who is about to go.
const PASSWORD: &str = "not for long here";

impl Hand {
    /// A file of another place.
    pub(super) fn there(&self, place: &str) -> Option<String> {
        let mut files = self.world.files.keys().rev();
        files.find_map(|path| path.strip_prefix(place).map(str::to_owned))
    }

    /// The request that brings a file to another place, from there, or into its trash.
    pub(super) fn between(&mut self, act: Act, after: &mut World) -> Option<RequestBuilder> {
        let (place, id) = match act {
            Act::PutInShared | Act::MoveToShared | Act::CopyToShared | Act::MoveFromShared => {
                (SHARED, self.shared.clone())
            }
            _ => (HOUSE, "household".to_owned()),
        };
        let api = self.api.clone();
        Some(match act {
            Act::PutInHouse | Act::PutInShared => {
                let (path, bytes) = (self.new_path(), self.new_bytes());
                after.files.insert(format!("{place}{path}"), *blake3::hash(&bytes).as_bytes());
                api.request(Method::PUT, &format!("files/{path}?locker={id}")).body(bytes)
            }
            Act::TrashInHouse => {
                let path = self.there(place)?;
                let hash = after.files.remove(&format!("{place}{path}"))?;
                after.trash.push((format!("{place}{path}"), hash));
                api.request(Method::DELETE, &format!("files/{path}?locker={id}"))
            }
            Act::MoveFromHouse | Act::MoveFromShared => {
                let (path, to) = (self.there(place)?, self.new_path());
                let hash = after.files.remove(&format!("{place}{path}"))?;
                after.files.insert(to.clone(), hash);
                let wish = json!({ "to": to, "locker": "me" });
                api.request(Method::POST, &format!("files/{path}?locker={id}")).json(&wish)
            }
            _ => {
                let (from, to) = (self.plain().pop()?, self.new_path());
                let is_copy = matches!(act, Act::CopyToHouse | Act::CopyToShared);
                after.files.insert(format!("{place}{to}"), after.files[&from]);
                if !is_copy {
                    after.files.remove(&from);
                }
                let wish = json!({ "to": to, "locker": id, "copy": is_copy });
                api.request(Method::POST, &format!("files/{from}")).json(&wish)
            }
        })
    }

    /// Somebody comes, brings two files, and is to go.
    pub(super) async fn somebody_goes(
        &mut self,
        act: Act,
        after: &mut World,
    ) -> Option<RequestBuilder> {
        self.seed += 1;
        let name = format!("goer{}", self.seed & 0xffff_ffff);
        self.goer.clone_from(&name);
        let api = self.api.clone();
        let new = json!({ "name": name, "password": PASSWORD });
        let made = api.ask(api.administer(Method::POST, "users").json(&new)).await?;
        made.is_success().then_some(())?;
        for _ in 0..2 {
            let (path, bytes) = (self.new_path(), self.new_bytes());
            let (hash, file) = (*blake3::hash(&bytes).as_bytes(), format!("files/{path}"));
            let put = api.as_user((&name, PASSWORD), Method::PUT, &file).body(bytes);
            api.ask(put).await?.is_success().then_some(())?;
            self.world.files.insert(format!("user:{name}/{path}"), hash);
            if act == Act::RemoveUser {
                after.files.insert(format!("removed:{name}/{path}"), hash);
            }
        }
        let forever = if act == Act::RemoveUser { "" } else { "?deleteFiles=true" };
        Some(api.administer(Method::DELETE, &format!("users/{name}{forever}")))
    }

    /// Waits for the end of what was taken down. False: nobody is there any more.
    pub(super) async fn until_taken_down(&self) -> bool {
        loop {
            let look = self.api.administer(Method::GET, "takedowns");
            let Some(all) = self.api.ask(look).await else { return false };
            let all = all.json();
            let mut items = all["items"].as_array().into_iter().flatten();
            if items.all(|one| !one["doneAt"].is_null()) {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Waits until the locker of whoever went last is where it shall be. False: nobody is there any
    /// more.
    pub(super) async fn until_gone(&self) -> bool {
        let locker = self.drive.join("lockers").join(&self.goer);
        while locker.exists() {
            let look = self.api.request(Method::GET, "lockers");
            if self.api.ask(look).await.is_none() {
                return false;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        true
    }
}
