//! SOAP 1.1 as UPnP uses it: what was called with which arguments, and the answer or fault in the
//! exact words that embedded parsers look for.

use std::fmt::Write as _;

use crate::xml::{self, Element, Names, Rules, escape};

/// SOAP arguments carry everything in text; what prefix they have does not matter.
pub(super) const RULES: Rules = Rules { names: Names::Local, ..Rules::STRICT };

/// A call, as the body says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The action's name.
    pub(crate) action: String,
    /// Arguments by name, in the caller's order.
    arguments: Vec<(String, String)>,
}

impl Call {
    /// Reads the envelope. `action` of the SOAPACTION header wins over the body's own word when
    /// both are there and differ only in prefix; else the body decides.
    pub(crate) fn read(body: &[u8]) -> Result<Self, xml::Refused> {
        let envelope = xml::read(body, &RULES)?;
        let body = match envelope.name.as_str() {
            "Envelope" => envelope.child("Body").ok_or(xml::Refused::NotXml)?,
            _ => return Err(xml::Refused::NotXml),
        };
        let action = body.children.first().ok_or(xml::Refused::NotXml)?;
        let arguments =
            action.children.iter().map(|Element { name, text, .. }| (name.clone(), text.clone()));
        Ok(Self { action: action.name.clone(), arguments: arguments.collect() })
    }

    /// The text of an argument; absent is `None`, empty is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(is, _)| is == name).map(|(_, text)| text.as_str())
    }

    /// An argument that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.text(name).ok_or_else(|| Fault::invalid_args(format!("{name} is missing")))
    }

    /// A `ui4`. Absent counts as 0, as MiniDLNA has taught clients; nonsense does not.
    pub(crate) fn number(&self, name: &str) -> Result<u32, Fault> {
        let Some(text) = self.text(name).map(str::trim) else { return Ok(0) };
        // "+5" is no ui4, whatever Rust's parser thinks.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let wrong = || Fault::invalid_args(format!("{name} is not a number: {text:.40}"));
        if !digits {
            return Err(wrong());
        }
        // Clients send 4294967295 and more for "all".
        Ok(text.parse::<u64>().map_or(u32::MAX, |number| u32::try_from(number).unwrap_or(u32::MAX)))
    }
}

/// A UPnP error: code and description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// UPnP's number.
    pub(crate) code: u16,
    /// A sentence.
    pub(crate) description: String,
}

impl Fault {
    /// An unknown action.
    pub(crate) fn invalid_action() -> Self {
        Self { code: 401, description: "Invalid Action".to_owned() }
    }

    /// A missing or wrong argument.
    pub(crate) fn invalid_args(description: String) -> Self {
        Self { code: 402, description }
    }

    /// Any other.
    pub(crate) fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>";
const TAIL: &str = "</s:Body></s:Envelope>\n";

/// The answer to an action of a service type (as the caller named it), arguments in the order of
/// the service's description. `document` goes first and is escaped already.
pub(crate) fn answer(
    service: &str,
    action: &str,
    document: Option<(&str, &str)>,
    arguments: &[(&str, String)],
) -> String {
    let size: usize = arguments.iter().map(|(_, value)| value.len() * 5 / 4 + 64).sum();
    let size = size + document.map_or(0, |(_, text)| text.len() + 64);
    let mut out = String::with_capacity(HEAD.len() + TAIL.len() + 256 + size);
    out.push_str(HEAD);
    let _ = write!(out, "<u:{action}Response xmlns:u=\"");
    escape(service, &mut out);
    out.push_str("\">");
    if let Some((name, text)) = document {
        let _ = write!(out, "<{name}>{text}</{name}>");
    }
    for (name, value) in arguments {
        let _ = write!(out, "<{name}>");
        escape(value, &mut out);
        let _ = write!(out, "</{name}>");
    }
    let _ = write!(out, "</u:{action}Response>");
    out.push_str(TAIL);
    out
}

/// The body that goes with HTTP 500.
pub(crate) fn fault(fault: &Fault) -> String {
    let mut out = String::with_capacity(640);
    out.push_str(HEAD);
    let _ = write!(
        out,
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
         <UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{}</errorCode><errorDescription>",
        fault.code
    );
    escape(&fault.description, &mut out);
    out.push_str("</errorDescription></UPnPError></detail></s:Fault>");
    out.push_str(TAIL);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSE: &str = r#"<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">
        <SOAP-ENV:Body><m:Browse xmlns:m="urn:schemas-upnp-org:service:ContentDirectory:1">
        <ObjectID>0</ObjectID><RequestedCount>5000</RequestedCount><Huge>99999999999</Huge><Bad>-1</Bad><Empty/></m:Browse></SOAP-ENV:Body></SOAP-ENV:Envelope>"#;

    #[test]
    fn reads_a_call_in_any_prefix() {
        let call = Call::read(BROWSE.as_bytes()).unwrap();
        assert_eq!(call.action, "Browse");
        assert_eq!(call.required("ObjectID").unwrap(), "0");
        assert_eq!(call.number("RequestedCount").unwrap(), 5000);
        assert_eq!(call.number("Huge").unwrap(), u32::MAX);
        assert_eq!(call.number("StartingIndex").unwrap(), 0);
        assert_eq!(call.text("Empty"), Some(""));
        for wrong in ["Bad", "Empty"] {
            assert_eq!(call.number(wrong).unwrap_err().code, 402, "{wrong}");
        }
        assert_eq!(call.required("Filter").unwrap_err().code, 402);
    }

    #[test]
    fn refuses_what_is_no_envelope() {
        for wrong in ["<a/>", "<Envelope/>", "<Envelope><Body/></Envelope>", "{}"] {
            assert!(Call::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn answers_and_faults_are_well_formed() {
        let (document, arguments) =
            (("Result", "&lt;a/&gt;"), [("More", "<a b=\"1\">&</a>".to_owned())]);
        let text = answer("urn:x:1", "Browse", Some(document), &arguments);
        let read = xml::read(text.as_bytes(), &RULES).unwrap();
        let answer = read.child("Body").and_then(|body| body.child("BrowseResponse")).unwrap();
        assert_eq!(answer.child("Result").unwrap().text, "<a/>");
        assert_eq!(answer.child("More").unwrap().text, "<a b=\"1\">&</a>");
        let text = fault(&Fault::new(701, "No such <object>"));
        let read = xml::read(text.as_bytes(), &RULES).unwrap();
        let detail = read.child("Body").and_then(|body| body.child("Fault")).unwrap();
        let error = detail.child("detail").and_then(|detail| detail.child("UPnPError")).unwrap();
        assert_eq!(error.child("errorCode").unwrap().text, "701");
    }
}
