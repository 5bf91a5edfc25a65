//! The table of cases.

use std::time::Duration;

use super::*;
use crate::catalog::ReplayGain;

fn file(container: &str, codec: &str, kbps: u32, rate: u32, bits: u32) -> TrackFacts {
    TrackFacts {
        container: container.to_owned(),
        codec: codec.to_owned(),
        suffix: container.to_owned(),
        bitrate_kbps: kbps,
        sample_rate: rate,
        channels: 2,
        bit_depth: bits,
        ..TrackFacts::default()
    }
}

/// Format, limit, offset in seconds, cap of the plan, part of an image → what comes out.
fn outcome(
    file: &TrackFacts,
    format: &str,
    limit: u32,
    offset: u64,
    cap: Option<u32>,
    is_part: bool,
) -> String {
    let wish = Wish {
        format: WishFormat::parse(format),
        max_bitrate_kbps: Some(limit),
        offset: Duration::from_secs(offset),
        ..Wish::default()
    };
    let caps = Caps { max_bitrate_kbps: cap, ..Caps::default() };
    let client = ClientProfile::default();
    told(&Case { file, is_part, wish: &wish, caps, client: &client, gain: Gain::Off })
}

fn told(case: &Case<'_>) -> String {
    let decision = decide(case);
    assert!(10 < decision.explain(case).len());
    match decision {
        Decision::Original(reason) => format!("original {reason:?}"),
        Decision::Transcode(recipe, reason) => {
            let mut told = recipe.target.suffix().to_owned();
            for (value, unit) in [
                (recipe.bitrate_kbps, ""),
                (recipe.sample_rate, " Hz"),
                (recipe.channels.filter(|_| recipe.target == Target::Flac), " ch"),
                (recipe.bit_depth, " bit"),
            ] {
                if let Some(value) = value {
                    told += &format!(" {value}{unit}");
                }
            }
            if recipe.mode == BitrateMode::Variable {
                told += " variable";
            }
            if let Some(level) = recipe.level {
                told += &format!(" {} mdB", level.milli_db);
            }
            format!("{told} {reason:?}")
        }
    }
}

#[test]
fn what_is_sent_for_what_is_asked() {
    let flac = file("flac", "flac", 900, 44_100, 16);
    let hires = file("flac", "flac", 5_000, 192_000, 24);
    let mp3 = file("mp3", "mp3", 320, 44_100, 0);
    let small = file("mp3", "mp3", 128, 44_100, 0);
    let m4a = file("mp4", "aac", 256, 44_100, 0);
    let alac = file("mp4", "alac", 900, 44_100, 16);
    let wav = file("wav", "pcm", 1411, 44_100, 16);
    let dsf = file("dsf", "dsd", 5_645, 2_822_400, 1);
    for (file, format, limit, offset, cap, is_part, expected) in [
        (&flac, "", 0, 0, None, false, "original Fits"),
        (&dsf, "", 0, 0, None, false, "original Fits"),
        (&flac, "raw", 0, 0, None, false, "original Raw"),
        (&flac, "raw", 128, 30, Some(64), false, "original Raw"),
        (&flac, "", 1000, 0, None, false, "original Fits"),
        (&flac, "", 320, 0, None, false, "mp3 320 OverLimit"),
        (&flac, "", 192, 0, None, false, "mp3 192 OverLimit"),
        (&flac, "", 0, 0, Some(128), false, "mp3 128 OverLimit"),
        (&flac, "", 320, 0, Some(128), false, "mp3 128 OverLimit"),
        (&small, "", 192, 0, None, false, "original Fits"),
        (&small, "", 128, 0, None, false, "original Fits"),
        (&small, "", 64, 0, None, false, "mp3 64 OverLimit"),
        (&flac, "opus", 0, 0, None, false, "opus 128 Asked"),
        (&flac, "opus", 96, 0, None, false, "opus 96 Asked"),
        (&flac, "opus", 320, 0, None, false, "opus 256 Asked"),
        (&flac, "opus", 0, 0, Some(64), false, "opus 64 Asked"),
        (&flac, "opus", 0, 0, Some(320), false, "opus 128 Asked"),
        (&flac, "mp3", 0, 0, None, false, "mp3 256 Asked"),
        (&flac, "mp3", 1000, 0, None, false, "mp3 320 Asked"),
        (&small, "opus", 0, 0, None, false, "opus 128 Asked"),
        (&small, "aac", 256, 0, None, false, "aac 128 Asked"),
        (&mp3, "mp3", 0, 0, None, false, "original AlreadySo"),
        (&mp3, "mp3", 320, 0, None, false, "original AlreadySo"),
        (&mp3, "mp3", 192, 0, None, false, "mp3 192 Asked"),
        (&mp3, "mp3", 0, 30, None, false, "mp3 256 Asked"),
        (&m4a, "aac", 0, 0, None, false, "original AlreadySo"),
        (&m4a, "m4a", 0, 0, None, false, "original AlreadySo"),
        (&alac, "m4a", 0, 0, None, false, "m4a 192 Asked"),
        (&alac, "flac", 0, 0, None, false, "flac Asked"),
        (&flac, "flac", 0, 0, None, false, "original AlreadySo"),
        (&flac, "flac", 320, 0, None, false, "mp3 320 OverLimit"),
        (&mp3, "flac", 0, 0, None, false, "flac Asked"),
        (&wav, "wav", 0, 0, None, false, "original AlreadySo"),
        (&hires, "wav", 0, 0, None, false, "wav 48000 Hz Asked"),
        (&dsf, "wav", 0, 0, None, false, "wav 44100 Hz Asked"),
        (&flac, "l16", 0, 0, None, false, "l16 44100 Hz Asked"),
        (&flac, "wav", 320, 0, None, false, "mp3 320 OverLimit"),
        (&flac, "nonsense", 0, 0, None, false, "original Fits"),
        (&flac, "", 0, 0, None, true, "flac PartOfImage"),
        (&flac, "raw", 0, 0, None, true, "flac PartOfImage"),
        (&flac, "flac", 0, 0, None, true, "flac Asked"),
        (&flac, "opus", 0, 0, None, true, "opus 128 Asked"),
        (&flac, "", 192, 0, None, true, "mp3 192 OverLimit"),
        (&mp3, "mp3", 0, 0, None, true, "mp3 256 Asked"),
    ] {
        assert_eq!(
            outcome(file, format, limit, offset, cap, is_part),
            expected,
            "{}/{} as {format:?} under {limit} from {offset}, cap {cap:?}, part {is_part}",
            file.container,
            file.codec,
        );
    }
}

#[test]
fn what_is_known_of_the_client_counts_where_it_names_no_format() {
    let flac = file("flac", "flac", 900, 44_100, 16);
    let hires = file("flac", "flac", 5_000, 192_000, 24);
    let surround = TrackFacts { channels: 6, ..file("flac", "flac", 2_000, 48_000, 16) };
    let alac = file("mp4", "alac", 900, 44_100, 16);
    let mp3 = file("mp3", "mp3", 320, 44_100, 0);
    let everything = ClientProfile::default();
    let plays = |list: &[&str]| ClientProfile {
        plays: list.iter().map(|&word| word.to_owned()).collect(),
        ..ClientProfile::default()
    };
    let web = ClientProfile { target: Target::Opus, ..plays(&["mp3", "flac", "mp4/aac"]) };
    let speaker = ClientProfile {
        max_sample_rate: Some(48_000),
        max_channels: Some(2),
        max_bit_depth: Some(16),
        target: Target::Flac,
        ..plays(&["flac", "mp3"])
    };
    let abroad = ClientProfile { outside_kbps: Some(192), ..ClientProfile::default() };
    let both = ClientProfile { lan_kbps: Some(256), target: Target::Opus, ..abroad.clone() };
    let variable = ClientProfile { mode: BitrateMode::Variable, ..plays(&["mp3"]) };
    let bare_mp3 = plays(&["mp3"]);
    let (lan, out) = (Network::Lan, Network::Outside);
    for (file, client, network, format, is_part, expected) in [
        (&alac, &everything, out, "", false, "original Fits"),
        (&flac, &web, lan, "", false, "original Fits"),
        (&alac, &web, lan, "", false, "opus 128 NotPlayed"),
        (&alac, &web, lan, "raw", false, "original Raw"),
        (&alac, &web, lan, "mp3", false, "mp3 256 Asked"),
        (&alac, &bare_mp3, lan, "", false, "mp3 256 NotPlayed"),
        (&flac, &web, lan, "", true, "flac PartOfImage"),
        (&flac, &bare_mp3, lan, "", true, "mp3 256 NotPlayed"),
        (&mp3, &bare_mp3, lan, "", true, "mp3 256 PartOfImage"),
        (&flac, &speaker, lan, "", false, "original Fits"),
        (&hires, &speaker, lan, "", false, "flac 48000 Hz 16 bit NotPlayed"),
        (&surround, &speaker, lan, "", false, "flac 2 ch NotPlayed"),
        (&alac, &speaker, lan, "", false, "flac NotPlayed"),
        (&flac, &abroad, lan, "", false, "original Fits"),
        (&flac, &abroad, out, "", false, "mp3 192 OverLimit"),
        (&flac, &abroad, out, "raw", false, "original Raw"),
        (&flac, &abroad, out, "opus", false, "opus 128 Asked"),
        (&flac, &abroad, out, "flac", false, "mp3 192 OverLimit"),
        (&mp3, &abroad, out, "mp3", false, "mp3 192 Asked"),
        (&flac, &both, lan, "", false, "opus 256 OverLimit"),
        (&flac, &both, out, "", false, "opus 192 OverLimit"),
        (&flac, &variable, lan, "", false, "mp3 256 variable NotPlayed"),
        (&flac, &variable, lan, "opus", false, "opus 128 Asked"),
    ] {
        let wish = Wish { format: WishFormat::parse(format), network, ..Wish::default() };
        let caps = Caps::default();
        let case = Case { file, is_part, wish: &wish, caps, client, gain: Gain::Off };
        assert_eq!(told(&case), expected, "{format:?} {network:?} for {client:?}");
    }
}

#[test]
fn loudness_is_the_wish_then_the_clients_then_the_users() {
    let gain = ReplayGain {
        track_gain: Some(-6.0),
        track_peak: Some(1.0),
        album_gain: Some(-4.0),
        album_peak: Some(1.0),
    };
    let flac = TrackFacts { gain, ..file("flac", "flac", 900, 44_100, 16) };
    let unknown = file("flac", "flac", 900, 44_100, 16);
    for (file, format, wished, clients, users, expected) in [
        (&flac, "", None, None, Gain::Track, "original Fits"),
        (&flac, "", None, Some(Gain::Track), Gain::Off, "original Fits"),
        (&flac, "", Some(Gain::Off), None, Gain::Track, "original Fits"),
        (&flac, "", Some(Gain::Track), None, Gain::Off, "mp3 256 -6000 mdB Loudness"),
        (&flac, "raw", Some(Gain::Track), None, Gain::Off, "original Raw"),
        (&flac, "flac", Some(Gain::Album), None, Gain::Off, "flac -4000 mdB Asked"),
        (&flac, "flac", None, None, Gain::Track, "original AlreadySo"),
        (&flac, "mp3", None, None, Gain::Off, "mp3 256 Asked"),
        (&flac, "mp3", None, None, Gain::Track, "mp3 256 -6000 mdB Asked"),
        (&flac, "mp3", None, Some(Gain::Auto), Gain::Track, "mp3 256 -4000 mdB Asked"),
        (&flac, "mp3", None, Some(Gain::Off), Gain::Track, "mp3 256 Asked"),
        (&flac, "mp3", Some(Gain::Off), Some(Gain::Auto), Gain::Track, "mp3 256 Asked"),
        (&unknown, "mp3", Some(Gain::Track), None, Gain::Off, "mp3 256 Asked"),
        (&unknown, "", Some(Gain::Track), None, Gain::Off, "original Fits"),
    ] {
        let wish = Wish { format: WishFormat::parse(format), gain: wished, ..Wish::default() };
        let client = ClientProfile { gain: clients, ..ClientProfile::default() };
        let caps = Caps::default();
        let case = Case { file, is_part: false, wish: &wish, caps, client: &client, gain: users };
        assert_eq!(told(&case), expected, "{format:?} {wished:?} {clients:?} {users:?}");
    }
}

#[test]
fn the_own_suffix_means_the_original() {
    let vorbis = file("ogg", "vorbis", 192, 44_100, 0);
    let alac = file("mp4", "alac", 900, 44_100, 16);
    for (file, format, is_own_suffix, limit, expected) in [
        (&vorbis, "ogg", true, 0, "original AlreadySo"),
        (&vorbis, "ogg", true, 320, "original AlreadySo"),
        (&vorbis, "ogg", true, 96, "opus 96 Asked"),
        (&vorbis, "opus", false, 0, "opus 128 Asked"),
        (&alac, "m4a", true, 0, "original AlreadySo"),
        (&alac, "m4a", true, 256, "m4a 256 Asked"),
    ] {
        let wish = Wish {
            format: WishFormat::parse(format),
            is_own_suffix,
            max_bitrate_kbps: Some(limit),
            ..Wish::default()
        };
        let (client, caps) = (ClientProfile::default(), Caps::default());
        let case =
            Case { file, is_part: false, wish: &wish, caps, client: &client, gain: Gain::Off };
        assert_eq!(told(&case), expected, "{format} {limit}");
    }
}
