//! The door through which the fuzz targets reach the readers of this face. No part of its interface.

use super::{call, format::Format, id, params::Params};

/// Reads a query and a form as a request's, and everything in them that is looked at before the
/// method is.
pub fn query(query: &str, form: &str) {
    let params = Params::read(query, form);
    let _ = Format::of(&params);
    let _ = call::credentials(&params);
    for name in ["id", "size", "offset", "submission", "time", "u", "f"] {
        let _ = (params.text(name), params.required("id").is_ok());
        let _ = (params.number::<i64>(name), params.number::<f64>(name), params.flag(name));
        let _ = (params.count(&[name], 10, 500), params.offset(name));
        for text in params.all(name) {
            let _ = (id::item(text), id::picture_hash(text), id::library(text));
        }
    }
}
