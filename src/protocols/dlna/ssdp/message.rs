//! The datagrams of SSDP, pure: searches read leniently, announcements and answers written in the
//! order of headers that position-sensitive parsers know.

use std::{fmt::Write as _, net::Ipv4Addr};

use super::super::{
    SERVER,
    media_server::{description::DEVICE_TYPE, services},
};

/// How long an announcement is good.
const MAX_AGE: u32 = 1800;
/// Longest datagram read.
pub(super) const MAX_DATAGRAM: usize = 1_500;

/// What is announced: who, where, and since when.
#[derive(Debug, Clone)]
pub(crate) struct Announced {
    /// The device's id for life.
    pub(super) uuid: String,
    /// Port of the description.
    pub(super) port: u16,
    /// If the listener is bound to one address, only that is announced.
    pub(super) only: Option<Ipv4Addr>,
    /// Grows at each start.
    pub(super) boot_id: i64,
}

/// A search that may deserve an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    /// What is looked for.
    pub(super) target: String,
    /// Seconds in which to answer; `None` answers at once (a search sent to us alone).
    pub(super) within: Option<u32>,
}

impl Search {
    /// Reads a datagram. Names in any case, blanks anywhere, the empty line at the end may miss;
    /// what no stack answers is not answered.
    pub(super) fn parse(datagram: &[u8]) -> Option<Self> {
        if MAX_DATAGRAM < datagram.len() {
            return None;
        }
        let text = std::str::from_utf8(datagram).ok()?;
        let mut lines = text.split("\r\n");
        if !lines.next()?.split_whitespace().eq(["M-SEARCH", "*", "HTTP/1.1"]) {
            return None;
        }
        let header = |name: &str| {
            text.split("\r\n").skip(1).find_map(|line| {
                let (is, value) = line.split_once(':')?;
                is.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        if header("MAN")? != "\"ssdp:discover\"" {
            return None;
        }
        let target = header("ST").filter(|target| !target.is_empty())?.to_owned();
        let is_to_all = header("HOST").is_none_or(|host| host.starts_with("239.255.255.250"));
        let within = match header("MX") {
            Some(seconds) => {
                let is_number =
                    !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
                // Huge ones are clamped; a number too large to read is huge.
                is_number.then(|| seconds.parse().unwrap_or(u32::MAX).min(5)).map(Some)?
            }
            None if is_to_all => return None,
            None => None,
        };
        Some(Self { target, within })
    }
}

impl Announced {
    /// What is announced: notification type and unique name.
    fn names(&self) -> Vec<(String, String)> {
        let device = format!("uuid:{}", self.uuid);
        let mut types = vec!["upnp:rootdevice", DEVICE_TYPE];
        types.extend(services::ALL.iter().map(|service| service.kind));
        let mut names = vec![(device.clone(), device.clone())];
        names.extend(types.into_iter().map(|kind| (kind.to_owned(), format!("{device}::{kind}"))));
        names.swap(0, 1);
        names
    }

    fn location(&self, address: Ipv4Addr) -> String {
        format!("http://{address}:{}/device.xml", self.port)
    }

    /// The set that says "I am here" on a link where we have this address.
    pub(super) fn alive(&self, address: Ipv4Addr) -> Vec<String> {
        let location = self.location(address);
        let alive = self.names().into_iter().map(|(kind, name)| {
            format!(
                "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age={MAX_AGE}\r\n\
                 LOCATION: {location}\r\nNT: {kind}\r\nNTS: ssdp:alive\r\nSERVER: {SERVER}\r\nUSN: {name}\r\n\
                 BOOTID.UPNP.ORG: {}\r\nCONFIGID.UPNP.ORG: 1\r\n\r\n",
                self.boot_id
            )
        });
        alive.collect()
    }

    /// The set that says goodbye.
    pub(super) fn goodbye(&self) -> Vec<String> {
        let goodbye = self.names().into_iter().map(|(kind, name)| {
            format!(
                "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: {kind}\r\nNTS: ssdp:byebye\r\n\
                 USN: {name}\r\nBOOTID.UPNP.ORG: {}\r\nCONFIGID.UPNP.ORG: 1\r\n\r\n",
                self.boot_id
            )
        });
        goodbye.collect()
    }

    /// The answers to a search; none if it is not for us. A version up to ours is answered in
    /// the words of the one who asked.
    pub(super) fn answers(&self, target: &str, address: Ipv4Addr, date: &str) -> Vec<String> {
        let location = self.location(address);
        let mut answers = Vec::new();
        for (kind, name) in self.names() {
            let fits = target == "ssdp:all" || kind == target || is_older(&kind, target);
            if !fits {
                continue;
            }
            let mut answer = String::with_capacity(480);
            let _ = write!(
                answer,
                "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age={MAX_AGE}\r\nDATE: {date}\r\nEXT:\r\n\
                 LOCATION: {location}\r\nSERVER: {SERVER}\r\nST: {kind}\r\nUSN: {name}\r\n\
                 BOOTID.UPNP.ORG: {}\r\nCONFIGID.UPNP.ORG: 1\r\nContent-Length: 0\r\n\r\n",
                self.boot_id
            );
            answers.push(answer);
        }
        answers
    }
}

/// Our types are of version 1, so only the old spelling of Microsoft's is another word for one.
fn is_older(kind: &str, target: &str) -> bool {
    target
        .strip_prefix("urn:microsoft-com:")
        .is_some_and(|rest| kind.strip_prefix("urn:microsoft.com:") == Some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced() -> Announced {
        Announced { uuid: "u-1".to_owned(), port: 4041, only: None, boot_id: 7 }
    }

    fn search(lines: &str) -> Option<Search> {
        Search::parse(format!("M-SEARCH * HTTP/1.1\r\n{lines}").replace('\n', "\r\n").as_bytes())
    }

    #[test]
    fn searches_are_read_as_the_field_does() {
        let of = |target: &str, within| Some(Search { target: target.to_owned(), within });
        for (lines, expected) in [
            ("HOST: 239.255.255.250:1900MAN: x", None),
            ("MAN: \"ssdp:discover\"\nMX: 3\nST: ssdp:all\n\n", of("ssdp:all", Some(3))),
            (
                "man:\"ssdp:discover\"\nmx : 0\nst:  upnp:rootdevice  ",
                of("upnp:rootdevice", Some(0)),
            ),
            ("MAN: \"ssdp:discover\"\nMX: 100000\nST: x\n\n", of("x", Some(5))),
            ("MAN: \"ssdp:discover\"\nMX: 99999999999999\nST: x\n\n", of("x", Some(5))),
            ("MAN: \"ssdp:discover\"\nMX: -1\nST: x\n\n", None),
            ("MAN: \"ssdp:discover\"\nMX: a\nST: x\n\n", None),
            ("MAN: \"ssdp:discover\"\nST: x\n\n", None),
            ("HOST: 10.0.0.2:1900\nMAN: \"ssdp:discover\"\nST: x\n\n", of("x", None)),
            ("MAN: ssdp:discover\nMX: 3\nST: x\n\n", None),
            ("MAN: \"ssdp:discover\"\nMX: 3\n\n", None),
        ] {
            assert_eq!(search(lines), expected, "{lines}");
        }
        assert_eq!(Search::parse(b"NOTIFY * HTTP/1.1\r\n\r\n"), None);
        assert_eq!(Search::parse(&[0xff; 40]), None);
        assert_eq!(Search::parse(&[b'M'; 4000]), None);
    }

    #[test]
    fn six_names_fit_the_caps() {
        let announced = announced();
        let address = Ipv4Addr::new(192, 168, 100, 200);
        let all = announced.answers("ssdp:all", address, "Sat, 21 Nov 2026 23:00:00 GMT");
        assert_eq!(all.len(), 6);
        assert!(all.iter().map(String::len).sum::<usize>() <= 4096);
        assert!(all.iter().chain(&announced.alive(address)).all(|one| one.len() < 512));
        assert_eq!(announced.goodbye().len(), 6);
        assert!(all[0].contains("LOCATION: http://192.168.100.200:4041/device.xml\r\n"));
    }

    #[test]
    fn each_target_has_its_answers() {
        let announced = announced();
        for (target, count) in [
            ("upnp:rootdevice", 1),
            ("uuid:u-1", 1),
            ("uuid:other", 0),
            ("urn:schemas-upnp-org:device:MediaServer:1", 1),
            ("urn:schemas-upnp-org:device:MediaServer:2", 0),
            ("urn:schemas-upnp-org:service:ContentDirectory:1", 1),
            ("urn:schemas-upnp-org:service:ConnectionManager:1", 1),
            ("urn:microsoft-com:service:X_MS_MediaReceiverRegistrar:1", 1),
            ("urn:schemas-upnp-org:device:MediaRenderer:1", 0),
        ] {
            let answers = announced.answers(target, Ipv4Addr::LOCALHOST, "");
            assert_eq!(answers.len(), count, "{target}");
        }
    }
}
