//! Live properties (RFC 4918, 15, and RFC 4331, 3 and 4): what the server itself knows of a file
//! or folder. Clients cannot set any of them.

use std::fmt::Write as _;

use actix_web::http::header::HttpDate;

use super::{headers::whole_seconds, locking::active_lock, names::DAV};
use crate::{
    accounts::Usage,
    clock::{Millis, iso},
    drive::{Entry, EntryKind, Lock, PropertyName},
    xml::escape,
};

/// A property that the server keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Live {
    DisplayName,
    ContentLength,
    ContentType,
    CreationDate,
    Etag,
    LastModified,
    LockDiscovery,
    QuotaAvailable,
    QuotaUsed,
    ResourceType,
    SupportedLock,
}

impl Live {
    /// Those that `allprop` tells; what room is left has to be asked for (RFC 4331, 3).
    pub(super) const CHEAP: [Self; 9] = [
        Self::ResourceType,
        Self::DisplayName,
        Self::ContentLength,
        Self::ContentType,
        Self::CreationDate,
        Self::Etag,
        Self::LastModified,
        Self::LockDiscovery,
        Self::SupportedLock,
    ];
    /// Those that `propname` names.
    pub(super) const ALL: [Self; 11] = {
        let [a, b, c, d, e, f, g, h, i] = Self::CHEAP;
        [a, b, c, d, e, f, g, h, i, Self::QuotaAvailable, Self::QuotaUsed]
    };

    /// Its local name; all are in WebDAV's own namespace.
    pub(super) fn local(self) -> &'static str {
        match self {
            Self::DisplayName => "displayname",
            Self::ContentLength => "getcontentlength",
            Self::ContentType => "getcontenttype",
            Self::CreationDate => "creationdate",
            Self::Etag => "getetag",
            Self::LastModified => "getlastmodified",
            Self::LockDiscovery => "lockdiscovery",
            Self::QuotaAvailable => "quota-available-bytes",
            Self::QuotaUsed => "quota-used-bytes",
            Self::ResourceType => "resourcetype",
            Self::SupportedLock => "supportedlock",
        }
    }

    /// The one of this name.
    pub(super) fn find(name: &PropertyName) -> Option<Self> {
        (name.namespace == DAV)
            .then(|| Self::ALL.into_iter().find(|live| live.local() == name.name))
            .flatten()
    }
}

/// A file or folder as its live properties tell of it.
pub(super) struct Resource<'a> {
    /// What it is called; the last part of its address unless it is the top.
    pub(super) name: &'a str,
    /// A folder.
    pub(super) is_folder: bool,
    /// Bytes.
    pub(super) size: u64,
    /// When it was last changed; 0 is not known.
    pub(super) modified_at: Millis,
    /// When it came here, where that is known.
    pub(super) created_at: Option<Millis>,
    /// Files only.
    pub(super) etag: Option<&'a str>,
    /// Locks that reach it, with the `href` of what each locks.
    pub(super) locks: Vec<(&'a Lock, String)>,
    /// How full the locker is that it is in, where its user may know.
    pub(super) usage: Option<Usage>,
    /// Whether locks can be had here.
    pub(super) is_lockable: bool,
    /// For how long locks last.
    pub(super) now: Millis,
}

impl<'a> Resource<'a> {
    /// An entry of a folder.
    pub(super) fn of(entry: &'a Entry, usage: Option<Usage>, now: Millis) -> Self {
        Self {
            name: &entry.name,
            is_folder: entry.kind == EntryKind::Folder,
            size: entry.size,
            modified_at: entry.modified_at,
            created_at: entry.created_at,
            etag: entry.etag.as_deref(),
            locks: Vec::new(),
            usage,
            is_lockable: true,
            now,
        }
    }

    /// Appends a property as an element; false, and nothing, if it has none.
    pub(super) fn write(&self, live: Live, out: &mut String) -> bool {
        let start = out.len();
        let local = live.local();
        let _ = write!(out, "<D:{local}>");
        let is_there = self.write_value(live, out);
        if is_there {
            let _ = write!(out, "</D:{local}>");
        } else {
            out.truncate(start);
        }
        is_there
    }

    fn write_value(&self, live: Live, out: &mut String) -> bool {
        match live {
            Live::DisplayName => escape(self.name, out),
            Live::ResourceType if self.is_folder => out.push_str("<D:collection/>"),
            Live::ResourceType => (),
            Live::ContentLength if !self.is_folder => {
                let _ = write!(out, "{}", self.size);
            }
            Live::ContentType if !self.is_folder => out.push_str(&content_type(self.name)),
            // RFC 3339, as RFC 4918, 15.1 wants it.
            Live::CreationDate => match self.created_at {
                Some(at) => out.push_str(&iso(at)),
                None => return false,
            },
            Live::Etag => match self.etag {
                Some(etag) => {
                    out.push_str("&quot;");
                    escape(etag, out);
                    out.push_str("&quot;");
                }
                None => return false,
            },
            Live::LastModified if 0 < self.modified_at => {
                let _ = write!(out, "{}", HttpDate::from(whole_seconds(self.modified_at)));
            }
            Live::LockDiscovery => {
                for (lock, root) in &self.locks {
                    active_lock(lock, root, self.now, out);
                }
            }
            Live::SupportedLock if self.is_lockable => out.push_str(
                "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
                 <D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>",
            ),
            // Without a limit there is no figure to give (RFC 4331, 3).
            Live::QuotaAvailable if self.is_folder => match self.usage.and_then(|usage| usage.free()) {
                Some(free) => {
                    let _ = write!(out, "{free}");
                }
                None => return false,
            },
            Live::QuotaUsed if self.is_folder => match self.usage {
                Some(usage) => {
                    let _ = write!(out, "{}", usage.used);
                }
                None => return false,
            },
            Live::ContentLength
            | Live::ContentType
            | Live::LastModified
            | Live::SupportedLock
            | Live::QuotaAvailable
            | Live::QuotaUsed => return false,
        }
        true
    }
}

/// The type of a file, by its name alone.
pub(super) fn content_type(name: &str) -> String {
    mime_guess::from_path(name).first_or_octet_stream().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(resource: &Resource<'_>, live: Live) -> Option<String> {
        let mut out = String::new();
        resource.write(live, &mut out).then_some(out)
    }

    #[test]
    fn a_file_and_a_folder_tell_of_themselves() {
        let usage = Usage { quota: Some(100), used: 30, reserved: 5, ..Usage::default() };
        let mut entry = Entry {
            name: "a & b.flac".to_owned(),
            kind: EntryKind::File,
            size: 7,
            modified_at: 784_111_777_900,
            created_at: Some(784_111_000_000),
            etag: Some("e-1".to_owned()),
            source: None,
        };
        let file = Resource::of(&entry, Some(usage), 0);
        for (live, text) in [
            (Live::DisplayName, "<D:displayname>a &amp; b.flac</D:displayname>"),
            (Live::ResourceType, "<D:resourcetype></D:resourcetype>"),
            (Live::ContentLength, "<D:getcontentlength>7</D:getcontentlength>"),
            (Live::ContentType, "<D:getcontenttype>audio/flac</D:getcontenttype>"),
            (Live::CreationDate, "<D:creationdate>1994-11-06T08:36:40.000Z</D:creationdate>"),
            (Live::Etag, "<D:getetag>&quot;e-1&quot;</D:getetag>"),
            (
                Live::LastModified,
                "<D:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</D:getlastmodified>",
            ),
        ] {
            assert_eq!(told(&file, live).as_deref(), Some(text));
        }
        assert_eq!(told(&file, Live::QuotaUsed), None);
        entry.kind = EntryKind::Folder;
        entry.etag = None;
        let folder = Resource::of(&entry, Some(usage), 0);
        assert_eq!(
            told(&folder, Live::QuotaAvailable).unwrap(),
            "<D:quota-available-bytes>65</D:quota-available-bytes>"
        );
        assert_eq!(
            told(&folder, Live::QuotaUsed).unwrap(),
            "<D:quota-used-bytes>30</D:quota-used-bytes>"
        );
        assert!(told(&folder, Live::ResourceType).unwrap().contains("<D:collection/>"));
        assert_eq!(told(&folder, Live::Etag), None);
        let unlimited = Resource::of(&entry, Some(Usage { quota: None, ..usage }), 0);
        assert_eq!(told(&unlimited, Live::QuotaAvailable), None);
    }

    #[test]
    fn names_lead_to_properties() {
        for live in Live::ALL {
            let name = PropertyName { namespace: DAV.to_owned(), name: live.local().to_owned() };
            assert_eq!(Live::find(&name), Some(live));
            assert_eq!(Live::find(&PropertyName { namespace: "x".to_owned(), ..name }), None);
        }
    }
}
