//! The cover of a playlist: four of its covers in one, as people know it from elsewhere (C27).

use crate::{
    Result,
    catalog::{Catalog, Cover, Picture, covers::Wanted},
};

/// Where they are kept in the cache of covers: the first letters of their names.
pub(super) const FOLDER: &str = "mo";
/// Tiles in one.
const TILES: usize = 4;
/// The edge of one that is wanted in no certain size, px.
const EDGE: u32 = 600;

/// The cover of something with these different pictures, and its tiles if it is a mosaic. That has
/// the id of the first one and a hash of its own, so that apps fetch it again when it changes.
pub(super) fn cover_of(pictures: Vec<Picture>) -> (Option<Picture>, Vec<Picture>) {
    let Some(first) = pictures.first().copied() else { return (None, Vec::new()) };
    if pictures.len() < TILES {
        return (Some(first), Vec::new());
    }
    let mixed = |hash: u32, next: &Picture| hash.rotate_left(5).wrapping_mul(31) ^ next.hash;
    (Some(Picture { hash: pictures.iter().fold(0, mixed), ..first }), pictures)
}

impl Catalog {
    /// Four covers in one, a JPEG.
    pub(super) async fn mosaic(&self, tiles: &[Picture], wanted: Wanted) -> Result<Cover> {
        let edge = match wanted {
            Wanted::Original => EDGE,
            Wanted::AtMost(edge) | Wanted::Jpeg(edge) => edge,
        };
        let ids: Vec<String> =
            tiles.iter().map(|tile| format!("{}-{:08x}", tile.id.0, tile.hash)).collect();
        let name = format!("{FOLDER}-{}-{edge}", ids.join("-"));
        let bytes = match self.kept(&name).await {
            Some(bytes) => bytes,
            None => {
                let mut parts = Vec::with_capacity(tiles.len());
                for tile in tiles {
                    let part = self.make_cover(tile.id, Wanted::AtMost(edge.div_ceil(2))).await?;
                    parts.push(part.bytes);
                }
                let made = self.inner.covers.pool.mosaic(&parts, edge).await?;
                self.keep(&name, made.clone()).await;
                made
            }
        };
        Ok(Cover { bytes, mime: "image/jpeg", tag: name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PictureId;

    #[test]
    fn four_make_one_and_fewer_do_not() {
        let pictures =
            |numbers: [u32; 4]| numbers.map(|hash| Picture { id: PictureId(hash.into()), hash });
        let (first, other) = (pictures([1, 2, 3, 4]), pictures([1, 2, 4, 3]));
        assert_eq!(cover_of(Vec::new()), (None, Vec::new()));
        assert_eq!(cover_of(first[..3].to_vec()), (Some(first[0]), Vec::new()));
        let (one, tiles) = cover_of(first.to_vec());
        let (two, _) = cover_of(other.to_vec());
        assert_eq!(tiles, first);
        assert_ne!(one, two, "another order is another picture");
    }
}
