//! What the messages carry, written and read. The daemon reads answers of a process that may have
//! been taken over: nothing here trusts a length or panics.

use std::io;

use serde::{Deserialize, Serialize};

use super::{ReadItem, ReadOptions, Understood};

#[derive(Serialize)]
struct ItemsOut<'a> {
    options: Vec<&'a ReadOptions>,
    items: Vec<(usize, &'a str)>,
}

#[derive(Deserialize)]
struct ItemsIn {
    options: Vec<ReadOptions>,
    items: Vec<(usize, String)>,
}

/// Writes paths and options of a batch; equal options travel once.
pub(super) fn write_items(out: &mut Vec<u8>, items: &[&ReadItem]) -> io::Result<()> {
    let mut options: Vec<&ReadOptions> = Vec::new();
    let items = items
        .iter()
        .map(|item| {
            let at = options.iter().position(|known| **known == item.options);
            let at = at.unwrap_or_else(|| {
                options.push(&item.options);
                options.len() - 1
            });
            (at, item.relative_path.as_str())
        })
        .collect();
    Ok(serde_json::to_writer(out, &ItemsOut { options, items })?)
}

/// Paths and options of a batch.
pub(super) fn read_items(payload: &[u8]) -> io::Result<Vec<(String, ReadOptions)>> {
    let ItemsIn { options, items } = serde_json::from_slice(payload)?;
    items
        .into_iter()
        .map(|(at, path)| {
            let options = options.get(at).ok_or(io::ErrorKind::InvalidData)?;
            Ok((path, options.clone()))
        })
        .collect()
}

/// Writes what was understood.
pub(super) fn write_understood(out: &mut Vec<u8>, understood: &Understood) -> io::Result<()> {
    Ok(serde_json::to_writer(out, understood)?)
}

/// What was understood.
pub(super) fn read_understood(payload: &[u8]) -> io::Result<Understood> {
    Ok(serde_json::from_slice(payload)?)
}
