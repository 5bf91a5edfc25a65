//! What is kept: uploads under quota, plain files on the disk, names, and what a crash leaves.

pub(crate) mod archives;
mod backups;
mod crash;
mod cross_origin;
mod deferred;
mod doctor;
mod files;
mod full;
mod http;
mod imports;
mod imports_wait;
mod joined;
mod journey;
mod many;
mod other_hands;
mod quota;
mod scrub;
mod trash;
mod tree;
mod tree_http;
mod tus;
mod ways;

use std::{io, path::PathBuf};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tunelocker::{
    Error, Result,
    accounts::{Accounts, NewUser, PlanChange, Principal, Usage},
    drive::{Condition, Drive, RelativePath, Stored, Target},
    ids::LockerId,
};

pub(crate) use self::crash::start_again;
use crate::harness::TestApp;

/// The administrator's name and password.
pub(crate) const ADMIN: (&str, &str) = ("root", "the admin's own");

/// A household with ann, who has a locker of a chosen size.
pub(crate) struct Lockers {
    pub(crate) app: TestApp,
    pub(crate) accounts: Accounts,
    pub(crate) drive: Drive,
    pub(crate) admin: Principal,
    pub(crate) ann: Principal,
    pub(crate) locker: LockerId,
}

impl Lockers {
    pub(crate) async fn with_quota(quota: u64) -> Self {
        let app =
            TestApp::spawn_with(|config| config.drive = config.data.with_file_name("drive")).await;
        Self::over(app, quota).await
    }

    pub(crate) async fn over(app: TestApp, quota: u64) -> Self {
        let (accounts, drive) = (app.services.accounts.clone(), app.services.drive.clone());
        accounts.ensure_first_admin(ADMIN.0, ADMIN.1).await.unwrap();
        let admin = accounts.principal_named(ADMIN.0).await.unwrap();
        let change = PlanChange { quota: Some(Some(quota)), ..PlanChange::default() };
        accounts.set_plan(&admin, "Test", &change).await.unwrap();
        let ann =
            NewUser { plan: Some("Test".to_owned()), ..NewUser::new("ann", "ann's very own") };
        let ann = accounts.create_user(&admin, &ann).await.unwrap();
        let ann = accounts.principal(ann).await.unwrap();
        let locker = accounts.lockers(&ann).await.unwrap()[0].id;
        Self { app, accounts, drive, admin, ann, locker }
    }

    pub(crate) fn target(&self, path: &str) -> Target {
        let path = RelativePath::parse(path).unwrap();
        Target { locker: self.locker, path, condition: Condition::None }
    }

    pub(crate) async fn put(&self, path: &str, bytes: &[u8]) -> Result<Stored> {
        let length = Some(bytes.len() as u64);
        self.drive.put(&self.ann, &self.target(path), length, body(bytes)).await
    }

    pub(crate) async fn usage(&self) -> Usage {
        self.accounts.usage(&self.ann, self.locker).await.unwrap()
    }

    pub(crate) fn drive_root(&self) -> PathBuf {
        self.app.folder.path().join("drive")
    }

    /// ann's folder on the disk.
    pub(crate) fn folder(&self) -> PathBuf {
        self.drive_root().join("lockers/ann")
    }

    /// Files in staging now.
    pub(crate) fn staged(&self) -> usize {
        std::fs::read_dir(self.drive_root().join("staging")).unwrap().count()
    }

    /// The sum of file sizes on the disk.
    pub(crate) fn on_disk(&self) -> u64 {
        fn sum(folder: &std::path::Path) -> u64 {
            let entries = std::fs::read_dir(folder).into_iter().flatten();
            entries
                .map(|entry| {
                    let entry = entry.unwrap();
                    let facts = entry.metadata().unwrap();
                    if facts.is_dir() { sum(&entry.path()) } else { facts.len() }
                })
                .sum()
        }
        sum(&self.folder())
    }
}

/// Bytes in pieces as a network brings them.
pub(crate) fn body(bytes: &[u8]) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let pieces: Vec<_> =
        bytes.chunks(40_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    // Uploads run against each other only if they let each other run.
    stream::iter(pieces).then(|piece| async {
        tokio::task::yield_now().await;
        piece
    })
}

pub(crate) fn is_quota(answer: &Result<Stored>) -> bool {
    matches!(answer, Err(Error::QuotaExceeded { .. }))
}
