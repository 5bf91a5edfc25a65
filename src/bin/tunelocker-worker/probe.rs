//! What a file is, and what it says about itself, for formats that only libav knows. It counts as
//! music when its first sound was really decoded.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
};

use anyhow::{anyhow, bail};
use ffmpeg_next::frame;
use tunelocker::media::{
    decode::{Probe, Report},
    format::is_lossless,
    tags::Audio,
    understand_decoded,
};

use crate::{
    frames::{Shape, settle_layout},
    input::size,
    source::{Source, Step},
};

/// Writes an `Understood` as JSON to the pipe.
pub(crate) fn run(probe: &Probe, input: File, output: File) -> anyhow::Result<Report> {
    let file = input.try_clone()?;
    let size = size(&input)?;
    let mut source = Source::open(input)?;
    if source.is_film() {
        bail!("It holds a film");
    }
    let shape = first_sound(&mut source)?;
    let duration_ms = source.duration_ms();
    source.require_whole()?;
    let (codec, container) = (source.codec_name(), source.container_name());
    let codec = codec_name(&codec);
    let audio = Audio {
        container: container_name(&container).to_owned(),
        codec: codec.to_owned(),
        duration_ms,
        bitrate_kbps: u32::try_from((size * 8).checked_div(duration_ms).unwrap_or(0)).unwrap_or(0),
        sample_rate: shape.rate,
        channels: shape.channels,
        bit_depth: if is_lossless(codec) { source.bits().unwrap_or(shape.bits()) } else { 0 },
        profile: String::new(),
    };
    let texts = source.texts();
    let understood = understand_decoded(&file, audio, &texts, &probe.relative_path, &probe.options)
        .map_err(|reason| anyhow!(reason))?;
    let mut output = BufWriter::new(output);
    serde_json::to_writer(&mut output, &understood)?;
    output.flush()?;
    Ok(Report::Done { frames: 0, head: None })
}

fn first_sound(source: &mut Source) -> anyhow::Result<Shape> {
    let mut decoded = frame::Audio::empty();
    loop {
        let is_over = matches!(source.step()?, Step::Over);
        while source.decoder.receive_frame(&mut decoded).is_ok() {
            settle_layout(&mut decoded);
            if let Some(shape) = Shape::of(&decoded) {
                return Ok(shape);
            }
        }
        if is_over {
            source.require_whole()?;
            bail!("There is no sound to decode in this file");
        }
    }
}

/// The catalogue's name of what libav calls a demuxer.
fn container_name(name: &str) -> &str {
    match name.split(',').next().unwrap_or(name) {
        "mov" => "mp4",
        "wv" => "wavpack",
        "mpc8" | "mpc" => "musepack",
        "aac" => "adts",
        "iff" => "dff",
        other => other,
    }
}

/// The catalogue's name of what libav calls a decoder.
fn codec_name(name: &str) -> &str {
    match name {
        "mp1float" => "mp1",
        "mp2float" => "mp2",
        "mp3float" => "mp3",
        "aac_fixed" | "aac_latm" => "aac",
        "libopus" => "opus",
        "mpc7" | "mpc8" => "musepack",
        "wmav1" | "wmav2" | "wmapro" => "wma",
        _ if name.starts_with("pcm_") => "pcm",
        _ if name.starts_with("adpcm_") => "adpcm",
        _ if name.starts_with("dsd_") => "dsd",
        other => other,
    }
}
