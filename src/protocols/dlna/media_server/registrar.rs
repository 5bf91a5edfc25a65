//! X_MS_MediaReceiverRegistrar:1: every device that gets this far is allowed. Who is not was
//! refused at the door.

use super::{
    super::soap::{Call, Fault},
    content_directory::Arguments,
};

/// Runs one action.
pub(crate) fn act(call: &Call) -> Result<Arguments, Fault> {
    match call.action.as_str() {
        "IsAuthorized" | "IsValidated" => Ok(vec![("Result", "1".to_owned())]),
        "RegisterDevice" => Ok(vec![("RegistrationRespMsg", String::new())]),
        _ => Err(Fault::invalid_action()),
    }
}
