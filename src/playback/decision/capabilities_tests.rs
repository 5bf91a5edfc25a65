//! What clients say, and what follows.

use proptest::prelude::*;

use super::*;

fn file(
    container: &str,
    codec: &str,
    kbps: u32,
    rate: u32,
    channels: u32,
    bits: u32,
) -> TrackFacts {
    TrackFacts {
        container: container.to_owned(),
        codec: codec.to_owned(),
        bitrate_kbps: kbps,
        sample_rate: rate,
        channels,
        bit_depth: bits,
        ..TrackFacts::default()
    }
}

fn direct(containers: &[&str], codecs: &[&str]) -> Direct {
    let own = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect();
    Direct { containers: own(containers), codecs: own(codecs), ..Direct::default() }
}

fn to(container: &str, codec: &str, protocol: Protocol) -> TranscodeTo {
    TranscodeTo {
        container: container.to_owned(),
        codec: codec.to_owned(),
        protocol,
        max_channels: None,
    }
}

fn limit(codec: &str, quantity: Quantity, comparison: Comparison, values: &[&str]) -> CodecLimit {
    CodecLimit {
        codec: codec.to_owned(),
        quantity,
        comparison,
        values: values.iter().map(|&value| value.to_owned()).collect(),
        is_required: true,
    }
}

#[test]
fn profiles_are_compared_by_name() {
    use Comparison::{Equals, GreaterThanEqual, NotEquals};

    let of = |profile: &str| {
        let extra = crate::media::tags::Extra { profile: profile.to_owned(), ..Default::default() };
        TrackFacts { extra: extra.into(), ..file("mp4", "aac", 128, 44_100, 2, 0) }
    };
    for (is, comparison, values, expected) in [
        ("LC", Equals, &["lc"][..], true),
        ("LC", Equals, &["AAC-LC", "HE-AAC"], true),
        ("LC", Equals, &["Low Complexity"], true),
        ("HE-AAC", Equals, &["LC"], false),
        ("HE-AACv2", Equals, &["HE-AAC"], false),
        ("HE-AACv2", NotEquals, &["he_aac_v2", "HE-AACv2"], false),
        ("HE-AAC", NotEquals, &["HE-AACv2"], true),
        // Nobody knows it, or nobody could compare it so.
        ("", Equals, &["LC"], true),
        ("HE-AAC", GreaterThanEqual, &["LC"], true),
        ("HE-AAC", Equals, &[], true),
    ] {
        let client = Capabilities {
            direct: vec![direct(&["mp4"], &["aac"])],
            limits: vec![limit("aac", Quantity::Profile, comparison, values)],
            ..Capabilities::default()
        };
        let found = negotiate(&of(is), false, &client, None);
        assert_eq!(found.is_direct, expected, "{is} {comparison:?} {values:?}");
        let reasons =
            if expected { vec![] } else { vec![format!("AudioProfileNotSupported: {is}")] };
        assert_eq!(found.reasons, reasons);
    }
    // What we make is plain AAC; who wants another profile gets the next of its targets.
    let client = |wanted: &str| Capabilities {
        targets: vec![to("mp4", "aac", Protocol::Http), to("mp3", "mp3", Protocol::Http)],
        limits: vec![limit("aac", Quantity::Profile, Equals, &[wanted])],
        ..Capabilities::default()
    };
    let flac = file("flac", "flac", 900, 44_100, 2, 16);
    let made = |wanted: &str| {
        let found = negotiate(&flac, false, &client(wanted), None).transcode;
        found.map(|(_, _, facts)| (facts.codec, facts.profile)).unwrap()
    };
    assert_eq!(made("LC"), ("aac".to_owned(), "LC".to_owned()));
    assert_eq!(made("HE-AAC"), ("mp3".to_owned(), String::new()));
}

/// What came of it, in words.
fn told(file: &TrackFacts, client: &Capabilities, cap: Option<u32>) -> String {
    let found = negotiate(file, false, client, cap);
    assert_eq!(found.is_direct, found.reasons.is_empty());
    let direct = if found.is_direct {
        "direct".to_owned()
    } else {
        let words = found.reasons.iter().map(|reason| reason.split(':').next().unwrap_or_default());
        words.collect::<Vec<_>>().join("+")
    };
    let made = found.transcode.map_or("nothing".to_owned(), |(_, protocol, facts)| {
        format!(
            "{protocol:?} {}/{} {} {} {}ch {}bit",
            facts.container,
            facts.codec,
            facts.bitrate_bps / 1000,
            facts.sample_rate,
            facts.channels,
            facts.bit_depth
        )
    });
    format!("{direct}; {made}")
}

#[test]
fn capabilities_are_judged() {
    use Comparison::{Equals, GreaterThanEqual, LessThanEqual, NotEquals};
    use Quantity::{BitDepth, Bitrate, Channels, Profile, SampleRate};

    let flac = file("flac", "flac", 900, 44_100, 2, 16);
    let hires = file("flac", "flac", 5_000, 96_000, 6, 24);
    let mp3 = file("mp3", "mp3", 320, 44_100, 2, 0);
    let opus = file("ogg", "opus", 160, 48_000, 2, 0);
    let alac = file("mp4", "alac", 900, 44_100, 2, 16);
    let phone = || Capabilities {
        direct: vec![direct(&["mp3"], &["mp3"]), direct(&["flac"], &["flac"])],
        targets: vec![to("mp3", "mp3", Protocol::Http)],
        ..Capabilities::default()
    };
    let mp3_to = "Http mp3/mp3 256 44100 2ch 0bit";
    let both = "ContainerNotSupported+ContainerNotSupported";
    let limited = |limits: Vec<CodecLimit>| Capabilities { limits, ..phone() };
    let aiming = |targets: Vec<TranscodeTo>| Capabilities { targets, ..phone() };
    for (file, client, cap, expected) in [
        (&flac, phone(), None, format!("direct; {mp3_to}")),
        (&alac, phone(), None, format!("{both}; {mp3_to}")),
        (&opus, phone(), None, format!("{both}; Http mp3/mp3 160 48000 2ch 0bit")),
        (&flac, Capabilities::default(), None, "NoDirectPlayProfile; nothing".to_owned()),
        (
            &opus,
            Capabilities { direct: vec![direct(&[], &[])], ..phone() },
            None,
            "direct; Http mp3/mp3 160 48000 2ch 0bit".to_owned(),
        ),
        (
            &opus,
            Capabilities { direct: vec![direct(&["opus"], &["opus"])], ..phone() },
            None,
            "direct; Http mp3/mp3 160 48000 2ch 0bit".to_owned(),
        ),
        (
            &alac,
            Capabilities { direct: vec![direct(&["m4a"], &["aac", "alac"])], ..phone() },
            None,
            format!("direct; {mp3_to}"),
        ),
        (
            &alac,
            Capabilities { direct: vec![direct(&["mp4"], &["aac"])], ..phone() },
            None,
            format!("AudioCodecNotSupported; {mp3_to}"),
        ),
        // Ceilings of the client, then of the plan.
        (
            &flac,
            Capabilities { max_bps: Some(320_000), ..phone() },
            None,
            format!("AudioBitrateTooHigh; {mp3_to}"),
        ),
        (
            &flac,
            phone(),
            Some(192),
            "AudioBitrateTooHigh; Http mp3/mp3 192 44100 2ch 0bit".to_owned(),
        ),
        (
            &flac,
            Capabilities { max_transcoded_bps: Some(128_000), ..phone() },
            None,
            "direct; Http mp3/mp3 128 44100 2ch 0bit".to_owned(),
        ),
        // Limits of codecs.
        (
            &hires,
            limited(vec![limit("flac", SampleRate, LessThanEqual, &["48000"])]),
            None,
            "ContainerNotSupported+AudioSampleRateNotSupported; Http mp3/mp3 256 48000 2ch 0bit"
                .to_owned(),
        ),
        (
            &hires,
            limited(vec![limit("flac", Channels, Equals, &["1", "2"])]),
            None,
            "ContainerNotSupported+AudioChannelsNotSupported; Http mp3/mp3 256 48000 2ch 0bit"
                .to_owned(),
        ),
        (
            &hires,
            limited(vec![limit("flac", BitDepth, LessThanEqual, &["16"])]),
            None,
            "ContainerNotSupported+AudioBitdepthNotSupported; Http mp3/mp3 256 48000 2ch 0bit"
                .to_owned(),
        ),
        (
            &mp3,
            limited(vec![limit("mp3", Bitrate, LessThanEqual, &["192000"])]),
            None,
            "AudioBitrateNotSupported+ContainerNotSupported; Http mp3/mp3 192 44100 2ch 0bit"
                .to_owned(),
        ),
        (
            &mp3,
            limited(vec![limit("mp3", Profile, Equals, &["x"])]),
            None,
            format!("direct; {mp3_to}"),
        ),
        (
            &mp3,
            limited(vec![limit("mp3", SampleRate, Equals, &["48000", "32000"])]),
            None,
            "AudioSampleRateNotSupported+ContainerNotSupported; Http mp3/mp3 256 48000 2ch 0bit"
                .to_owned(),
        ),
        (
            &flac,
            limited(vec![limit("mp3", SampleRate, GreaterThanEqual, &["48000"])]),
            None,
            "direct; Http mp3/mp3 256 48000 2ch 0bit".to_owned(),
        ),
        (
            &flac,
            limited(vec![limit("mp3", Channels, NotEquals, &["2"])]),
            None,
            "direct; Http mp3/mp3 256 44100 1ch 0bit".to_owned(),
        ),
        (
            &flac,
            limited(vec![limit("mp3", SampleRate, Equals, &["7"])]),
            None,
            "direct; nothing".to_owned(),
        ),
        // A mere wish gives way.
        (
            &flac,
            limited(vec![CodecLimit {
                is_required: false,
                ..limit("mp3", SampleRate, Equals, &["7"])
            }]),
            None,
            format!("direct; {mp3_to}"),
        ),
        // Targets in their order; lossless ones only for what is lossless, or as the last resort.
        (
            &flac,
            aiming(vec![to("flac", "flac", Protocol::Http), to("mp3", "mp3", Protocol::Http)]),
            None,
            "direct; Http flac/flac 900 44100 2ch 16bit".to_owned(),
        ),
        (
            &mp3,
            aiming(vec![to("flac", "flac", Protocol::Http), to("ogg", "opus", Protocol::Http)]),
            None,
            "direct; Http ogg/opus 128 48000 2ch 0bit".to_owned(),
        ),
        (
            &mp3,
            aiming(vec![to("flac", "flac", Protocol::Http)]),
            None,
            "direct; Http flac/flac 846 44100 2ch 16bit".to_owned(),
        ),
        (
            &flac,
            aiming(vec![to("flac", "flac", Protocol::Http)]),
            Some(320),
            "AudioBitrateTooHigh; nothing".to_owned(),
        ),
        (
            &flac,
            aiming(vec![to("webm", "opus", Protocol::Http), to("m4a", "aac", Protocol::Http)]),
            None,
            "direct; Http mp4/aac 192 44100 2ch 0bit".to_owned(),
        ),
        (
            &flac,
            aiming(vec![to("flac", "flac", Protocol::Hls), to("mp4", "aac", Protocol::Hls)]),
            None,
            "direct; Hls mp4/aac 192 44100 2ch 0bit".to_owned(),
        ),
        (
            &flac,
            aiming(vec![TranscodeTo { max_channels: Some(1), ..to("mp3", "mp3", Protocol::Http) }]),
            None,
            "direct; Http mp3/mp3 256 44100 1ch 0bit".to_owned(),
        ),
    ] {
        assert_eq!(
            told(file, &client, cap),
            expected,
            "{}/{} {client:?}",
            file.container,
            file.codec
        );
    }
    let part = negotiate(&flac, true, &phone(), None);
    assert!(!part.is_direct && part.transcode.is_some());
}

fn any_limit() -> impl Strategy<Value = CodecLimit> {
    let quantity = prop::sample::select(vec![
        Quantity::Channels,
        Quantity::Bitrate,
        Quantity::Profile,
        Quantity::SampleRate,
        Quantity::BitDepth,
    ]);
    let comparison = prop::sample::select(vec![
        Comparison::Equals,
        Comparison::NotEquals,
        Comparison::LessThanEqual,
        Comparison::GreaterThanEqual,
    ]);
    let value = prop::sample::select(vec![
        "1", "2", "6", "16", "24", "22050", "44100", "48000", "64000", "192000", "x", "",
    ]);
    let codec = prop::sample::select(vec!["mp3", "opus", "aac", "flac", "PCM_S16LE"]);
    (codec, quantity, comparison, prop::collection::vec(value, 0..4), any::<bool>()).prop_map(
        |(codec, quantity, comparison, values, is_required)| CodecLimit {
            is_required,
            ..limit(codec, quantity, comparison, &values)
        },
    )
}

proptest! {
    /// Whatever is offered is within every required limit and every ceiling, and of the client's
    /// own targets.
    #[test]
    fn what_is_offered_is_what_the_client_takes(
        limits in prop::collection::vec(any_limit(), 0..6),
        max_transcoded_bps in prop::option::of(8_000_u64..400_000),
        cap in prop::option::of(8_u32..400),
        lossless in any::<bool>(),
        rate in prop::sample::select(vec![8_000_u32, 22_050, 44_100, 96_000, 352_800]),
        channels in 1_u32..9,
        most in prop::option::of(1_u32..3),
    ) {
        let names = [("mp3", "mp3"), ("ogg", "opus"), ("mp4", "aac"), ("flac", "flac"), ("wav", "pcm")];
        let targets: Vec<_> = names
            .map(|(container, codec)| TranscodeTo { max_channels: most, ..to(container, codec, Protocol::Http) })
            .to_vec();
        let client = Capabilities { limits, max_transcoded_bps, targets, ..Capabilities::default() };
        let file = if lossless {
            file("wavpack", "wavpack", 900, rate, channels, 24)
        } else {
            file("ogg", "vorbis", 200, rate, channels, 0)
        };
        let found = negotiate(&file, false, &client, cap);
        if let Some((recipe, _, facts)) = found.transcode {
            prop_assert!(names.contains(&(facts.container.as_str(), facts.codec.as_str())));
            for limit in client.limits.iter().filter(|limit| limit.is_required) {
                prop_assert!(codec(&limit.codec) != facts.codec || limit.holds(&facts), "{limit:?} {facts:?}");
            }
            prop_assert!(most.is_none_or(|most| facts.channels <= most));
            let ceiling = cap.map_or(u64::MAX, |cap| u64::from(cap) * 1000);
            prop_assert!(facts.bitrate_bps <= ceiling.min(max_transcoded_bps.unwrap_or(u64::MAX)), "{facts:?}");
            prop_assert_eq!(u64::from(recipe.kbps(&file)) * 1000, facts.bitrate_bps);
        }
    }
}
