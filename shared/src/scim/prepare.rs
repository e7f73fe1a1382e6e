//! The form in which two values of an attribute are compared.
//!
//! A lookup is keyed by it and a filter's `eq` compares by it, so the two can
//! never disagree about whether a value is taken. What clients wrote is kept
//! and shown as written; only comparisons see this form.
//!
//! ```text
//! userName     "ＢＪensen"  → "bjensen"      width and letter case do not matter
//! displayName  "Straße"    → "strasse"      letter case does not matter
//! externalId   "Abc"       → "Abc"          everything matters
//! ```
//!
//! It must not know where a value stands or whether it is legal: every string
//! has a prepared form.

use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use precis_profiles::{UsernameCaseMapped, precis_core::profile::PrecisFastInvocation as _};
use unicode_normalization::UnicodeNormalization as _;

use super::schema::{Attribute, Uniqueness};

/// The longest string that PRECIS sees, in bytes. Its contextual rules look
/// through the whole string once for each of some characters, and a name is
/// far shorter.
const PRECIS_LIMIT: usize = 1024;

const FOLDER: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Prepares a value of an attribute for comparison. Preparing twice is
/// preparing once.
///
/// - Case exact: the text itself.
/// - Unique in the service provider, such as `userName`: PRECIS
///   UsernameCaseMapped (RFC 7644 §5, RFC 8265 §3.3) where that admits the
///   text, else compatibility caseless form without outer white space. Never
///   refused: IdPs send names with spaces and symbols.
/// - Other: canonical caseless form (Unicode §3.13).
pub fn prepare(attribute: &Attribute, text: &str) -> String {
    if attribute.case_exact {
        text.to_owned()
    } else if attribute.uniqueness == Uniqueness::Server {
        username(text)
    } else if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        caseless(text)
    }
}

// What PRECIS refuses is folded and offered again: its tables know some letters
// in one case only, and both cases must come out alike.
// White space is cut off first: with it PRECIS refuses what it admits without,
// and folding says more alike than PRECIS does.
fn username(text: &str) -> String {
    let text = text.trim();
    precis(text).unwrap_or_else(|| {
        let folded = FOLDER
            .fold_string(&text.nfd().collect::<String>())
            .nfkc()
            .collect::<String>();
        let folded = FOLDER.fold_string(&folded).nfkc().collect::<String>();
        let folded = folded.trim();
        precis(folded).unwrap_or_else(|| folded.to_owned())
    })
}

fn precis(text: &str) -> Option<String> {
    let short = text.len() <= PRECIS_LIMIT;
    short
        .then(|| UsernameCaseMapped::enforce(text).ok())
        .flatten()
        .map(Cow::into_owned)
}

fn caseless(text: &str) -> String {
    FOLDER
        .fold_string(&text.nfd().collect::<String>())
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scim::schema::catalogue;

    fn prepared(attribute: &str, text: &str) -> String {
        prepare(
            catalogue()
                .by_name("User")
                .unwrap()
                .attribute(attribute)
                .unwrap(),
            text,
        )
    }

    #[test]
    fn user_names_that_look_alike_prepare_alike() {
        for (one, other) in [
            ("BJensen", "bjensen"),
            ("\u{ff22}\u{ff2a}ensen", "bjensen"),
            ("Zo\u{eb}", "zoe\u{308}"),
            ("\u{c9}lodie@Example.com", "e\u{301}lodie@example.com"),
            // Not admitted by PRECIS:
            (" Barbara Jensen ", "barbara jensen"),
            ("STRASSE 1", "stra\u{df}e 1"),
            ("bjensen\n", "bjensen"),
            (" Stra\u{df}e", "stra\u{df}e"),
            ("\u{2126} lab", "\u{3c9} LAB"),
            // Admitted in one letter case only:
            ("\u{13f8}", "\u{13f0}"),
        ] {
            assert_eq!(
                prepared("userName", one),
                prepared("userName", other),
                "{one}"
            );
        }
        for (one, other) in [
            ("bjensen", "bjensen2"),
            ("a b", "ab"),
            ("a.b", "ab"),
            ("", "a"),
        ] {
            assert_ne!(
                prepared("userName", one),
                prepared("userName", other),
                "{one}"
            );
        }
    }

    #[test]
    fn letter_case_matters_where_the_schema_says_so() {
        assert_eq!(prepared("externalId", "Abc"), "Abc");
        assert_eq!(
            prepared("displayName", "Stra\u{df}e \u{c9}"),
            "strasse \u{e9}"
        );
        assert_eq!(prepared("displayName", " A "), " a ");
        assert_eq!(
            prepared("displayName", "E\u{301}"),
            prepared("displayName", "\u{e9}")
        );
    }

    #[test]
    fn a_long_name_of_characters_with_contextual_rules_is_prepared_at_once() {
        // Each middle dot would make PRECIS search the whole string.
        let name = format!("{}\u{3042}", "\u{30fb}".repeat(200_000));
        assert_eq!(prepared("userName", &name), name);
    }

    proptest! {
        #[test]
        fn preparing_twice_is_preparing_once(text in any::<String>()) {
            for attribute in ["userName", "displayName", "externalId"] {
                let once = prepared(attribute, &text);
                prop_assert_eq!(prepared(attribute, &once), once, "{}", attribute);
            }
        }

        #[test]
        fn letter_case_of_ascii_never_matters(text in "[ -~]{0,20}") {
            for attribute in ["userName", "displayName"] {
                let upper = prepared(attribute, &text.to_ascii_uppercase());
                let lower = prepared(attribute, &text.to_ascii_lowercase());
                prop_assert_eq!(upper, lower, "{}", attribute);
            }
        }
    }
}
