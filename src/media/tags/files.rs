//! One file through lofty (or an own reader for what lofty does not know), as its sound and its
//! [`Fields`].

use std::io::{Seek as _, SeekFrom};

use lofty::{
    aac::AacFile,
    ape::ApeFile,
    config::{GlobalOptions, ParseOptions, apply_global_options},
    error::FileParseError,
    file::AudioFile,
    flac::FlacFile,
    iff::{aiff::AiffFile, wav::WavFile},
    mp4::{AudioObjectType, Mp4Codec, Mp4File},
    mpeg::{Layer, MpegFile},
    musepack::MpcFile,
    ogg::{OggPictureStorage as _, OpusFile, SpeexFile, VorbisFile},
    properties::FileProperties,
    wavpack::WavPackFile,
};

use super::{Audio, asf, comments, dsd, fields::Fields, id3, matroska, ogg_flac};
use crate::media::{
    format::{Container, id3v2_length},
    source::Source,
    understand::Refusal,
};

/// No single tag item is larger; a picture may be 16 MiB.
const MOST_ALLOCATED: usize = 17 << 20;

/// Reads the sound and the fields of a file. An error is a sentence.
pub(crate) fn read(source: &mut Source<'_>) -> Result<(Audio, Fields), Refusal> {
    if source.size() == 0 {
        return Err(Refusal::Final("It is empty".to_owned()));
    }
    if let Some(by) = audible(source.head()) {
        return Err(Refusal::protected(by));
    }
    let container = container(source).map_err(Refusal::Final)?;
    // The limit belongs to the thread, and costs nothing to say again.
    apply_global_options(GlobalOptions::new().allocation_limit(MOST_ALLOCATED));
    let read = read_as(source, container, ParseOptions::new());
    // A broken tag does not make the sound unplayable: again without pictures, without tags.
    let (mut audio, fields) = match read {
        Err(Refusal::Pass(first)) => {
            read_as(source, container, ParseOptions::new().read_cover_art(false))
                .or_else(|_| read_as(source, container, ParseOptions::new().read_tags(false)))
                .map_err(|_| Refusal::Pass(first))?
        }
        read => read?,
    };
    container.name().clone_into(&mut audio.container);
    if audio.sample_rate == 0 || audio.channels == 0 {
        return Err(Refusal::Pass("It holds no sound".to_owned()));
    }
    Ok((audio, fields))
}

/// Audible's two formats by their beginnings: the older one, and MPEG-4 by its brand.
fn audible(head: &[u8]) -> Option<&'static str> {
    let is_it = head.get(4..8).is_some_and(|magic| magic == [0x57, 0x90, 0x75, 0x36])
        || head.get(4..11).is_some_and(|magic| magic == b"ftypaax");
    is_it.then_some("Audible")
}

/// Tells the container, past an ID3v2 tag in front if there is one.
fn container(source: &mut Source<'_>) -> Result<Container, String> {
    let tag = id3v2_length(source.head());
    let known = if tag == 0 {
        Container::of(source.head())
    } else {
        let behind = source.bytes(tag, 8192).map_err(sentence)?;
        // Sound is looked for behind a tag that lies about its length, too.
        Container::of(&behind).or(Some(Container::Mp3))
    };
    known.ok_or_else(|| "It is not a format of music that is known here".to_owned())
}

fn read_as(
    source: &mut Source<'_>,
    container: Container,
    options: ParseOptions,
) -> Result<(Audio, Fields), Refusal> {
    source.seek(SeekFrom::Start(0)).map_err(sentence)?;
    match container {
        Container::Flac => {
            let mut file = open::<FlacFile>(source, options)?;
            let audio = audio("flac", file.properties());
            let pictures = file.remove_pictures();
            let comments = file.remove_vorbis_comments().unwrap_or_default();
            let mut fields = comments::vorbis(comments, pictures);
            complete(&mut fields, file.remove_id3v2().map(id3::v2));
            Ok((audio, fields))
        }
        Container::Mp3 => {
            let mut file = open::<MpegFile>(source, options)?;
            let codec = match file.properties().layer() {
                Layer::Layer1 => "mp1",
                Layer::Layer2 => "mp2",
                Layer::Layer3 => "mp3",
            };
            let audio = audio(codec, file.properties());
            let mut fields = file.remove_id3v2().map(id3::v2).unwrap_or_default();
            complete(&mut fields, file.remove_ape().map(comments::ape));
            // Its texts are cut after 30 letters: only for files that say nothing else.
            if fields.is_empty() {
                complete(&mut fields, file.remove_id3v1().as_ref().map(id3::v1));
            }
            Ok((audio, fields))
        }
        Container::Ogg => Ok(read_ogg(source, options)?),
        Container::Mp4 => {
            let mut file = open::<Mp4File>(source, options)?;
            if file.properties().is_drm_protected() {
                return Err(Refusal::protected("FairPlay"));
            }
            let codec = match file.properties().codec() {
                Some(Mp4Codec::ALAC) => "alac",
                Some(Mp4Codec::MP3) => "mp3",
                Some(Mp4Codec::FLAC) => "flac",
                Some(_) => "aac",
                None => return Err("Its codec is not known here".into()),
            };
            let mut audio = audio(codec, file.properties());
            if !crate::media::format::is_lossless(codec) {
                audio.bit_depth = 0;
            }
            if codec == "aac" {
                audio.profile =
                    file.properties().audio_object_type().map(aac_profile).unwrap_or_default();
            }
            Ok((audio, file.remove_ilst().map(comments::mp4).unwrap_or_default()))
        }
        Container::Wav => {
            let mut file = open::<WavFile>(source, options)?;
            let audio = audio("pcm", file.properties());
            let mut fields = file.remove_id3v2().map(id3::v2).unwrap_or_default();
            complete(&mut fields, file.remove_riff_info().map(comments::riff_info));
            Ok((audio, fields))
        }
        Container::Aiff => {
            let mut file = open::<AiffFile>(source, options)?;
            let audio = audio("pcm", file.properties());
            let mut fields = file.remove_id3v2().map(id3::v2).unwrap_or_default();
            complete(&mut fields, file.remove_text_chunks().map(|chunks| comments::aiff(&chunks)));
            Ok((audio, fields))
        }
        Container::Wavpack => {
            let mut file = open::<WavPackFile>(source, options)?;
            let audio = audio("wavpack", file.properties());
            let mut fields = file.remove_ape().map(comments::ape).unwrap_or_default();
            if fields.is_empty() {
                complete(&mut fields, file.remove_id3v1().as_ref().map(id3::v1));
            }
            Ok((audio, fields))
        }
        Container::Ape => {
            let mut file = open::<ApeFile>(source, options)?;
            let audio = audio("ape", file.properties());
            let mut fields = file.remove_ape().map(comments::ape).unwrap_or_default();
            complete(&mut fields, file.remove_id3v2().map(id3::v2));
            if fields.is_empty() {
                complete(&mut fields, file.remove_id3v1().as_ref().map(id3::v1));
            }
            Ok((audio, fields))
        }
        Container::Musepack => {
            let mut file = open::<MpcFile>(source, options)?;
            let audio = audio("musepack", file.properties());
            let mut fields = file.remove_ape().map(comments::ape).unwrap_or_default();
            complete(&mut fields, file.remove_id3v2().map(id3::v2));
            Ok((audio, fields))
        }
        Container::Adts => {
            let mut file = open::<AacFile>(source, options)?;
            let mut audio = audio("aac", file.properties());
            audio.profile = aac_profile(file.properties().audio_object_type());
            let mut fields = file.remove_id3v2().map(id3::v2).unwrap_or_default();
            if fields.is_empty() {
                complete(&mut fields, file.remove_id3v1().as_ref().map(id3::v1));
            }
            Ok((audio, fields))
        }
        Container::Dsf => Ok(dsd::read_dsf(source)?),
        Container::Dff => Ok(dsd::read_dff(source)?),
        Container::Asf => asf::read(source),
        Container::Matroska => Ok(matroska::read(source)?),
        Container::Tta | Container::Caf | Container::W64 | Container::Au => {
            Err("It is of a format that only the decoder reads".into())
        }
    }
}

/// What an Ogg stream holds is said by its first packet.
fn read_ogg(source: &mut Source<'_>, options: ParseOptions) -> Result<(Audio, Fields), String> {
    let head = source.head();
    let segments = usize::from(*head.get(26).ok_or("It ends in its first header")?);
    let packet = head.get(27 + segments..).unwrap_or_default();
    if packet.starts_with(b"OpusHead") {
        let mut file = open::<OpusFile>(source, options)?;
        let mut audio = audio("opus", file.properties());
        // Opus always decodes to 48 kHz; the header's rate is that of the recording.
        audio.sample_rate = 48_000;
        Ok((audio, comments::vorbis(std::mem::take(file.vorbis_comments_mut()), Vec::new())))
    } else if packet.starts_with(b"\x01vorbis") {
        let mut file = open::<VorbisFile>(source, options)?;
        let audio = audio("vorbis", file.properties());
        Ok((audio, comments::vorbis(std::mem::take(file.vorbis_comments_mut()), Vec::new())))
    } else if packet.starts_with(b"Speex   ") {
        let mut file = open::<SpeexFile>(source, options)?;
        let audio = audio("speex", file.properties());
        Ok((audio, comments::vorbis(std::mem::take(file.vorbis_comments_mut()), Vec::new())))
    } else if packet.starts_with(b"\x7fFLAC") {
        ogg_flac::read(source)
    } else {
        Err("Its Ogg stream holds a codec that is not known here".to_owned())
    }
}

fn open<F: AudioFile>(source: &mut Source<'_>, options: ParseOptions) -> Result<F, String> {
    F::read_from(source, options).map_err(|error: FileParseError| sentence(error))
}

fn audio<P: Clone + Into<FileProperties>>(codec: &str, properties: &P) -> Audio {
    let properties: FileProperties = properties.clone().into();
    let bitrate = properties.audio_bitrate().or(properties.overall_bitrate());
    let is_lossless = crate::media::format::is_lossless(codec);
    Audio {
        container: String::new(),
        codec: codec.to_owned(),
        duration_ms: u64::try_from(properties.duration().as_millis()).unwrap_or(0),
        bitrate_kbps: bitrate.unwrap_or(0),
        sample_rate: properties.sample_rate().unwrap_or(0),
        channels: properties.channels().unwrap_or(0).into(),
        bit_depth: if is_lossless { properties.bit_depth().unwrap_or(0).into() } else { 0 },
        profile: String::new(),
    }
}

/// The profile of AAC, as apps name it.
fn aac_profile(kind: AudioObjectType) -> String {
    match kind {
        AudioObjectType::AacLowComplexity => "LC",
        AudioObjectType::AacMain => "Main",
        AudioObjectType::AacScalableSampleRate => "SSR",
        AudioObjectType::AacLongTermPrediction => "LTP",
        AudioObjectType::SpectralBandReplication => "HE-AAC",
        AudioObjectType::ParametricStereo => "HE-AACv2",
        AudioObjectType::ErrorResilientAacLowDelay => "LD",
        AudioObjectType::UnifiedSpeechAudioCoding => "xHE-AAC",
        _ => "",
    }
    .to_owned()
}

fn complete(fields: &mut Fields, other: Option<Fields>) {
    if let Some(other) = other {
        fields.complete(other);
    }
}

fn sentence(error: impl std::fmt::Display) -> String {
    format!("It cannot be understood: {error}")
}
