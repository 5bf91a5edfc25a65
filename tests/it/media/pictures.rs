//! Pictures through the workers: what they are, scaled, refused.

use std::{fs, fs::File, process::Command};

use tunelocker::{Error, media::worker::PicturePlace};

use super::{pool, tone};

#[tokio::test]
async fn pictures_are_scaled_down_and_never_up() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    for (name, size) in [("a.jpg", "1000x500"), ("a.png", "1000x500"), ("b.png", "64x40")] {
        let path = folder.path().join(name);
        let source = format!("testsrc=size={size}");
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &source, "-frames:v", "1"])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        let picture = pool.picture(File::open(&path).unwrap(), PicturePlace::Whole).await.unwrap();
        assert_eq!(format!("{}x{}", picture.width, picture.height), size);
        assert_eq!(picture.bytes, fs::read(&path).unwrap());
        assert_eq!(picture.hash, blake3::hash(&picture.bytes).to_hex().as_str());
        let scaled = pool.scale(picture.bytes, 300).await.unwrap();
        assert!(scaled.starts_with(&[0xff, 0xd8, 0xff]), "{name}");
        fs::write(folder.path().join("scaled.jpg"), &scaled).unwrap();
        let again = File::open(folder.path().join("scaled.jpg")).unwrap();
        let again = pool.picture(again, PicturePlace::Whole).await.unwrap();
        let expected = if name == "b.png" { (64, 40) } else { (300, 150) };
        assert_eq!((again.width, again.height), expected, "{name}");
    }

    let jpeg = folder.path().join("a.jpg");
    let with_cover = folder.path().join("cover.mp3");
    let plain = tone(folder.path(), "plain.mp3", &[]);
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .args([&plain, std::path::Path::new("-i"), &jpeg])
        .args(["-map", "0", "-map", "1", "-c", "copy", "-disposition:1", "attached_pic"])
        .arg(&with_cover)
        .status();
    assert!(made.unwrap().success());
    let cover = File::open(&with_cover).unwrap();
    let cover = pool.picture(cover, PicturePlace::Embedded).await.unwrap();
    assert_eq!(cover.bytes, fs::read(&jpeg).unwrap());
    assert_eq!((cover.mime.as_str(), cover.width, cover.height), ("image/jpeg", 1000, 500));
    let none = pool.picture(File::open(&plain).unwrap(), PicturePlace::Embedded).await;
    assert!(matches!(none, Err(Error::NotFound(_))), "{none:?}");
}

#[tokio::test]
async fn bombs_and_nonsense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    // A header that claims 20,000 pixels a side; its checksum does not matter before the limit.
    let mut bomb =
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x4e\x20\0\0\x4e\x20\x08\x02\0\0\0".to_vec();
    bomb.extend([0; 64]);
    let huge_jpeg =
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x11\0\x02\x11\x01\x03\x11\x01";
    for bytes in [&bomb[..], huge_jpeg, b"", b"\xff\xd8\xff", b"GIF89a", &[0x42; 4096]] {
        let path = folder.path().join("x");
        fs::write(&path, bytes).unwrap();
        let picture = pool.picture(File::open(&path).unwrap(), PicturePlace::Whole).await;
        assert!(matches!(picture, Err(Error::Invalid(_))), "{picture:?}");
        let scaled = pool.scale(bytes.to_vec().into(), 300).await;
        assert!(matches!(scaled, Err(Error::Invalid(_))), "{scaled:?}");
    }
    assert_eq!(pool.processes().len(), 1);
}
