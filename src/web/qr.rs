//! QR codes as SVG.

use qrcode::{EcLevel, QrCode, render::svg};

use crate::{Error, Result};

/// Longer texts make codes that phones can't read off a screen.
const MAX_TEXT: usize = 500;

/// The code of a text, black on white with its quiet zone, without an XML declaration.
pub(super) fn svg(text: &str) -> Result<String> {
    if text.is_empty() || MAX_TEXT < text.len() {
        return Err(Error::Invalid("A QR code holds 1 to 500 characters".to_owned()));
    }
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| Error::Invalid(error.to_string()))?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(160, 160).build();
    let start = image.find("<svg").unwrap_or_default();
    Ok(image[start..].to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn draws_and_refuses() {
        let image = super::svg("http://192.168.1.7:4040").unwrap();
        assert!(image.starts_with("<svg") && image.contains("path"));
        assert!(super::svg("").is_err());
        assert!(super::svg(&"x".repeat(501)).is_err());
    }
}
