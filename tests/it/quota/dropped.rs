//! What is dropped into a user's folder of deliveries: all of it comes in, whatever it is called, and
//! nothing is removed that did not.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::{Path, PathBuf},
};

use super::Desk;
use crate::ingest::until;

impl Desk {
    /// Moves what `make` makes into ann's folder, in one piece.
    fn drop_order(&self, name: &OsStr, make: impl FnOnce(&Path)) -> PathBuf {
        let aside = self.lockers.drive_root().join("aside");
        fs::create_dir_all(&aside).unwrap();
        make(&aside);
        let folder = self.lockers.drive_root().join("drop/ann");
        fs::create_dir_all(&folder).unwrap();
        let place = folder.join(name);
        fs::rename(aside, &place).unwrap();
        place
    }

    fn stored(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.lockers.folder().join("Music").join(path)).ok()
    }
}

#[tokio::test]
async fn names_of_any_kind_are_delivered() {
    let desk = Desk::new(1_000).await;
    let latin = OsStr::from_bytes(b"Bj\xf6rk");
    let deep: PathBuf = (0..30).map(|level| level.to_string()).collect();
    let place = desk.drop_order(latin, |order| {
        fs::write(order.join(OsStr::from_bytes(b"J\xf3ga.txt")), b"one").unwrap();
        fs::create_dir(order.join("R.E.M.")).unwrap();
        fs::write(order.join("R.E.M./Drive.txt"), b"two").unwrap();
        fs::create_dir_all(order.join(&deep)).unwrap();
        fs::write(order.join(&deep).join("deep.txt"), b"three").unwrap();
    });
    until("it is taken in", async || !place.exists()).await;
    let order = "Bj\u{fffd}rk";
    for (path, bytes) in [
        (format!("{order}/J\u{fffd}ga.txt"), "one"),
        (format!("{order}/R.E.M/Drive.txt"), "two"),
        (format!("{order}/{}/deep.txt", deep.display()), "three"),
    ] {
        assert_eq!(desk.stored(&path).as_deref(), Some(bytes.as_bytes()), "{path}");
    }
    let usage = desk.lockers.usage().await;
    assert_eq!((usage.used, usage.exempt), (0, 11));
}

#[tokio::test]
async fn only_what_was_delivered_is_removed() {
    let desk = Desk::new(1_000).await;
    let place = desk.drop_order(OsStr::new("Order"), |order| {
        fs::create_dir(order.join("Album")).unwrap();
        fs::write(order.join("Album/1.txt"), b"one").unwrap();
        fs::write(order.join("cover.txt"), b"face").unwrap();
        symlink("/etc/hostname", order.join("Album/link")).unwrap();
    });
    until("it is taken in", async || !place.join("Album/1.txt").exists()).await;
    until("all of it", async || !place.join("cover.txt").exists()).await;
    assert_eq!(desk.stored("Order/Album/1.txt").unwrap(), b"one");
    assert!(place.join("Album/link").is_symlink(), "what is no file is nobody's to delete");
    // What comes later into the same folder is another delivery of that order.
    fs::write(place.join("Album/2.txt"), b"two").unwrap();
    until("the rest", async || desk.stored("Order/Album/2.txt").is_some()).await;
    until("it is removed", async || !place.join("Album/2.txt").exists()).await;
    assert_eq!(desk.lockers.usage().await.exempt, 10);
}

/// More files than one order of a shop may have.
#[tokio::test]
async fn a_large_order_comes_in_whole() {
    let desk = Desk::new(1_000).await;
    let place = desk.drop_order(OsStr::new("Large"), |order| {
        for number in 0..1_050 {
            fs::write(order.join(format!("{number}.txt")), number.to_string()).unwrap();
        }
    });
    until("it is taken in", async || !place.exists()).await;
    for number in [0, 999, 1_000, 1_049] {
        let stored = desk.stored(&format!("Large/{number}.txt")).unwrap();
        assert_eq!(stored, number.to_string().into_bytes());
    }
    let deliveries = Desk::json(desk.as_ann(reqwest::Method::GET, "deliveries")).await;
    assert_eq!(deliveries["items"].as_array().unwrap().len(), 2);
}
