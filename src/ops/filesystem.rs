//! Where the database may live. SQLite's log needs shared memory and honest locks; file systems
//! over a network or FUSE do not give them, and a database there is lost sooner or later.

use std::path::Path;

/// File systems that are refused: magic number of `statfs(2)` and name.
const REFUSED: &[(u64, &str)] = &[
    (0x6573_5546, "FUSE"),
    (0x6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x517B, "SMB"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
];

/// The database folder lies where a database cannot live.
#[derive(Debug, thiserror::Error)]
#[error(
    "{folder} is on {kind}, where a database loses data; put the data folder on a local disk (--data) and keep only the music there (--drive, --library)"
)]
pub struct WrongFilesystem {
    folder: String,
    kind: &'static str,
}

/// Refuses a folder on a network or FUSE file system.
pub fn require_local(folder: &Path) -> anyhow::Result<()> {
    let found = rustix::fs::statfs(folder)?.f_type as u64 & 0xFFFF_FFFF;
    match kind(found) {
        Some(kind) => Err(WrongFilesystem { folder: folder.display().to_string(), kind }.into()),
        None => Ok(()),
    }
}

fn kind(magic: u64) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_disks_pass_and_networks_do_not() {
        require_local(&std::env::temp_dir()).unwrap();
        assert_eq!(kind(0x6969), Some("NFS"));
        assert_eq!(kind(0xEF53), None);
    }
}
