//! ogg_flac
use super::{Audio, fields::Fields};
use crate::media::source::Source;
pub(super) fn read(_source: &mut Source<'_>) -> Result<(Audio, Fields), String> {
    Err("later".to_owned())
}
