//! What of an answer the platform carries.
//!
//! A body travels as a string inside of JSON, where each quote and backslash
//! takes two bytes; control characters are escaped in it already. The platform
//! drops a response that is too large, and the client sees a failure whatever
//! was written.

use std::io::{self, Write};

use serde::Serialize;

/// The bytes of a body that the platform carries: 6 MB for the response of a
/// function, of which some are kept for the headers.
pub const CARRIED: usize = 6_000_000;

/// Whether a body fits.
pub(super) fn is_carried(text: &str) -> bool {
    weight(text.as_bytes()) <= CARRIED
}

/// A body as JSON, if it fits. What would not is written no further than that.
pub(super) fn carried(body: &impl Serialize) -> Option<String> {
    let mut text = Bounded::default();
    serde_json::to_writer(&mut text, body).ok()?;
    String::from_utf8(text.bytes).ok()
}

/// The bytes that JSON takes inside of the response of a function.
fn weight(text: &[u8]) -> usize {
    let escaped = text.iter().filter(|byte| matches!(byte, b'"' | b'\\'));
    text.len() + escaped.count()
}

/// The text of a body, as far as it is carried.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    weight: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.weight = self.weight.saturating_add(weight(bytes));
        if self.weight > CARRIED {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
    use lambda_http::aws_lambda_events::encodings::Body;

    use super::*;

    /// The bytes of the response that the platform is handed.
    fn handed(body: &str) -> usize {
        let mut response = ApiGatewayV2httpResponse::default();
        response.body = Some(Body::Text(body.to_owned()));
        let empty = r#"{"statusCode":0,"headers":{},"multiValueHeaders":{},"body":"","isBase64Encoded":false,"cookies":[]}"#;
        serde_json::to_string(&response).unwrap().len() - empty.len()
    }

    #[test]
    fn the_weight_is_what_the_platform_counts() {
        for text in ["plain", "é\u{1F600}", "\"\\/", "\u{1}\u{1f}\n\t\u{7f}", ""] {
            let body = serde_json::to_string(text).unwrap();
            assert_eq!(weight(body.as_bytes()), handed(&body), "{body}");
        }
    }

    #[test]
    fn a_body_is_carried_up_to_the_last_byte() {
        // Two quotes, each with a backslash in the response.
        let room = CARRIED - 4;
        for (text, fits) in [("a".repeat(room), true), ("a".repeat(room + 1), false)] {
            let written = carried(&text);
            assert_eq!(written.is_some(), fits);
            assert_eq!(is_carried(&serde_json::to_string(&text).unwrap()), fits);
            assert!(written.is_none_or(|written| written == format!("\"{text}\"")));
        }
        assert_eq!(carried(&"\"".repeat(room / 4 + 1)), None);
    }
}
