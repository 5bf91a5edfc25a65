//! Pictures: what they are, told by content; scaled down for screens. Runs inside a worker.

use std::{fs::File, io::Cursor};

use fast_image_resize::{PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use image::{
    DynamicImage, ImageDecoder as _, ImageReader, Limits, RgbaImage, codecs::jpeg::JpegEncoder,
};
use jpeg_decoder::PixelFormat;

use super::{
    format::picture_mime,
    source::Source,
    tags::{self, PictureFacts},
    understand::{Refusal, unread},
};
use crate::error::in_words;

/// Larger pictures are not taken.
pub(crate) const MOST_BYTES: usize = 16 << 20;
const MOST_EDGE: u32 = 8192;
const MOST_PIXELS: u64 = 40_000_000;
const MOST_MEMORY: u64 = 200 << 20;
/// What may be asked for.
const EDGES: std::ops::RangeInclusive<u32> = 32..=2048;
const QUALITY: u8 = 82;

/// A picture and what it is.
pub(crate) struct Picture {
    bytes: Vec<u8>,
    width: u32,
    height: u32,
}

/// What a picture is, from its header alone.
pub(crate) fn facts(bytes: &[u8]) -> Result<PictureFacts, String> {
    let mime = picture_mime(bytes).ok_or("It is not a picture that is known here")?;
    let (width, height) = dimensions(bytes)?;
    Ok(PictureFacts {
        hash: blake3::hash(bytes).to_hex().to_string(),
        mime: mime.to_owned(),
        width,
        height,
        size_bytes: bytes.len() as u64,
    })
}

/// What a file that is a picture is.
pub(crate) fn whole_facts(file: &File) -> Result<PictureFacts, Refusal> {
    facts(&whole_bytes(file)?).map_err(Refusal::Final)
}

/// The front cover inside a file of music. The refusal is empty if there is none.
pub(crate) fn embedded(file: &File) -> Result<Picture, String> {
    let mut source = Source::open(file).map_err(|error| error.to_string())?;
    let bytes = tags::picture(&mut source)?.ok_or_else(String::new)?;
    let (width, height) = dimensions(&bytes)?;
    Ok(Picture { bytes, width, height })
}

/// A file that is a picture.
pub(crate) fn whole(file: &File) -> Result<Picture, String> {
    let bytes = whole_bytes(file).map_err(Refusal::into_sentence)?;
    let (width, height) = dimensions(&bytes)?;
    Ok(Picture { bytes, width, height })
}

fn whole_bytes(file: &File) -> Result<Vec<u8>, Refusal> {
    let failed = |error| unread(&in_words(&error));
    let mut source = Source::open(file).map_err(failed)?;
    if source.size() > MOST_BYTES as u64 {
        return Err(Refusal::Final("This picture is too large".to_owned()));
    }
    source.bytes(0, MOST_BYTES).map_err(failed)
}

/// Width, height, bytes: as an answer of a worker.
pub(crate) fn framed(picture: Picture) -> Vec<u8> {
    let mut answer = Vec::with_capacity(picture.bytes.len() + 8);
    answer.extend(picture.width.to_le_bytes());
    answer.extend(picture.height.to_le_bytes());
    answer.extend(picture.bytes);
    answer
}

/// A JPEG whose longer edge is at most `edge`, never larger than the picture was.
pub(crate) fn scale(bytes: &[u8], edge: u32) -> Result<Vec<u8>, String> {
    let edge = edge.clamp(*EDGES.start(), *EDGES.end());
    let (width, height) = dimensions(bytes)?;
    let (to_width, to_height) = fit(width, height, edge);
    let picture = match shrunk_jpeg(bytes, to_width, to_height) {
        Some(picture) => picture,
        None => decode(bytes)?,
    };
    let mut rgba = on_white(picture);
    if rgba.dimensions() != (to_width, to_height) {
        rgba = resize(rgba, to_width, to_height)?;
    }
    jpeg(&rgba)
}

fn jpeg(rgba: &RgbaImage) -> Result<Vec<u8>, String> {
    let rgb: Vec<u8> =
        rgba.as_raw().as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    let mut out = Vec::with_capacity(64 << 10);
    JpegEncoder::new_with_quality(&mut out, QUALITY)
        .encode(&rgb, rgba.width(), rgba.height(), image::ExtendedColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    Ok(out)
}

/// A JPEG of this edge in which four pictures fill a quarter each, cut to squares in their middle.
pub(crate) fn mosaic(tiles: &[&[u8]], edge: u32) -> Result<Vec<u8>, String> {
    let [_, _, _, _] = tiles else { return Err("A mosaic is made of four pictures".to_owned()) };
    let edge = edge.clamp(*EDGES.start(), *EDGES.end());
    let mut whole = RgbaImage::new(edge, edge);
    let (first, second) = (edge.div_ceil(2), edge / 2);
    for (at, bytes) in tiles.iter().enumerate() {
        dimensions(bytes)?;
        let picture = decode(bytes)?;
        let side = picture.width().min(picture.height());
        let (left, top) = ((picture.width() - side) / 2, (picture.height() - side) / 2);
        let square = on_white(picture.crop_imm(left, top, side, side));
        let (x, width) = if at % 2 == 0 { (0, first) } else { (first, second) };
        let (y, height) = if at < 2 { (0, first) } else { (first, second) };
        let tile = resize(square, width, height)?;
        image::imageops::replace(&mut whole, &tile, x.into(), y.into());
    }
    jpeg(&whole)
}

/// A JPEG that is at least twice as large as wanted need not be decoded whole: its blocks come
/// out at a half, a quarter or an eighth of their size, never smaller than wanted. `None` for all
/// other pictures, and for those that only the thorough decoder can read.
fn shrunk_jpeg(bytes: &[u8], width: u32, height: u32) -> Option<DynamicImage> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(MOST_MEMORY as usize);
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    if u32::from(info.width) < 2 * width || u32::from(info.height) < 2 * height {
        return None;
    }
    let (width, height) = decoder.scale(width as u16, height as u16).ok()?;
    let (width, height) = (u32::from(width), u32::from(height));
    match info.pixel_format {
        PixelFormat::L8 => {
            let grey = image::GrayImage::from_raw(width, height, decoder.decode().ok()?)?;
            Some(DynamicImage::ImageLuma8(grey))
        }
        PixelFormat::RGB24 => {
            let rgb = image::RgbImage::from_raw(width, height, decoder.decode().ok()?)?;
            Some(DynamicImage::ImageRgb8(rgb))
        }
        PixelFormat::L16 | PixelFormat::CMYK32 => None,
    }
}

fn reader(bytes: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, String> {
    if bytes.len() > MOST_BYTES {
        return Err("This picture is too large".to_owned());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_EDGE);
    limits.max_image_height = Some(MOST_EDGE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    Ok(reader)
}

fn dimensions(bytes: &[u8]) -> Result<(u32, u32), String> {
    let decoder = reader(bytes)?.into_decoder().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MOST_PIXELS || width.max(height) > MOST_EDGE {
        return Err("This picture has too many pixels".to_owned());
    }
    Ok((width, height))
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    reader(bytes)?.decode().map_err(|error| error.to_string())
}

fn resize(rgba: RgbaImage, width: u32, height: u32) -> Result<RgbaImage, String> {
    let failed = |error: &dyn std::fmt::Display| format!("It cannot be scaled: {error}");
    let (from_width, from_height) = rgba.dimensions();
    let from = Image::from_vec_u8(from_width, from_height, rgba.into_raw(), PixelType::U8x4)
        .map_err(|error| failed(&error))?;
    let mut to = Image::new(width, height, PixelType::U8x4);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(fast_image_resize::FilterType::CatmullRom))
        .use_alpha(false);
    Resizer::new().resize(&from, &mut to, &options).map_err(|error| failed(&error))?;
    RgbaImage::from_raw(width, height, to.into_vec()).ok_or_else(|| failed(&"no pixels"))
}

/// Opaque: a transparent picture lies on white, as in a browser.
fn on_white(picture: DynamicImage) -> RgbaImage {
    let is_opaque = !picture.color().has_alpha();
    let mut rgba = picture.into_rgba8();
    if is_opaque {
        return rgba;
    }
    for pixel in rgba.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0.map(u32::from);
        let over = |value: u32| ((value * alpha + 255 * (255 - alpha)) / 255) as u8;
        pixel.0 = [over(red), over(green), over(blue), 255];
    }
    rgba
}

/// The largest size with the same proportions whose longer edge is at most `edge`.
fn fit(width: u32, height: u32, edge: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= edge {
        return (width, height);
    }
    let scaled = |side: u32| {
        let side = (u64::from(side) * u64::from(edge) + u64::from(longer) / 2) / u64::from(longer);
        side.max(1) as u32
    };
    (scaled(width), scaled(height))
}
