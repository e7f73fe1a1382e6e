//! What the files of `shared/schemas` say holds, whatever they say: every
//! resource type and every attribute of the catalogue is written, read, spoilt.
//!
//! Nothing here knows an attribute by name, save the sub-attributes that RFC
//! 7643 §2.4 gives a meaning of their own: `value`, `type`, `$ref`, `primary`.

mod sample;

use std::collections::BTreeMap;

use harness::{Client, Stack, encode, patch};
use serde_json::{Map, Value, json};
use shared::scim::ResourceType;
use shared::scim::reference::carries_references;
use shared::scim::schema::{Attribute, Mutability, Returned, Schema, Type, Uniqueness, catalogue};

use sample::{Samples, wrong};

/// How often each resource type is filled at random.
const ROUNDS: usize = 12;

/// A place in a resource: the extension, the attribute, the sub-attribute.
#[derive(Clone, Copy)]
struct Place {
    extension: Option<&'static Schema>,
    attribute: &'static Attribute,
    sub: Option<&'static Attribute>,
}

impl Place {
    fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// As a filter or a PATCH names it.
    fn path(&self) -> String {
        let urn = self.extension.map(|schema| format!("{}:", schema.id));
        let sub = self.sub.map(|sub| format!(".{}", sub.name));
        format!(
            "{}{}{}",
            urn.unwrap_or_default(),
            self.attribute.name,
            sub.unwrap_or_default()
        )
    }

    /// Puts a value there: into the first element of a list.
    fn put(&self, body: &mut Value, value: Value) {
        let within = match self.extension {
            Some(schema) => &mut body[schema.id.as_str()],
            None => body,
        };
        let place = &mut within[self.attribute.name.as_str()];
        match self.sub {
            None if self.attribute.multi_valued => *place = json!([value]),
            None => *place = value,
            Some(sub) if self.attribute.multi_valued => place[0][sub.name.as_str()] = value,
            Some(sub) => place[sub.name.as_str()] = value,
        }
    }

    /// What an error must name: `emails[0].value`, or with a URN before it.
    fn named(&self) -> String {
        let index = if self.attribute.multi_valued {
            "[0]"
        } else {
            ""
        };
        let path = self.path();
        match self.sub {
            Some(sub) => path.replace(&format!(".{}", sub.name), &format!("{index}.{}", sub.name)),
            None => format!("{path}{index}"),
        }
    }
}

/// Every attribute of a type's schemas, the common ones but `schemas` included.
fn attributes(of: &'static ResourceType) -> Vec<Place> {
    let place = |extension, attribute| Place {
        extension,
        attribute,
        sub: None,
    };
    let common = catalogue().common.attributes.iter();
    let common = common.filter(|attribute| attribute.name != "schemas");
    let core = common.chain(&of.schema.attributes);
    let mut found: Vec<Place> = core.map(|attribute| place(None, attribute)).collect();
    for extension in &of.extensions {
        let inner = extension.schema.attributes.iter();
        found.extend(inner.map(|attribute| place(Some(extension.schema), attribute)));
    }
    found
}

/// Attributes and sub-attributes that a client may write.
fn writable(of: &'static ResourceType) -> Vec<Place> {
    let mut found = Vec::new();
    for place in attributes(of) {
        if place.attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        found.push(place);
        let subs = place.attribute.sub_attributes.iter();
        let subs = subs.filter(|sub| sub.mutability != Mutability::ReadOnly && sub.name != "$ref");
        found.extend(subs.map(|sub| Place {
            sub: Some(sub),
            ..place
        }));
    }
    found
}

/// A stack with one resource of each type for others to refer to.
async fn world(seed: u64) -> (Stack, Client, Samples) {
    let stack = Stack::seeded(seed).await;
    let client = stack.client();
    let mut samples = Samples::new(BTreeMap::new());
    let mut targets = BTreeMap::new();
    for known in &catalogue().resource_types {
        let id = client.create(&known.endpoint, samples.least(known)).await;
        targets.insert(known.name.as_str(), id);
    }
    (stack, client, Samples::new(targets))
}

/// Everything sent is shown, save what is never returned, and nothing else is.
fn assert_shown(
    declared: &[Attribute],
    sent: &Value,
    shown: &Value,
    place: &str,
    filled_in: &[&str],
) {
    for attribute in declared {
        let name = attribute.name.as_str();
        let place = format!("{place}{name}");
        let (sent, shown) = (sent.get(name), shown.get(name));
        let derived = attribute.mutability == Mutability::ReadOnly || filled_in.contains(&name);
        if attribute.returned == Returned::Never || attribute.returned == Returned::Request {
            assert_eq!(shown, None, "{place}");
            continue;
        }
        let Some(sent) = sent else {
            assert!(
                shown.is_none() || derived,
                "{place}: {shown:?} was not sent"
            );
            continue;
        };
        assert!(shown.is_some(), "{place}: {sent} is not shown");
        let shown = shown.unwrap_or(&Value::Null);
        // Beside a reference the service says where it leads.
        let filled_in: &[&str] = match carries_references(attribute) {
            true => &["$ref", "type"],
            false => &[],
        };
        match (sent, shown) {
            (Value::Array(sent), Value::Array(shown)) => {
                assert_eq!(sent.len(), shown.len(), "{place}");
                for element in sent {
                    let same = |other: &&Value| match attribute.kind {
                        Type::Complex if element.get("value").is_some() => {
                            other["value"] == element["value"]
                        }
                        Type::Complex => {
                            let mut parts = element.as_object().unwrap().iter();
                            parts.all(|(name, value)| other[name] == *value)
                        }
                        _ => *other == element,
                    };
                    let found = shown.iter().find(same);
                    assert!(found.is_some(), "{place}: {element} is not shown");
                    let found = found.unwrap_or(&Value::Null);
                    assert_shown(&attribute.sub_attributes, element, found, &place, filled_in);
                }
            }
            (Value::Object(_), _) => {
                assert_shown(
                    &attribute.sub_attributes,
                    sent,
                    shown,
                    &format!("{place}."),
                    filled_in,
                );
            }
            _ => assert_eq!(sent, shown, "{place}"),
        }
    }
}

fn assert_all_shown(of: &'static ResourceType, sent: &Value, shown: &Value) {
    let common = &catalogue().common.attributes;
    let common: Vec<Attribute> = common
        .iter()
        .filter(|attribute| attribute.mutability != Mutability::ReadOnly)
        .filter(|attribute| attribute.name != "schemas")
        .cloned()
        .collect();
    assert_shown(&common, sent, shown, "", &[]);
    assert_shown(&of.schema.attributes, sent, shown, "", &[]);
    let nothing = Value::Object(Map::new());
    for extension in &of.extensions {
        let urn = extension.schema.id.as_str();
        let [sent, shown] = [sent, shown].map(|body| body.get(urn).unwrap_or(&nothing));
        assert_shown(
            &extension.schema.attributes,
            sent,
            shown,
            &format!("{urn}:"),
            &[],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_the_schemas_allow_is_kept_and_shown() {
    let (stack, client, mut samples) = world(71).await;
    for known in &catalogue().resource_types {
        for round in 0..ROUNDS {
            let body = match round {
                0 => samples.least(known),
                1 => samples.full(known),
                _ => samples.some(known),
            };
            let created = client.post(&known.endpoint, body.clone()).await;
            assert_eq!(created.status, 201, "{body}: {}", created.body);
            assert_all_shown(known, &body, &created.body);
            let path = format!(
                "{}/{}",
                known.endpoint,
                created.body["id"].as_str().unwrap()
            );
            let read = client.get(&path).await;
            assert_eq!(read.body, created.body);
            // What was read can be sent back, secrets and all: nothing changes.
            let replaced = client.put(&path, read.body.clone()).await;
            assert_eq!(replaced.status, 200, "{}: {}", read.body, replaced.body);
            assert_eq!(replaced.body, read.body);
        }
    }
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_type_is_refused_by_name() {
    let (stack, client, mut samples) = world(72).await;
    for known in &catalogue().resource_types {
        let path = {
            let id = client.create(&known.endpoint, samples.full(known)).await;
            format!("{}/{id}", known.endpoint)
        };
        for place in writable(known) {
            for value in wrong(place.leaf()) {
                let mut body = samples.full(known);
                place.put(&mut body, value.clone());
                let refused = [
                    client.post(&known.endpoint, body.clone()).await,
                    client.put(&path, body).await,
                ];
                let named = place.named();
                for refused in refused {
                    let told = (refused.status, &refused.body["scimType"]);
                    assert_eq!(
                        told,
                        (400, &json!("invalidValue")),
                        "{named} {value}: {}",
                        refused.body
                    );
                    let detail = refused.body["detail"].as_str().unwrap();
                    assert!(
                        detail.starts_with(&format!("`{named}`: ")),
                        "{named}: {detail}"
                    );
                }
                let operation = json!({"op": "replace", "path": place.path(), "value": value});
                let refused = client.patch(&path, patch(&[operation])).await;
                let told = (refused.status, &refused.body["scimType"]);
                assert_eq!(
                    told,
                    (400, &json!("invalidValue")),
                    "{named} {value}: {}",
                    refused.body
                );
                let detail = refused.body["detail"].as_str().unwrap();
                assert!(detail.contains(&place.leaf().name), "{named}: {detail}");
            }
        }
    }
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn every_characteristic_is_enforced() {
    let (stack, client, mut samples) = world(73).await;
    for known in &catalogue().resource_types {
        let body = samples.full(known);
        let id = client.create(&known.endpoint, body.clone()).await;
        let path = format!("{}/{id}", known.endpoint);
        for place in attributes(known) {
            let Attribute { name, .. } = place.attribute;
            let within = place
                .extension
                .map_or(&body, |schema| &body[schema.id.as_str()]);
            let sent = &within[name.as_str()];
            match place.attribute.mutability {
                Mutability::ReadOnly => {
                    let operation = json!({"op": "replace", "path": place.path(), "value": "x"});
                    let refused = client.patch(&path, patch(&[operation])).await;
                    assert_eq!(refused.body["scimType"], "mutability", "{}", place.path());
                }
                Mutability::Immutable => {
                    let mut other = body.clone();
                    place.put(&mut other, samples.other(place.attribute, sent));
                    let refused = client.put(&path, other).await;
                    assert_eq!(refused.body["scimType"], "mutability", "{}", place.path());
                }
                Mutability::ReadWrite | Mutability::WriteOnly => {}
            }
            if place.attribute.required && place.attribute.mutability != Mutability::ReadOnly {
                let mut without = samples.full(known);
                place.put(&mut without, Value::Null);
                // An extension that is left empty is left out.
                let alone = place
                    .extension
                    .is_some_and(|schema| schema.attributes.len() == 1);
                if alone {
                    continue;
                }
                let refused = client.post(&known.endpoint, without).await;
                assert_eq!(refused.body["scimType"], "invalidValue", "{}", place.path());
                let detail = refused.body["detail"].as_str().unwrap();
                assert!(detail.contains(name), "{detail}");
                let operation = json!({"op": "remove", "path": place.path()});
                let refused = client.patch(&path, patch(&[operation])).await;
                assert_eq!(refused.body["scimType"], "mutability", "{}", place.path());
            }
            if place.attribute.returned == Returned::Never {
                let filter = encode(&format!("{} pr", place.path()));
                let refused = client
                    .get(&format!("{}?filter={filter}", known.endpoint))
                    .await;
                assert_eq!(refused.status, 400, "{}", place.path());
                let asked = client
                    .get(&format!("{path}?attributes={}", encode(&place.path())))
                    .await;
                let shown = place
                    .extension
                    .map_or(&asked.body, |schema| &asked.body[schema.id.as_str()]);
                assert_eq!(shown.get(name), None, "{}", place.path());
            }
            if place.attribute.closed {
                let mut other = samples.full(known);
                place.put(&mut other, json!("something else"));
                let refused = client.post(&known.endpoint, other).await;
                assert_eq!(refused.body["scimType"], "invalidValue", "{}", place.path());
            }
            if place.attribute.uniqueness != Uniqueness::None && sent.is_string() {
                let mut same = samples.full(known);
                place.put(&mut same, sent.clone());
                let refused = client.post(&known.endpoint, same).await;
                let told = (refused.status, &refused.body["scimType"]);
                assert_eq!(told, (409, &json!("uniqueness")), "{}", place.path());
                assert!(
                    refused.body["detail"]
                        .as_str()
                        .unwrap()
                        .contains(sent.as_str().unwrap())
                );
            }
        }
    }
    stack.audit().await;
}

#[tokio::test(start_paused = true)]
async fn every_text_is_found_by_filter_and_letter_case_counts_as_declared() {
    let (stack, client, mut samples) = world(74).await;
    for known in &catalogue().resource_types {
        let body = samples.full(known);
        let id = client.create(&known.endpoint, body.clone()).await;
        for place in writable(known) {
            let leaf = place.leaf();
            if leaf.returned == Returned::Never
                || !matches!(leaf.kind, Type::String | Type::Reference)
                || place.attribute.kind == Type::Complex && place.sub.is_none()
            {
                continue;
            }
            let within = place
                .extension
                .map_or(&body, |schema| &body[schema.id.as_str()]);
            let mut value = &within[place.attribute.name.as_str()];
            if place.attribute.multi_valued {
                value = &value[0];
            }
            if let Some(sub) = place.sub {
                value = &value[sub.name.as_str()];
            }
            let text = value.as_str().unwrap();
            let swapped = text.to_uppercase();
            for (operand, found) in [
                (text, true),
                (&swapped, !leaf.case_exact || text == swapped),
            ] {
                let filter = encode(&format!("{} eq {}", place.path(), json!(operand)));
                let list = client
                    .get(&format!("{}?filter={filter}&attributes=id", known.endpoint))
                    .await;
                assert_eq!(list.status, 200, "{}", list.body);
                let ids = list.body["Resources"].as_array().unwrap().iter();
                let hit = ids.clone().any(|one| one["id"] == json!(id));
                assert_eq!(hit, found, "{} eq {operand}", place.path());
            }
        }
    }
    stack.audit().await;
}
