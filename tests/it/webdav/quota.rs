//! A full locker says 507, to the byte, whether the length was said before or not.

use reqwest::{Body, Response};

use super::Dav;

fn chunked(length: usize) -> Body {
    let pieces: Vec<_> = vec![7_u8; length]
        .chunks(50_000)
        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
        .collect();
    Body::wrap_stream(futures_util::stream::iter(pieces))
}

async fn is_full(answer: Response) -> bool {
    if answer.status().as_u16() != 507 {
        return false;
    }
    let text = answer.text().await.unwrap();
    assert!(text.contains("<D:quota-not-exceeded/>"), "{text}");
    assert!(text.contains("bytes are used"), "the sentence says how full it is: {text}");
    true
}

#[tokio::test]
async fn what_fits_is_taken_and_a_byte_more_is_not() {
    let dav = Dav::with_quota(1_000_000).await;
    let lockers = &dav.lockers;
    assert!(is_full(dav.ask("PUT", "ann/a", &[], vec![1; 1_000_001]).await).await);
    assert!(is_full(dav.ask("PUT", "ann/a", &[], chunked(1_000_001)).await).await);
    assert_eq!(
        (lockers.usage().await.used, lockers.usage().await.reserved, lockers.staged()),
        (0, 0, 0)
    );
    assert_eq!(dav.ask("PUT", "ann/a", &[], chunked(600_000)).await.status(), 201);
    assert!(is_full(dav.ask("PUT", "ann/b", &[], chunked(400_001)).await).await);
    assert!(is_full(dav.ask("PUT", "ann/b", &[], vec![1; 400_001]).await).await);
    assert_eq!(dav.ask("PUT", "ann/b", &[], chunked(400_000)).await.status(), 201);
    assert!(is_full(dav.ask("PUT", "ann/c", &[], "x").await).await);
    assert_eq!(dav.ask("PUT", "ann/c", &[], "").await.status(), 201, "nothing fits");
    assert!(is_full(dav.ask("COPY", "ann/b", &[("Destination", "/dav/ann/d")], "").await).await);
    assert_eq!(dav.status("GET", "ann/d", &[]).await, 404);

    // Replacing needs room for the difference; reading, moving and deleting go on.
    assert_eq!(dav.ask("PUT", "ann/b", &[], vec![2; 400_000]).await.status(), 204);
    assert!(is_full(dav.ask("PUT", "ann/b", &[], vec![2; 400_001]).await).await);
    assert_eq!(dav.get("ann/b").await, vec![2; 400_000]);
    assert_eq!(dav.status("MOVE", "ann/b", &[("Destination", "/dav/ann/e")]).await, 201);
    assert_eq!(dav.status("DELETE", "ann/e", &[]).await, 204);
    assert_eq!(
        dav.ask("PUT", "ann/f", &[], vec![3; 400_000]).await.status(),
        201,
        "the trash gives way"
    );
    assert!(is_full(dav.ask("PUT", "ann/g", &[], "x").await).await);
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reserved, lockers.on_disk()), (1_000_000, 0, 1_000_000));
}

#[tokio::test]
async fn many_at_once_pass_the_limit_by_no_byte() {
    let dav = Dav::with_quota(1_000_000).await;
    let answers = (0..24).map(|number| {
        let (dav, path) = (&dav, format!("ann/n{number}"));
        async move {
            let body = if number % 2 == 0 { Body::from(vec![1; 90_000]) } else { chunked(90_000) };
            dav.ask("PUT", &path, &[], body).await.status().as_u16()
        }
    });
    let answers = futures_util::future::join_all(answers).await;
    assert!(answers.iter().all(|status| matches!(status, 201 | 507)), "{answers:?}");
    let taken = answers.iter().filter(|status| **status == 201).count();
    let usage = dav.lockers.usage().await;
    assert_eq!(usage.used, taken as u64 * 90_000);
    assert_eq!((usage.reserved, dav.lockers.on_disk()), (0, usage.used));
    let rest = usize::try_from(1_000_000 - usage.used).unwrap();
    assert!(is_full(dav.ask("PUT", "ann/more", &[], chunked(rest + 1)).await).await);
    assert_eq!(dav.ask("PUT", "ann/rest", &[], chunked(rest)).await.status(), 201);
    assert_eq!(dav.lockers.usage().await.used, 1_000_000);
}
