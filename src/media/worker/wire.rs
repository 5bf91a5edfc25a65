//! What the messages carry, written and read, in postcard's compact form. The daemon reads answers
//! of a process that may have been taken over: nothing here trusts a length or panics.

use std::io;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Item, ReadOptions};

#[derive(Serialize)]
struct ItemsOut<'a> {
    options: Vec<&'a ReadOptions>,
    items: Vec<Said<'a>>,
}

/// What is asked about a file; options by their place in the message.
#[derive(Serialize, Deserialize)]
enum Said<'p> {
    Music(&'p str, usize),
    Picture,
}

/// A batch, as the worker sees it.
#[derive(Deserialize)]
pub(super) struct Items<'p> {
    options: Vec<ReadOptions>,
    #[serde(borrow)]
    items: Vec<Said<'p>>,
}

/// What is asked about a file.
pub(super) enum Asked<'i> {
    /// Everything about music at this path.
    Music(&'i str, &'i ReadOptions),
    /// What picture it is.
    Picture,
}

impl<'p> Items<'p> {
    /// Reads what [`write_items`] wrote.
    pub(super) fn read(payload: &'p [u8]) -> io::Result<Self> {
        let items: Self = postcard::from_bytes(payload).map_err(invalid)?;
        let known = items.options.len();
        if items.items.iter().any(|item| matches!(item, Said::Music(_, at) if known <= *at)) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(items)
    }

    /// The files, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Asked<'_>> {
        self.items.iter().map(|item| match item {
            Said::Music(path, options) => Asked::Music(path, &self.options[*options]),
            Said::Picture => Asked::Picture,
        })
    }
}

/// Writes what is asked about the files of a batch; equal options travel once.
pub(super) fn write_items(out: &mut Vec<u8>, items: &[&Item]) -> io::Result<()> {
    let mut options: Vec<&ReadOptions> = Vec::new();
    let items = items
        .iter()
        .map(|item| {
            let Item::Music(item) = item else { return Said::Picture };
            let at = options.iter().position(|known| **known == *item.options);
            let at = at.unwrap_or_else(|| {
                options.push(&item.options);
                options.len() - 1
            });
            Said::Music(&item.relative_path, at)
        })
        .collect();
    write(out, &ItemsOut { options, items })
}

/// Appends an answer.
pub(super) fn write(out: &mut Vec<u8>, answer: &impl Serialize) -> io::Result<()> {
    *out = postcard::to_extend(answer, std::mem::take(out)).map_err(invalid)?;
    Ok(())
}

/// Reads an answer; it must be whole, and nothing may follow it.
pub(super) fn read<T: DeserializeOwned>(payload: &[u8]) -> io::Result<T> {
    match postcard::take_from_bytes(payload).map_err(invalid)? {
        (answer, []) => Ok(answer),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn invalid(error: postcard::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::{
        tags::{Extra, PictureFacts, Tags},
        worker::Understood,
    };

    fn full() -> Understood {
        let mut tags = Tags {
            title: Some("Ä".to_owned()),
            artists: vec!["A".to_owned(), "B".to_owned()],
            track_gain: Some(-7.5),
            extra: Extra {
                moods: vec!["calm".to_owned()],
                movement: Some(("I".to_owned(), 1, 4)),
                ..Extra::default()
            },
            picture: Some(PictureFacts { hash: "00".repeat(32), ..PictureFacts::default() }),
            ..Tags::default()
        };
        tags.audio.duration_ms = 1 << 40;
        Understood { tags, quick_key: [7; 32], size: u64::MAX }
    }

    #[test]
    fn answers_come_back_as_they_were() {
        for understood in [full(), Understood::default()] {
            let mut out = b"before".to_vec();
            write(&mut out, &understood).unwrap();
            assert_eq!(read::<Understood>(&out[6..]).unwrap(), understood);
            out.push(0);
            assert!(read::<Understood>(&out[6..]).is_err());
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_does_no_harm(bytes: Vec<u8>) {
            let _ = read::<Understood>(&bytes);
            let _ = Items::read(&bytes);
        }

        /// Answers that were cut or changed in one place.
        #[test]
        fn broken_answers_do_no_harm(at in 0_usize..100, byte: u8, length in 0_usize..200) {
            let mut bytes = Vec::new();
            write(&mut bytes, &full()).unwrap();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(length);
            let _ = read::<Understood>(&bytes);
        }
    }
}
