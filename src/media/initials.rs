//! The picture of somebody who has none: initials on a colour that follows from the name. Drawn
//! dot by dot, so that it needs no font and looks the same wherever it is made.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use unicode_normalization::UnicodeNormalization as _;

/// Edge of the picture, px.
const EDGE: u32 = 256;
/// Dots of a letter.
const LETTER: (u32, u32) = (5, 7);
const WHITE: Rgb<u8> = Rgb([255, 255, 255]);

/// Letters and digits, a row of dots each number, the leftmost the highest of five bits.
const GLYPHS: &[(char, [u8; 7])] = &[
    ('0', [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e]),
    ('1', [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('2', [0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f]),
    ('3', [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e]),
    ('4', [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02]),
    ('5', [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e]),
    ('6', [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e]),
    ('7', [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08]),
    ('8', [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e]),
    ('9', [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c]),
    ('A', [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11]),
    ('B', [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e]),
    ('C', [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e]),
    ('D', [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e]),
    ('E', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f]),
    ('F', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10]),
    ('G', [0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f]),
    ('H', [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11]),
    ('I', [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('J', [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c]),
    ('K', [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11]),
    ('L', [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f]),
    ('M', [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11]),
    ('N', [0x11, 0x11, 0x19, 0x15, 0x13, 0x11, 0x11]),
    ('O', [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e]),
    ('P', [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10]),
    ('Q', [0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d]),
    ('R', [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11]),
    ('S', [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e]),
    ('T', [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04]),
    ('U', [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e]),
    ('V', [0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04]),
    ('W', [0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11]),
    ('X', [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11]),
    ('Y', [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04]),
    ('Z', [0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f]),
];

/// A PNG of 256 pixels square for a name: the first letters of its first two words, or a head and
/// shoulders where those cannot be written here.
#[must_use]
pub fn png(name: &str) -> Vec<u8> {
    let mut picture = RgbImage::from_pixel(EDGE, EDGE, colour(name));
    match glyphs(name).as_slice() {
        [] => draw_person(&mut picture),
        glyphs => draw_letters(&mut picture, glyphs),
    }
    let mut out = Cursor::new(Vec::new());
    // Writing into memory cannot fail, and the form fits PNG.
    let written = picture.write_to(&mut out, ImageFormat::Png);
    debug_assert!(written.is_ok());
    out.into_inner()
}

/// The letters of [`png`], as dots.
fn glyphs(name: &str) -> Vec<[u8; 7]> {
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let (first, last) = (words.first(), words.get(1..).and_then(<[&str]>::last));
    let glyph = |word: &&str| {
        // Without its accents.
        let letter = word.nfd().next()?.to_ascii_uppercase();
        GLYPHS.iter().find(|(each, _)| *each == letter).map(|(_, dots)| *dots)
    };
    first.into_iter().chain(last).filter_map(glyph).collect()
}

/// One of many tints on which white can be read.
fn colour(name: &str) -> Rgb<u8> {
    let hash = blake3::hash(name.to_lowercase().as_bytes());
    let hue = f32::from(hash.as_bytes()[0]) / 256.0 * 6.0;
    let part = |shift: f32| {
        let at = (hue + shift).rem_euclid(6.0);
        let bright = (1.0 - (at - 3.0).abs() + 1.0).clamp(0.0, 1.0);
        (40.0 + 85.0 * bright) as u8
    };
    Rgb([part(0.0), part(2.0), part(4.0)])
}

fn draw_letters(picture: &mut RgbImage, glyphs: &[[u8; 7]]) {
    let count = glyphs.len() as u32;
    // Letters and the gaps between them fill two thirds of the width, or half of the height.
    let dots = count * (LETTER.0 + 1) - 1;
    let dot = (EDGE * 2 / 3 / dots).min(EDGE / 2 / LETTER.1);
    let (left, top) = ((EDGE - dots * dot) / 2, (EDGE - LETTER.1 * dot) / 2);
    for (at, glyph) in (0..).zip(glyphs) {
        for (row, bits) in (0..).zip(glyph) {
            for column in (0..LETTER.0).filter(|column| bits >> (LETTER.0 - 1 - column) & 1 == 1) {
                let x = left + (at * (LETTER.0 + 1) + column) * dot;
                let y = top + row * dot;
                for (x, y) in (0..dot * dot).map(|at| (x + at % dot, y + at / dot)) {
                    picture.put_pixel(x, y, WHITE);
                }
            }
        }
    }
}

fn draw_person(picture: &mut RgbImage) {
    let middle = EDGE as f32 / 2.0;
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let is_in = |at: f32, radius: f32| (x as f32 - middle).hypot(y as f32 - at) < radius;
        if is_in(EDGE as f32 * 0.38, EDGE as f32 * 0.17) || is_in(EDGE as f32, EDGE as f32 * 0.37) {
            *pixel = WHITE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_letters() {
        let letters = |name: &str| -> String {
            glyphs(name)
                .iter()
                .map(|dots| GLYPHS.iter().find(|(_, each)| each == dots).unwrap().0)
                .collect()
        };
        for (name, expected) in [
            ("ann", "A"),
            ("Ann Bee", "AB"),
            ("ann.middle-cee", "AC"),
            ("Émile Ölund", "EO"),
            ("7up", "7"),
            ("Анна", ""),
            ("", ""),
            ("Анна Bee", "B"),
        ] {
            assert_eq!(letters(name), expected, "{name}");
        }
    }

    #[test]
    fn pictures_are_whole_and_tell_people_apart() {
        let read = |name: &str| image::load_from_memory(&png(name)).unwrap().to_rgb8();
        for name in ["ann", "Ann Bee", "Анна", "", "MW WM"] {
            let picture = read(name);
            assert_eq!(picture.dimensions(), (EDGE, EDGE));
            let white = picture.pixels().filter(|pixel| **pixel == WHITE).count() as u32;
            assert!((EDGE * EDGE / 40..EDGE * EDGE / 2).contains(&white), "{name}: {white}");
            // White can be read on it.
            assert!(picture.get_pixel(0, 0).0.iter().all(|part| *part <= 125), "{name}");
        }
        assert_ne!(read("ann"), read("bob"));
        assert_eq!(png("ann"), png("ann"));
    }
}
