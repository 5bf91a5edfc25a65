//! A cover drawn by arithmetic: a sky, a sun and its road on the water.

use image::{DynamicImage, Rgb, RgbImage, codecs::jpeg::JpegEncoder};

const EDGE: u32 = 800;

/// JPEG bytes from the colours of sky, ground and sun.
pub(super) fn jpeg([sky, ground, sun]: [[u8; 3]; 3]) -> anyhow::Result<Vec<u8>> {
    let picture = RgbImage::from_fn(EDGE, EDGE, |x, y| {
        let (across, down) = (x as f32 / EDGE as f32, y as f32 / EDGE as f32);
        let base = blend(sky, ground, (down * 1.15).min(1.0));
        let distance = ((across - 0.62).powi(2) + (down - 0.42).powi(2)).sqrt();
        let disc = ((0.16 - distance) * 60.0).clamp(0.0, 1.0);
        let glow = (0.5 - distance).max(0.0) * 0.7;
        // Below the horizon the light comes back in stripes that widen towards the viewer.
        let depth = (down - 0.62).max(0.0);
        let wave = ((down * 90.0).sin() * 0.5 + 0.5) * f32::from(u8::from(down > 0.62));
        let road = (1.0 - (across - 0.62).abs() / (0.06 + depth * 0.7)).max(0.0) * wave;
        Rgb(blend(base, sun, (disc + glow + road * 0.75).min(1.0)))
    });
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(picture)
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 88))?;
    Ok(bytes)
}

fn blend(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    std::array::from_fn(|at| {
        (f32::from(from[at]) * (1.0 - share) + f32::from(to[at]) * share) as u8
    })
}
