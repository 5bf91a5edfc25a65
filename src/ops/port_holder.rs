//! Who holds a port: what `/proc` tells of it, for a sentence that helps.

use std::{fs, path::Path};

/// The process that listens on this TCP port, such as `nginx (process 812)`; `None` where `/proc`
/// does not tell, as for processes of other users.
#[must_use]
pub fn tcp(port: u16) -> Option<String> {
    // State 0A is LISTEN.
    holder(&["tcp", "tcp6"], port, Some("0A"))
}

/// The same for a UDP port that is bound.
#[must_use]
pub fn udp(port: u16) -> Option<String> {
    holder(&["udp", "udp6"], port, None)
}

/// A sentence's end: who it is, or that it is not known.
#[must_use]
pub fn phrase(holder: Option<String>) -> String {
    holder.map_or_else(|| "another program has it".to_owned(), |name| format!("{name} has it"))
}

fn holder(tables: &[&str], port: u16, state: Option<&str>) -> Option<String> {
    let inode = tables.iter().find_map(|table| {
        let text = fs::read_to_string(format!("/proc/net/{table}")).ok()?;
        inode(&text, port, state)
    })?;
    let socket = format!("socket:[{inode}]");
    // Numbers only: `self` and `thread-self` would answer for this process without its id.
    let mut processes = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit));
    let folder = processes.find(|entry| has_open(&entry.path(), &socket))?.path();
    let name = fs::read_to_string(folder.join("comm")).ok()?;
    Some(format!("{} (process {})", name.trim(), folder.file_name()?.to_string_lossy()))
}

fn has_open(process: &Path, socket: &str) -> bool {
    fs::read_dir(process.join("fd")).is_ok_and(|descriptors| {
        descriptors
            .flatten()
            .any(|entry| fs::read_link(entry.path()).is_ok_and(|to| to.as_os_str() == socket))
    })
}

/// The inode of the first socket on this local port in a table of `/proc/net`.
fn inode(table: &str, port: u16, state: Option<&str>) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let (_, local) = fields.get(1)?.rsplit_once(':')?;
        let is_port = u16::from_str_radix(local, 16) == Ok(port);
        let is_state = state.is_none_or(|state| fields.get(3) == Some(&state));
        if is_port && is_state { fields.get(9)?.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_proc_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:0FC8 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 111 1\n   \
            1: 00000000:0FC8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1\n";
        assert_eq!(inode(table, 4040, Some("0A")), Some(222));
        assert_eq!(inode(table, 4040, None), Some(111));
        assert_eq!(inode(table, 4041, None), None);
    }

    #[test]
    fn this_process_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = tcp(listener.local_addr().unwrap().port()).unwrap();
        assert!(found.ends_with(&format!("(process {})", std::process::id())), "{found}");
    }
}
