//! The device description and its icons.

use std::fmt::Write as _;

use super::{quirks::Profile, services};
use crate::xml::escape;

/// The device type that is announced.
pub(crate) const DEVICE_TYPE: &str = "urn:schemas-upnp-org:device:MediaServer:1";

/// What the device says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    /// Shown in lists of servers; less than 64 bytes.
    pub(crate) name: String,
    /// The same for life.
    pub(crate) uuid: String,
}

/// Icons: file name, type, edge in pixels, bytes.
pub(crate) static ICONS: [(&str, &str, u32, &[u8]); 4] = [
    ("48.png", "image/png", 48, include_bytes!("../icons/48.png")),
    ("120.png", "image/png", 120, include_bytes!("../icons/120.png")),
    ("48.jpg", "image/jpeg", 48, include_bytes!("../icons/48.jpg")),
    ("120.jpg", "image/jpeg", 120, include_bytes!("../icons/120.jpg")),
];

/// Children in the order of the standard: some firmware goes by position.
pub(crate) fn description(device: &Device, profile: &Profile) -> String {
    let mut out = String::with_capacity(4 * 1024);
    out.push_str(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\" \
         xmlns:dlna=\"urn:schemas-dlna-org:device-1-0\"><specVersion><major>1</major><minor>0</minor></specVersion>\
         <device><dlna:X_DLNADOC>DMS-1.50</dlna:X_DLNADOC>",
    );
    let (name, model, number) = if profile.is_windows {
        // Xbox lists what looks like Windows alone.
        (format!("{}: 1", device.name), "Windows Media Player Sharing", "11")
    } else {
        (device.name.clone(), "Tunelocker", env!("CARGO_PKG_VERSION"))
    };
    for (element, value) in [
        ("deviceType", DEVICE_TYPE),
        ("friendlyName", &name),
        ("manufacturer", "Tunelocker"),
        ("modelDescription", "A household's own music locker"),
        ("modelName", model),
        ("modelNumber", number),
        ("serialNumber", &device.uuid),
    ] {
        let _ = write!(out, "<{element}>");
        escape(value, &mut out);
        let _ = write!(out, "</{element}>");
    }
    let _ = write!(out, "<UDN>uuid:{}</UDN><iconList>", device.uuid);
    for (file, mime, edge, _) in ICONS {
        let _ = write!(
            out,
            "<icon><mimetype>{mime}</mimetype><width>{edge}</width><height>{edge}</height>\
             <depth>24</depth><url>/icon/{file}</url></icon>"
        );
    }
    out.push_str("</iconList><serviceList>");
    for service in services::ALL {
        let (kind, id, path) = (service.kind, service.id, service.path);
        let _ = write!(
            out,
            "<service><serviceType>{kind}</serviceType><serviceId>{id}</serviceId>\
             <SCPDURL>/scpd/{path}.xml</SCPDURL><controlURL>/control/{path}</controlURL>\
             <eventSubURL>/event/{path}</eventSubURL></service>"
        );
    }
    out.push_str("</serviceList></device></root>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::dlna::media_server::quirks;
    use crate::xml::{self, Rules};

    #[test]
    fn well_formed_for_every_profile() {
        let device = Device { name: "Tune & <locker>".to_owned(), uuid: "1-2".to_owned() };
        for profile in [quirks::GENERIC, Profile { is_windows: true, ..quirks::GENERIC }] {
            let read =
                xml::read(description(&device, &profile).as_bytes(), &Rules::STRICT).unwrap();
            let device = read.child("device").unwrap();
            assert_eq!(device.child("UDN").unwrap().text, "uuid:1-2");
            assert!(device.child("friendlyName").unwrap().text.starts_with("Tune & <locker>"));
            assert_eq!(device.child("serviceList").unwrap().children.len(), 3);
        }
    }

    #[test]
    fn icons_are_what_they_say() {
        for (file, mime, edge, bytes) in ICONS {
            let image = image::load_from_memory(bytes).unwrap();
            assert_eq!((image.width(), image.height()), (edge, edge), "{file}");
            let format = image::guess_format(bytes).unwrap();
            assert_eq!(format.to_mime_type(), mime, "{file}");
        }
    }
}
