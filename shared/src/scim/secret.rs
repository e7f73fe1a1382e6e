//! Whether a message says anything of what no client may learn.
//!
//! It looks at the text and not at its meaning: what is kept of a message can be
//! decided before it is known what it asks for, and whether it is legal. It may
//! see a secret where there is none, never the other way round.
//!
//! ```text
//! {"userName": "bjensen", "PassWord": "t1meMa$heen"}  → true
//! ```

use std::sync::LazyLock;

use super::schema::catalogue;

/// The names of the attributes whose values are secret.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let schemas = catalogue().schemas.iter();
    let attributes = schemas.flat_map(|schema| &schema.attributes);
    let attributes =
        attributes.flat_map(|attribute| [attribute].into_iter().chain(&attribute.sub_attributes));
    let secret = attributes.filter(|attribute| attribute.is_secret());
    secret.map(|attribute| attribute.name.as_str()).collect()
});

/// The beginning of an escape such as `\u0070`, a letter of a name that is not
/// to be recognised.
const ESCAPE: &[u8] = br"\u00";

/// Whether the name of a secret attribute occurs in the text of a JSON message,
/// in any letter case, or a character is escaped that a name may have and that
/// needs no escape.
pub fn is_mentioned(message: &[u8]) -> bool {
    let mut rest = message;
    while let Some((first, tail)) = rest.split_first() {
        let found = match first {
            b'\\' => {
                let escaped = rest.strip_prefix(ESCAPE).and_then(|digits| digits.first());
                escaped.is_some_and(|digit| (b'2'..=b'7').contains(digit))
            }
            _ => NAMES.iter().any(|name| {
                let begun = rest.get(..name.len());
                begun.is_some_and(|begun| begun.eq_ignore_ascii_case(name.as_bytes()))
            }),
        };
        if found {
            return true;
        }
        rest = tail;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::Attribute;

    #[test]
    fn the_name_of_a_secret_is_seen_however_it_is_written() {
        let mentioned = [
            r#"{"userName":"a","password":"b"}"#,
            r#"{"PassWord":"b"}"#,
            r#"{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:password"}"#,
            r#"{"p\u0061ssword":"b"}"#,
            r#"{"\u0050ASSWORD":"b"}"#,
            r"password",
        ];
        for text in mentioned {
            assert!(is_mentioned(text.as_bytes()), "{text}");
        }
        let others = [
            r#"{"userName":"passwor"}"#,
            r#"{"displayName":"J\u00e9r\u00f4me \u0142 \ud83d\ude00 \n\u0007"}"#,
            r"\u00",
            "",
        ];
        for text in others {
            assert!(!is_mentioned(text.as_bytes()), "{text}");
        }
    }

    /// Every attribute that the schemas keep from all clients, looked for where
    /// it is defined.
    #[test]
    fn every_secret_of_the_catalogue_has_its_name_here() {
        fn secrets(attributes: &[Attribute], found: &mut Vec<String>) {
            for attribute in attributes {
                if attribute.is_secret() {
                    found.push(attribute.name.clone());
                }
                secrets(&attribute.sub_attributes, found);
            }
        }
        let mut found = Vec::new();
        for schema in &catalogue().schemas {
            secrets(&schema.attributes, &mut found);
        }
        secrets(&catalogue().common.attributes, &mut found);
        assert!(found.contains(&"password".to_owned()));
        for name in found {
            assert!(is_mentioned(name.to_uppercase().as_bytes()), "{name}");
        }
    }
}
