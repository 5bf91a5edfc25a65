//! The bytes as renderers fetch them.

use reqwest::{Client, Method, RequestBuilder};

use super::music;

#[tokio::test]
async fn originals_come_as_renderers_ask() {
    let (_app, control) = music::app().await;
    let tracks = control.search("0", "dc:title = \"Sine One\"", "").await.unwrap();
    let (url, attributes) = tracks.objects[0].resources()[0];
    let size: u64 = attributes["size"].parse().unwrap();
    let features = attributes["protocolInfo"].rsplit(':').next().unwrap();
    let get = || Client::new().get(url);
    let whole = get().send().await.unwrap();
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["contentFeatures.dlna.org"], features);
    assert_eq!(whole.headers()["transferMode.dlna.org"], "Streaming");
    assert_eq!(whole.headers()["content-type"], "audio/flac");
    let whole = whole.bytes().await.unwrap();
    assert_eq!(whole.len() as u64, size);
    let head = Client::new().request(Method::HEAD, url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], size.to_string());
    assert_eq!(head.headers()["content-type"], "audio/flac");
    assert_eq!(head.headers()["contentFeatures.dlna.org"], features);
    let last = size - 1;
    let all_range = format!("bytes 0-{last}/{size}");
    let end_range = format!("bytes {}-{last}/{size}", size - 100);
    for (range, status, content_range, length) in [
        ("bytes=0-", 206, Some(all_range.as_str()), size),
        ("bytes=0-99", 206, Some(&format!("bytes 0-99/{size}")), 100),
        ("bytes=-100", 206, Some(&end_range), 100),
        ("bytes=100-99999999999", 206, Some(&format!("bytes 100-{last}/{size}")), size - 100),
        ("bytes=99999999999-", 416, Some(&format!("bytes */{size}")), 0),
        ("bytes=zzz", 200, None, size),
    ] {
        let answer = get().header("Range", range).send().await.unwrap();
        assert_eq!(answer.status(), status, "{range}");
        let found = answer.headers().get("content-range").map(|value| value.to_str().unwrap());
        assert_eq!(found, content_range, "{range}");
        if status != 416 {
            assert_eq!(answer.bytes().await.unwrap().len() as u64, length, "{range}");
        }
    }
    let with = |request: RequestBuilder, name: &str, value: &str| request.header(name, value);
    for (name, value, status) in [
        ("getcontentFeatures.dlna.org", "1", 200),
        ("getcontentFeatures.dlna.org", "2", 400),
        ("transferMode.dlna.org", "Background", 200),
        ("transferMode.dlna.org", "Interactive", 406),
        ("TimeSeekRange.dlna.org", "npt=3.0-", 406),
    ] {
        let answer = with(get(), name, value).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}: {value}");
    }
    let samsung = get().header("User-Agent", "SEC_HHP_[TV]UE40/1.0");
    let answer = with(samsung, "transferMode.dlna.org", "Interactive").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for gone in ["/media/0.flac", "/media/99999.flac", "/media/x", "/art/al.1-00000000-161.jpg"] {
        let answer = reqwest::get(format!("{}{gone}", control.base)).await.unwrap();
        assert_eq!(answer.status(), 404, "{gone}");
    }
}

#[tokio::test]
async fn converted_forms_are_what_they_say() {
    let (_app, control) = music::app().await;
    let tracks = control.search("0", "dc:title = \"Sine One\"", "").await.unwrap();
    let resources = tracks.objects[0].resources();
    let is_mp3 = |(_, attributes): &&(&str, &std::collections::BTreeMap<String, String>)| {
        attributes["protocolInfo"].contains("audio/mpeg")
    };
    let (url, attributes) = resources.iter().find(is_mp3).unwrap();
    let features = attributes["protocolInfo"].rsplit(':').next().unwrap();
    assert!(features.contains("DLNA.ORG_CI=1"), "{features}");
    let answer = reqwest::get(*url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "audio/mpeg");
    assert_eq!(answer.headers()["contentFeatures.dlna.org"], features);
    let whole = answer.bytes().await.unwrap();
    assert!(whole.len() > 100_000, "{}", whole.len());
    let seek = Client::new().get(*url).header("TimeSeekRange.dlna.org", "npt=6.000-");
    let seek = seek.send().await.unwrap();
    assert_eq!(seek.status(), 200);
    assert_eq!(seek.headers()["TimeSeekRange.dlna.org"], "npt=6.000-12.000/12.000");
    let part = seek.bytes().await.unwrap();
    let half = whole.len() / 2;
    assert!(part.len().abs_diff(half) < half / 4, "{} of {}", part.len(), whole.len());
    let beyond = Client::new().get(*url).header("TimeSeekRange.dlna.org", "npt=99-");
    assert_eq!(beyond.send().await.unwrap().status(), 416);
}
