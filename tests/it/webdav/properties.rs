//! PROPFIND and PROPPATCH: what the server knows of a file, and what clients keep beside it.

use super::{Dav, hrefs};

async fn find(dav: &Dav, path: &str, body: &str) -> String {
    let answer = dav.ask("PROPFIND", path, &[("Depth", "0")], body.to_owned()).await;
    assert_eq!(answer.status().as_u16(), 207, "{path}");
    assert_eq!(answer.headers()["content-type"], "application/xml; charset=utf-8");
    answer.text().await.unwrap()
}

async fn patch(dav: &Dav, path: &str, steps: &str) -> String {
    let body =
        format!("<D:propertyupdate xmlns:D='DAV:' xmlns:z='urn:z'>{steps}</D:propertyupdate>");
    let answer = dav.ask("PROPPATCH", path, &[], body).await;
    assert_eq!(answer.status().as_u16(), 207, "{steps}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn what_the_server_knows() {
    let dav = Dav::with_quota(1000).await;
    dav.put("ann/a%20%26%20b.mp3", b"12345").await;
    let all = find(&dav, "ann/a%20%26%20b.mp3", "").await;
    for part in [
        "<D:href>/dav/ann/a%20%26%20b.mp3</D:href>",
        "<D:displayname>a &amp; b.mp3</D:displayname>",
        "<D:getcontentlength>5</D:getcontentlength>",
        "<D:getcontenttype>audio/mpeg</D:getcontenttype>",
        "<D:resourcetype></D:resourcetype>",
        "<D:lockdiscovery></D:lockdiscovery>",
        "<D:supportedlock><D:lockentry>",
        " GMT</D:getlastmodified>",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let etag = dav.ask("HEAD", "ann/a%20%26%20b.mp3", &[], "").await.headers()["etag"].clone();
    let etag = etag.to_str().unwrap().replace('"', "&quot;");
    assert!(all.contains(&format!("<D:getetag>{etag}</D:getetag>")), "{all}");
    assert!(!all.contains("quota") && !all.contains("404"), "{all}");

    let wish = "<propfind xmlns='DAV:'><prop><getcontentlength/><resourcetype/><nonsense xmlns='u'/></prop></propfind>";
    let folder = find(&dav, "ann", wish).await;
    assert!(folder.contains("<D:href>/dav/ann/</D:href>"), "{folder}");
    assert!(folder.contains(
        "<D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK"
    ));
    let missing = "<D:getcontentlength/><X:nonsense xmlns:X=\"u\"/></D:prop><D:status>HTTP/1.1 404";
    assert!(folder.contains(missing), "{folder}");

    let names = find(&dav, "ann", "<propfind xmlns='DAV:'><propname/></propfind>").await;
    assert!(names.contains("<D:quota-used-bytes/>") && !names.contains("getetag"), "{names}");
    let included =
        "<propfind xmlns='DAV:'><allprop/><include><quota-used-bytes/></include></propfind>";
    assert!(find(&dav, "ann", included).await.contains("<D:quota-used-bytes>5<"));
    assert_eq!(dav.status("PROPFIND", "ann/none", &[("Depth", "0")]).await, 404);
}

#[tokio::test]
async fn what_clients_keep_comes_back_as_it_was() {
    let dav = Dav::with_quota(1000).await;
    dav.put("ann/a", b"1").await;
    let value = "<z:p xml:lang='de' q='1 &lt; 2'>x <b xmlns='urn:b'>\u{1d11e}</b> y<z:c/></z:p>";
    let set = format!("<D:set><D:prop>{value}<none xmlns=''>1</none></D:prop></D:set>");
    let answer = patch(&dav, "ann/a", &set).await;
    assert!(answer.contains("HTTP/1.1 200 OK") && answer.contains("<none/>"), "{answer}");
    let wish = "<propfind xmlns='DAV:'><prop><p xmlns='urn:z'/><none xmlns=''/></prop></propfind>";
    let kept = "xml:lang=\"de\" q=\"1 &lt; 2\">x <b xmlns=\"urn:b\">\u{1d11e}</b> y<z:c/></z:p>";
    for (path, depth) in [("ann/a", "0"), ("ann/", "1")] {
        let found =
            dav.ask("PROPFIND", path, &[("Depth", depth)], wish).await.text().await.unwrap();
        assert!(found.contains(kept), "{found}");
        assert!(found.contains(">1</none>"), "{found}");
    }
    assert!(find(&dav, "ann/a", "").await.contains(kept));
    let names = find(&dav, "ann/a", "<propfind xmlns='DAV:'><propname/></propfind>").await;
    assert!(names.contains("<X:p xmlns:X=\"urn:z\"/>"), "{names}");

    // In order; the last word counts.
    patch(
        &dav,
        "ann/a",
        "<D:remove><D:prop><z:p/></D:prop></D:remove><D:set><D:prop><z:p>2</z:p></D:prop></D:set>",
    )
    .await;
    assert!(find(&dav, "ann/a", wish).await.contains(">2</z:p>"));
    patch(&dav, "ann/a", "<D:set><D:prop><z:p>3</z:p></D:prop></D:set><D:remove><D:prop><z:p/><z:never/></D:prop></D:remove>").await;
    assert!(
        find(&dav, "ann/a", wish)
            .await
            .contains("<X:p xmlns:X=\"urn:z\"/></D:prop><D:status>HTTP/1.1 404")
    );
    // Other bytes leave them, deletion does not.
    patch(&dav, "ann/a", "<D:set><D:prop><z:p>4</z:p></D:prop></D:set>").await;
    dav.put("ann/a", b"2").await;
    assert!(find(&dav, "ann/a", wish).await.contains(">4</z:p>"));
    dav.status("DELETE", "ann/a", &[]).await;
    dav.put("ann/a", b"3").await;
    assert!(!find(&dav, "ann/a", wish).await.contains(">4</z:p>"));
}

#[tokio::test]
async fn all_or_nothing_is_changed() {
    let dav = Dav::with_quota(1000).await;
    dav.put("ann/a", b"1").await;
    let answer = patch(
        &dav,
        "ann/a",
        "<D:set><D:prop><z:p>1</z:p><D:getetag>mine</D:getetag></D:prop></D:set>",
    )
    .await;
    assert!(answer.contains("<D:getetag/></D:prop><D:status>HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("<D:cannot-modify-protected-property/>"), "{answer}");
    assert!(answer.contains("<X:p xmlns:X=\"urn:z\"/></D:prop><D:status>HTTP/1.1 424"), "{answer}");
    let wish = "<propfind xmlns='DAV:'><prop><p xmlns='urn:z'/></prop></propfind>";
    assert!(find(&dav, "ann/a", wish).await.contains("404"));
    let large = format!("<D:set><D:prop><z:p>{}</z:p></D:prop></D:set>", "x".repeat(140_000));
    assert!(patch(&dav, "ann/a", &large).await.contains("HTTP/1.1 507"));
    assert!(find(&dav, "ann/a", wish).await.contains("404"));
    let body =
        "<propertyupdate xmlns='DAV:'><set><prop><x xmlns='u'/></prop></set></propertyupdate>";
    assert_eq!(dav.ask("PROPPATCH", "ann/none", &[], body).await.status().as_u16(), 404);
}

/// Long folders are written while they are sent; nothing is lost at the seams.
#[tokio::test]
async fn long_folders_are_told_whole() {
    let dav = Dav::with_quota(1_000_000).await;
    dav.put("ann/first", b"1").await;
    let names: Vec<String> = (0..700).map(|number| format!("n {number:04} é")).collect();
    for name in &names {
        std::fs::write(dav.lockers.folder().join(name), name).unwrap();
    }
    let answer = dav.ask("PROPFIND", "ann/", &[("Depth", "1")], "").await;
    let text = answer.text().await.unwrap();
    assert!(text.ends_with("</D:multistatus>\n"));
    let told = hrefs(&text);
    assert_eq!(told.len(), 702);
    for (name, href) in names.iter().zip(&told[2..]) {
        let encoded = name.replace(' ', "%20").replace('é', "%C3%A9");
        assert_eq!(*href, format!("/dav/ann/{encoded}"));
    }
}

/// When a file first came here stays with it, whatever takes its place and wherever it goes; nobody
/// sets it.
#[tokio::test]
async fn files_tell_when_they_came_here() {
    let clock = tunelocker::clock::Clock::manual(1_795_644_000_000);
    let dav = Dav::at(clock.clone()).await;
    let wish = "<propfind xmlns='DAV:'><prop><creationdate/></prop></propfind>";
    dav.put("ann/a", b"one").await;
    let came = "<D:creationdate>2026-11-25T22:00:00.000Z</D:creationdate>";
    assert!(find(&dav, "ann/a", wish).await.contains(came));
    clock.advance(std::time::Duration::from_hours(24));
    dav.put("ann/a", b"two").await;
    assert_eq!(dav.status("MOVE", "ann/a", &[("Destination", "/dav/ann/b")]).await, 201);
    let moved = find(&dav, "ann/b", wish).await;
    assert!(moved.contains(came), "{moved}");
    assert!(find(&dav, "ann/b", "").await.contains(came), "it is among all of them");
    assert_eq!(dav.status("MKCOL", "ann/folder", &[]).await, 201);
    let folder = find(&dav, "ann/folder", wish).await;
    // A disk that does not know when a folder was made says nothing.
    assert!(folder.contains("<D:creationdate>20") || folder.contains("404 Not Found"), "{folder}");
    let set =
        "<D:set><D:prop><D:creationdate>1999-01-01T00:00:00Z</D:creationdate></D:prop></D:set>";
    assert!(patch(&dav, "ann/b", set).await.contains("HTTP/1.1 403"));
    assert!(find(&dav, "ann/b", wish).await.contains(came));
}
