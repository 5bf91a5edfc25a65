//! A small control point of the tests' own: calls actions and reads answers strictly, every
//! document under the eyes of `xmllint`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    net::SocketAddr,
    process::{Command, Stdio},
};

use quick_xml::{Reader, events::Event};

/// One service of a running server.
pub(crate) struct Control {
    /// `http://ADDR` of the LAN listener.
    pub(crate) base: String,
    /// What it calls itself.
    pub(crate) agent: &'static str,
}

/// Out-arguments by name, or HTTP status and UPnP code.
pub(crate) type Answer = Result<BTreeMap<String, String>, (u16, u16)>;

impl Control {
    pub(crate) fn new(lan: SocketAddr) -> Self {
        Self { base: format!("http://{lan}"), agent: "tests/1.0" }
    }

    /// The same as a device that calls itself so.
    pub(crate) fn named(&self, agent: &'static str) -> Self {
        Self { base: self.base.clone(), agent }
    }

    pub(crate) async fn call(
        &self,
        service: &str,
        action: &str,
        arguments: &[(&str, &str)],
    ) -> Answer {
        let mut body = format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:{action} xmlns:u=\"urn:schemas-upnp-org:service:X:1\">"
        );
        for (name, value) in arguments {
            let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let _ = write!(body, "<{name}>{value}</{name}>");
        }
        let _ = write!(body, "</u:{action}></s:Body></s:Envelope>");
        let (status, text) = self.post(service, body.into()).await;
        assert!(matches!(status, 200 | 500), "{action}: {status} {text}");
        well_formed(&text);
        let leaves = leaves(&text);
        if status == 200 { Ok(leaves) } else { Err((status, leaves["errorCode"].parse().unwrap())) }
    }

    /// A raw body to the control address of a service.
    pub(crate) async fn post(&self, service: &str, body: Vec<u8>) -> (u16, String) {
        let answer = reqwest::Client::new()
            .post(format!("{}/control/{service}", self.base))
            .header("Content-Type", "text/xml; charset=\"utf-8\"")
            .header("User-Agent", self.agent)
            .header("SOAPACTION", "\"urn:schemas-upnp-org:service:ContentDirectory:1#Any\"")
            .body(body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Browse of the children with everything asked for.
    pub(crate) async fn children(&self, id: &str, start: u32, count: u32, sort: &str) -> Page {
        self.browse(id, "BrowseDirectChildren", "*", start, count, sort).await.unwrap()
    }

    pub(crate) async fn browse(
        &self,
        id: &str,
        flag: &str,
        filter: &str,
        start: u32,
        count: u32,
        sort: &str,
    ) -> Result<Page, (u16, u16)> {
        let (start, count) = (start.to_string(), count.to_string());
        let arguments = [
            ("ObjectID", id),
            ("BrowseFlag", flag),
            ("Filter", filter),
            ("StartingIndex", &start),
            ("RequestedCount", &count),
            ("SortCriteria", sort),
        ];
        self.call("content-directory", "Browse", &arguments).await.map(|answer| Page::read(&answer))
    }

    pub(crate) async fn search(
        &self,
        within: &str,
        criteria: &str,
        sort: &str,
    ) -> Result<Page, (u16, u16)> {
        let arguments = [
            ("ContainerID", within),
            ("SearchCriteria", criteria),
            ("Filter", "*"),
            ("StartingIndex", "0"),
            ("RequestedCount", "0"),
            ("SortCriteria", sort),
        ];
        self.call("content-directory", "Search", &arguments).await.map(|answer| Page::read(&answer))
    }

    /// GET of a document, checked.
    pub(crate) async fn document(&self, path: &str) -> String {
        let asked = reqwest::Client::new().get(format!("{}{path}", self.base));
        let answer = asked.header("User-Agent", self.agent).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/xml; charset=\"utf-8\"", "{path}");
        let text = answer.text().await.unwrap();
        well_formed(&text);
        text
    }

    /// The id that the device is announced under.
    pub(crate) async fn udn(&self) -> String {
        leaves(&self.document("/device.xml").await)["UDN"].clone()
    }
}

/// A result of Browse or Search.
#[derive(Debug)]
pub(crate) struct Page {
    /// The DIDL document.
    pub(crate) didl: String,
    /// Every object in it.
    pub(crate) objects: Vec<Object>,
    /// TotalMatches.
    pub(crate) total: u32,
}

/// A container or an item.
#[derive(Debug, Default)]
pub(crate) struct Object {
    pub(crate) attributes: BTreeMap<String, String>,
    /// Elements with their attributes and texts, in order.
    pub(crate) elements: Vec<(String, BTreeMap<String, String>, String)>,
}

impl Page {
    fn read(answer: &BTreeMap<String, String>) -> Self {
        let didl = answer["Result"].clone();
        well_formed(&didl);
        let objects = objects(&didl);
        assert_eq!(objects.len().to_string(), answer["NumberReturned"], "{didl}");
        Self { didl, objects, total: answer["TotalMatches"].parse().unwrap() }
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        self.objects.iter().map(Object::id).collect()
    }

    pub(crate) fn titles(&self) -> Vec<&str> {
        self.objects.iter().map(|object| object.text("dc:title")).collect()
    }

    /// The object of a title.
    pub(crate) fn titled(&self, title: &str) -> &Object {
        self.objects.iter().find(|object| object.text("dc:title") == title).unwrap()
    }
}

impl Object {
    pub(crate) fn id(&self) -> &str {
        &self.attributes["id"]
    }

    /// The text of the first element of a name.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.elements.iter().find(|(is, ..)| is == name);
        found.map_or("", |(.., text)| text.as_str())
    }

    /// Address and attributes of the `res` elements.
    pub(crate) fn resources(&self) -> Vec<(&str, &BTreeMap<String, String>)> {
        let of_res = self.elements.iter().filter(|(name, ..)| name == "res");
        of_res.map(|(_, attributes, text)| (text.as_str(), attributes)).collect()
    }
}

/// Fails the test unless `xmllint` agrees.
pub(crate) fn well_formed(text: &str) {
    let mut lint = Command::new("xmllint")
        .args(["--noout", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint (libxml2-utils) is needed");
    lint.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = lint.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}

/// The texts of elements without children, by local name.
pub(crate) fn leaves(text: &str) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    walk(text, |name, _, text, _, has_children| {
        if !has_children {
            leaves.insert(name.rsplit(':').next().unwrap().to_owned(), text.to_owned());
        }
    });
    leaves
}

fn objects(didl: &str) -> Vec<Object> {
    let mut objects: Vec<Object> = Vec::new();
    let mut open = Object::default();
    walk(didl, |name, attributes, text, depth, _| match depth {
        2 => open.elements.push((name.to_owned(), attributes.clone(), text.to_owned())),
        1 => {
            open.attributes = attributes.clone();
            objects.push(std::mem::take(&mut open));
        }
        _ => (),
    });
    objects
}

/// Calls for each element at its end: name, attributes, text, depth (0 is the root), and whether
/// it has children.
fn walk(text: &str, mut each: impl FnMut(&str, &BTreeMap<String, String>, &str, usize, bool)) {
    type Attributes = BTreeMap<String, String>;
    let attributes = |tag: &quick_xml::events::BytesStart<'_>| -> Attributes {
        let pairs = tag.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
            (attribute.key.as_ref().to_owned(), value)
        });
        pairs.collect()
    };
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Attributes, String)> = Vec::new();
    // How deep the last element ended: one level below means that it was a child.
    let mut ended = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                open.push((tag.name().as_ref().to_owned(), attributes(&tag), String::new()));
                ended = 0;
            }
            Event::Empty(tag) => {
                each(tag.name().as_ref(), &attributes(&tag), "", open.len(), false);
                ended = open.len();
            }
            Event::Text(part) => {
                if let Some((.., text)) = open.last_mut() {
                    text.push_str(&part.into_inner());
                }
            }
            Event::GeneralRef(reference) => {
                let named = format!("&{};", &*reference.into_inner());
                let value = quick_xml::escape::unescape(&named).unwrap().into_owned();
                open.last_mut().unwrap().2.push_str(&value);
            }
            Event::End(_) => {
                let (name, attributes, text) = open.pop().unwrap();
                each(&name, &attributes, &text, open.len(), ended == open.len() + 1);
                ended = open.len();
            }
            Event::Eof => return,
            _ => (),
        }
    }
}
