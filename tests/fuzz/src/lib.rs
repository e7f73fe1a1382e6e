//! What holds whatever is sent: one module for each kind of input, whose
//! `check` takes any bytes and fails where a property does not hold.
//!
//! The same functions run in `cargo test`, over the corpus and what a seeded
//! mutation makes of it (`tests/it/fuzz.rs`), and under libFuzzer for as long
//! as one likes (`scripts/fuzz.sh`). They know the public face of `shared`
//! alone and keep nothing between two inputs.
//!
//! ```ignore
//! fuzz::filter::check(b"userName eq \"bjensen\"");
//! ```

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a failure here is a finding"
)]

pub mod bulk;
pub mod cursor;
pub mod event;
pub mod filter;
pub mod patch;
pub mod path;
pub mod resource;
pub mod search;

use std::sync::LazyLock;

use serde_json::{Value, json};
use shared::scim::error::MAX_DETAIL;
use shared::scim::schema::catalogue;
use shared::scim::{Attributes, ResourceId, ResourceType, ScimError};

/// Takes any bytes; panics where a property does not hold.
pub type Check = fn(&[u8]);

/// The targets by name: that of the module, of the corpus and of the program.
pub const TARGETS: [(&str, Check); 8] = [
    ("bulk", bulk::check),
    ("cursor", cursor::check),
    ("event", event::check),
    ("filter", filter::check),
    ("patch", patch::check),
    ("path", path::check),
    ("resource", resource::check),
    ("search", search::check),
];

/// Resources that filters and PATCH meet: one with little, one with much.
pub(crate) fn directory(resource_type: &ResourceType) -> &'static [Attributes] {
    static USERS: LazyLock<Vec<Attributes>> = LazyLock::new(|| {
        let little = json!({"userName": "little"});
        let much = json!({
            "userName": "bjensen", "externalId": "bjensen", "displayName": "Babs",
            "title": "Tour Guide", "active": true, "nickName": "",
            "name": {"familyName": "Jensen", "givenName": "Barbara"},
            "emails": [
                {"value": "w@example.com", "type": "work", "primary": true},
                {"value": "h@example.com", "type": "home"},
                {"value": "plain@example.com"},
            ],
            "photos": [{"value": "https://example.com/p.png", "type": "photo"}],
            "addresses": [{"type": "work", "locality": "Hollywood", "country": "US"}],
            extension("User", 0): {"employeeNumber": "7", "manager": {"value": MEMBERS[0]}},
        });
        vec![canonical("User", little), canonical("User", much)]
    });
    static GROUPS: LazyLock<Vec<Attributes>> = LazyLock::new(|| {
        let members = [
            json!({"value": MEMBERS[0], "type": "User"}),
            json!({"value": MEMBERS[1], "type": "Group"}),
        ];
        vec![
            canonical("Group", json!({"displayName": "Empty"})),
            canonical("Group", json!({"displayName": "Crew", "members": members})),
        ]
    });
    match resource_type.name.as_str() {
        "User" => &USERS,
        "Group" => &GROUPS,
        _ => &[],
    }
}

/// Those of the group in [`directory`].
pub(crate) const MEMBERS: [&str; 2] = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
];

pub(crate) fn by_name(name: &str) -> &'static ResourceType {
    catalogue()
        .by_name(name)
        .expect("the type is in the catalogue")
}

/// A body with the `schemas` that it must have.
pub(crate) fn with_schemas(resource_type: &ResourceType, attributes: &Attributes) -> Value {
    let mut body = attributes.clone();
    body.insert("schemas".to_owned(), json!([resource_type.schema.id]));
    Value::Object(body)
}

/// The id of every resource that is changed.
pub(crate) fn own_id() -> ResourceId {
    ResourceId::from_random([7; 16])
}

/// An error that a client may see: of its own fault, with one of these
/// keywords, and no longer than a row of an answer can be.
pub(crate) fn refused(error: &ScimError, keywords: &[&str]) {
    assert_eq!(error.status(), 400, "{error}");
    let keyword = error.scim_type().map_or("none", |keyword| keyword.as_str());
    assert!(keywords.contains(&keyword), "{error}");
    bounded(error);
}

pub(crate) fn bounded(error: &ScimError) {
    assert!(!error.detail().is_empty());
    assert!(error.detail().len() <= MAX_DETAIL + '…'.len_utf8());
    let length = error.to_json().to_string().len();
    // Quotation marks and control characters are escaped, in detail and place.
    assert!(length <= 16 * MAX_DETAIL, "{length} bytes");
}

fn extension(name: &str, number: usize) -> String {
    by_name(name).extensions[number].schema.id.clone()
}

fn canonical(name: &str, body: Value) -> Attributes {
    let resource_type = by_name(name);
    let body = body.as_object().cloned().unwrap_or_default();
    shared::scim::resource::check(resource_type, &with_schemas(resource_type, &body))
        .expect("it is legal")
}
