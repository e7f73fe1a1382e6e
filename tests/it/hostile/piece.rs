//! Text and bytes as a hostile file gives them: short, however long they are.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// What becomes bytes. In text, `«name»` stands for what the directory has
/// under that name, and `«n»` in a repeated piece for its number from 0.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Piece {
    Text(String),
    /// One after the other.
    Joined(Vec<Piece>),
    Repeated(Repeated),
    Bytes(Bytes),
}

/// The same many times.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Repeated {
    repeat: Box<Piece>,
    times: usize,
    #[serde(default)]
    between: String,
}

/// What no JSON string can hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bytes {
    base64: String,
}

/// What stands for the names in guillemets.
pub(super) type Names = BTreeMap<&'static str, String>;

impl Piece {
    /// The bytes.
    ///
    /// # Panics
    /// For a name that the directory lacks.
    pub(super) fn bytes(&self, names: &Names) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(names, None, &mut bytes);
        bytes
    }

    /// The bytes, which must be UTF-8.
    pub(super) fn text(&self, names: &Names) -> String {
        String::from_utf8(self.bytes(names)).expect("paths and headers are UTF-8")
    }

    fn write(&self, names: &Names, number: Option<usize>, bytes: &mut Vec<u8>) {
        match self {
            Self::Text(text) => bytes.extend(named(text, names, number).into_bytes()),
            Self::Joined(pieces) => {
                for piece in pieces {
                    piece.write(names, number, bytes);
                }
            }
            Self::Repeated(repeated) => {
                for number in 0..repeated.times {
                    if number > 0 {
                        bytes.extend(repeated.between.as_bytes());
                    }
                    repeated.repeat.write(names, Some(number), bytes);
                }
            }
            Self::Bytes(piece) => {
                let decoded = STANDARD.decode(&piece.base64);
                bytes.extend(decoded.expect("`base64` holds base64"));
            }
        }
    }
}

/// The text with what its names stand for.
pub(super) fn named(text: &str, names: &Names, number: Option<usize>) -> String {
    if !text.contains('«') {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    if let Some(number) = number {
        text = text.replace("«n»", &number.to_string());
    }
    for (name, value) in names {
        text = text.replace(&format!("«{name}»"), value);
    }
    assert!(
        !text.contains('«'),
        "`{text}` has a name that stands for nothing"
    );
    text
}
