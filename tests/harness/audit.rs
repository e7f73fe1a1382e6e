//! The invariants of the table, checked on its raw items once no request is in
//! flight.
//!
//! It reads the items as DynamoDB's JSON and knows their layout by itself: the
//! code that wrote them must not be the judge of what it wrote. Only what the
//! files of the resource types declare is taken from the catalogue.
//!
//! - Every visible membership names a group and a member that exist, and the
//!   member's `in` names the group.
//! - Every lookup names an owner of its type, and every resource has as many
//!   lookups of each attribute as it has values.
//! - A type's counter slots add up to the number of its resources.
//! - No debris is left, no change is unfinished.

use std::collections::{BTreeMap, BTreeSet};
use std::{iter, slice};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use shared::scim::schema::{Uniqueness, catalogue};

/// An item in DynamoDB's JSON.
type Item = Map<String, Value>;

#[derive(Default)]
struct Tenant<'a> {
    /// By id: type and item.
    resources: BTreeMap<&'a str, (&'a str, &'a Item)>,
    /// Group id and membership.
    memberships: Vec<(&'a str, &'a Item)>,
    /// Type, attribute, item.
    lookups: Vec<(&'a str, &'a str, &'a Item)>,
    /// By type.
    counters: BTreeMap<&'a str, i64>,
    left: Vec<&'a str>,
}

/// What is broken, one line each; empty when all is well.
pub fn audit(items: &[Item]) -> Vec<String> {
    let mut tenants: BTreeMap<&str, Tenant<'_>> = BTreeMap::new();
    for item in items {
        let pk = text(item, "pk");
        let mut parts = pk.split('#');
        let tenant = tenants.entry(parts.next().unwrap_or_default()).or_default();
        match parts.collect::<Vec<_>>().as_slice() {
            ["members", group] => tenant.memberships.push((group, item)),
            // The secret of the table, below no tenant.
            ["secret"] if pk == "#secret" => {}
            ["graveyard" | "debris"] => tenant.left.push(pk),
            [kind, "count"] => {
                *tenant.counters.entry(kind).or_default() += number(item, "n").unwrap_or(0);
            }
            [kind, shard] if shard.len() == 1 => {
                tenant.resources.insert(text(item, "sk"), (kind, item));
            }
            [kind, attribute, _] if item.contains_key("owner") => {
                tenant.lookups.push((kind, attribute, item));
            }
            // Records that end by themselves.
            _ if item.contains_key("expires") => {}
            _ => tenant.left.push(pk),
        }
    }
    let mut broken = Vec::new();
    for (name, tenant) in &tenants {
        let mut found = tenant
            .left
            .iter()
            .map(|pk| format!("`{pk}` is left over"))
            .collect();
        tenant.check_memberships(&mut found);
        tenant.check_lookups(&mut found);
        tenant.check_counters(&mut found);
        broken.extend(
            found
                .into_iter()
                .map(|line| format!("tenant {name}: {line}")),
        );
    }
    broken
}

impl Tenant<'_> {
    fn check_memberships(&self, broken: &mut Vec<String>) {
        for (id, (kind, item)) in &self.resources {
            if item.contains_key("open") {
                broken.push(format!("{kind} {id} has unfinished changes"));
            }
        }
        for (group, item) in &self.memberships {
            let member = text(item, "sk");
            let until = number(item, "until");
            let Some(("Group", header)) = self.resources.get(group) else {
                if until.is_none() {
                    broken.push(format!("member {member} of group {group}, which is gone"));
                }
                continue;
            };
            let rev = number(header, "rev").unwrap_or(0);
            let begun = number(item, "since").is_some_and(|since| since <= rev);
            if !begun || until.is_some_and(|until| until <= rev) {
                continue;
            }
            match self.resources.get(member) {
                None => broken.push(format!(
                    "group {group} shows {member}, which does not exist"
                )),
                Some((kind, found)) => {
                    if *kind != text(item, "type") {
                        broken.push(format!(
                            "group {group} takes {kind} {member} for another type"
                        ));
                    }
                    if !groups_of(found).contains(*group) {
                        broken.push(format!(
                            "{kind} {member} does not know of its group {group}"
                        ));
                    }
                }
            }
        }
    }

    fn check_lookups(&self, broken: &mut Vec<String>) {
        let mut kept: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for (kind, attribute, item) in &self.lookups {
            let owner = text(item, "owner");
            *kept.entry((owner, (*attribute).to_owned())).or_default() += 1;
            if self
                .resources
                .get(owner)
                .is_none_or(|(found, _)| found != kind)
            {
                broken.push(format!(
                    "{attribute} leads to {kind} {owner}, which does not exist"
                ));
            }
            let sort = text(item, "sk");
            let unique = declared(kind).any(|path| path.unique && path.name() == *attribute);
            if sort != if unique { "=" } else { owner } {
                broken.push(format!(
                    "{attribute} of {kind} {owner} has sort key `{sort}`"
                ));
            }
        }
        for (id, (kind, item)) in &self.resources {
            let document: Value = serde_json::from_str(text(item, "doc")).unwrap_or_default();
            for path in declared(kind) {
                // What differs in letter case only may be one value.
                let values: BTreeSet<&str> = path.values(&document).collect();
                let folded: BTreeSet<String> =
                    values.iter().map(|value| value.to_lowercase()).collect();
                let name = path.name();
                let found = kept.remove(&(*id, name.clone())).unwrap_or(0);
                if !(folded.len().min(1)..=values.len()).contains(&found) {
                    broken.push(format!("{kind} {id} has {found} lookups of {name}"));
                }
            }
        }
        for ((owner, attribute), found) in kept {
            if !self.resources.contains_key(owner) {
                continue;
            }
            broken.push(format!("{owner} has {found} lookups of {attribute}"));
        }
    }

    fn check_counters(&self, broken: &mut Vec<String>) {
        let mut resources: BTreeMap<&str, i64> = BTreeMap::new();
        for (kind, _) in self.resources.values() {
            *resources.entry(kind).or_default() += 1;
        }
        let kinds: BTreeSet<&str> = resources
            .keys()
            .chain(self.counters.keys())
            .copied()
            .collect();
        for kind in kinds {
            let there = resources.get(kind).copied().unwrap_or(0);
            let counted = self.counters.get(kind).copied().unwrap_or(0);
            if there != counted {
                broken.push(format!(
                    "{there} resources of type {kind}, counted {counted}"
                ));
            }
        }
    }
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name)
        .and_then(|value| value["S"].as_str())
        .unwrap_or_default()
}

/// An attribute by whose value a resource must be found.
struct Declared {
    urn: Option<&'static str>,
    attribute: &'static str,
    sub: Option<&'static str>,
    unique: bool,
}

/// What the files of a type declare: its unique attributes, and its list.
fn declared(kind: &str) -> impl Iterator<Item = Declared> {
    let known = catalogue().by_name(kind).expect("every type is known");
    let extensions = known.extensions.iter().map(|extension| extension.schema);
    let schemas = iter::once((None, known.schema))
        .chain(extensions.map(|schema| (Some(schema.id.as_str()), schema)));
    let unique = schemas.flat_map(|(urn, schema)| {
        let attributes = schema.attributes.iter();
        let unique = attributes.filter(|found| found.uniqueness != Uniqueness::None);
        unique.map(move |attribute| Declared {
            urn,
            attribute: &attribute.name,
            sub: None,
            unique: true,
        })
    });
    let listed = known.lookups.iter().map(|path| Declared {
        urn: path.extension.map(|schema| schema.id.as_str()),
        attribute: &path.attribute,
        sub: path.sub.as_deref(),
        unique: false,
    });
    unique.chain(listed)
}

impl Declared {
    fn name(&self) -> String {
        let urn = self.urn.map(|urn| format!("{urn}:")).unwrap_or_default();
        let sub = self.sub.map(|sub| format!(".{sub}")).unwrap_or_default();
        format!("{urn}{}{sub}", self.attribute)
    }

    fn values<'v>(&self, document: &'v Value) -> impl Iterator<Item = &'v str> {
        let within = self.urn.map_or(document, |urn| &document[urn]);
        let value = &within[self.attribute];
        let elements = value
            .as_array()
            .map_or(slice::from_ref(value), Vec::as_slice);
        let sub = self.sub;
        elements.iter().filter_map(move |element| match sub {
            Some(sub) => element[sub].as_str(),
            None => element.as_str(),
        })
    }
}

fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?["N"].as_str()?.parse().ok()
}

/// The ids in `in`, a set of 16-byte values.
fn groups_of(item: &Item) -> BTreeSet<String> {
    let set = item.get("in").and_then(|value| value["BS"].as_array());
    let spelt = |encoded: &Value| {
        let bytes = STANDARD.decode(encoded.as_str()?).ok()?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        Some(
            [
                part(0, 8),
                part(8, 12),
                part(12, 16),
                part(16, 20),
                part(20, 32),
            ]
            .join("-"),
        )
    };
    set.into_iter().flatten().filter_map(spelt).collect()
}
