//! The door through which the fuzz targets reach the readers of other servers' files. No part of
//! its interface.

use super::sql_text::Dump;

/// Reads a database as SQL text, in each of the dialects.
pub fn dump(text: &str) {
    for head in ["", "-- MySQL dump\n", "-- PostgreSQL database dump\n"] {
        let mut dump = Dump::default();
        if dump.read(&format!("{head}{text}"), &["user", "media_file"]).is_ok() {
            let _ = (dump.has("user"), dump.is_elsewhere("media_file"));
            let wanted = ["id", "username/name", "path"];
            assert!(dump.rows("user", &wanted).iter().all(|row| row.0.len() == wanted.len()));
        }
    }
}
