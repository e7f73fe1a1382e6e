//! Which reads find all resources that a filter can match.
//!
//! One conjunct that must hold is enough: what it finds is a superset of the
//! answer. This file must not read anything.
//!
//! ```text
//! userName eq "x" and title co "y"   the lookup of userName
//! not (userName eq "x")              none: every resource is looked at
//! ```

use std::collections::BTreeSet;

use crate::plan::operation::holds_members;
use crate::scim::filter::{Filter, Operand, Operator};
use crate::scim::path::AttributePath;
use crate::scim::{ResourceId, ResourceType};
use crate::table::Lookup;
use crate::table::lookup::{lookup_for, lookup_of};

/// How the resources that may match are found.
pub(super) enum Access {
    Id(Option<ResourceId>),
    Lookup(Lookup),
    Member(Option<ResourceId>),
}

/// What an equality offers that holds of no resource of the type.
const NOTHING: Option<Access> = Some(Access::Id(None));

/// The most selective way in that one of the conjuncts offers.
pub(super) fn access(resource_type: &'static ResourceType, filter: &Filter) -> Option<Access> {
    let offers = filter.conjuncts().into_iter();
    let offers = offers.filter_map(|term| offer(resource_type, term));
    offers.min_by_key(|access| match access {
        Access::Id(_) => 0,
        Access::Lookup(lookup) if lookup.unique => 1,
        Access::Lookup(_) => 2,
        Access::Member(_) => 3,
    })
}

/// Collects the members that a filter asks about by `eq`; false if it asks
/// anything else about members. An id that cannot exist names nobody.
pub(super) fn name_members(filter: &Filter, named: &mut BTreeSet<ResourceId>) -> bool {
    if !filter.mentions("members") {
        return true;
    }
    match filter {
        Filter::And(terms) | Filter::Or(terms) => {
            terms.iter().all(|term| name_members(term, named))
        }
        Filter::Not(term) => name_members(term, named),
        Filter::Compare {
            path,
            operator: Operator::Eq,
            operand: Operand::String(text),
        } if path.leaf().name == "value" => {
            named.extend(ResourceId::parse(text));
            true
        }
        Filter::Value { filter, .. } => match &**filter {
            Filter::Compare {
                path,
                operator: Operator::Eq,
                operand: Operand::String(text),
            } if path.leaf().name == "value" => {
                named.extend(ResourceId::parse(text));
                true
            }
            _ => false,
        },
        Filter::Compare { .. } | Filter::Present(_) => false,
    }
}

fn offer(resource_type: &'static ResourceType, term: &Filter) -> Option<Access> {
    match term {
        Filter::Compare {
            path,
            operator: Operator::Eq,
            operand: Operand::String(text),
        } => {
            if path.is_foreign(resource_type) {
                return NOTHING;
            }
            let sub = path.sub.map(|sub| sub.name.as_str());
            match (path.extension, path.attribute.name.as_str(), sub) {
                (None, "id", None) => Some(Access::Id(ResourceId::parse(text))),
                (None, "meta", Some("resourceType")) if *text != resource_type.name => NOTHING,
                (None, "members", Some("value")) if holds_members(resource_type) => {
                    Some(Access::Member(ResourceId::parse(text)))
                }
                _ => lookup_for(path, text, resource_type).map(Access::Lookup),
            }
        }
        Filter::Value { path, .. } if path.is_foreign(resource_type) => NOTHING,
        Filter::Value { path, filter } => {
            let terms = filter.conjuncts().into_iter();
            terms
                .into_iter()
                .find_map(|term| offer_within(resource_type, path, term))
        }
        _ => None,
    }
}

/// An equality inside `attribute[…]`, where paths name sub-attributes.
fn offer_within(
    resource_type: &'static ResourceType,
    outer: &AttributePath,
    term: &Filter,
) -> Option<Access> {
    let Filter::Compare {
        path,
        operator: Operator::Eq,
        operand: Operand::String(text),
    } = term
    else {
        return None;
    };
    let sub = path.leaf().name.as_str();
    let of_group = outer.extension.is_none() && holds_members(resource_type);
    if of_group && outer.attribute.name == "members" && sub == "value" {
        return Some(Access::Member(ResourceId::parse(text)));
    }
    lookup_of(
        resource_type,
        outer.extension,
        outer.attribute,
        Some(sub),
        text,
    )
    .map(Access::Lookup)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::catalogue;

    /// A type that is no group and has the attributes of one.
    fn team() -> &'static ResourceType {
        let group = catalogue().by_name("Group").unwrap();
        let mut schema = group.schema.clone();
        schema.id = "urn:example:2.0:Team".to_owned();
        let mut team = group.clone();
        team.name = "Team".to_owned();
        team.schema = Box::leak(Box::new(schema));
        Box::leak(Box::new(team))
    }

    #[test]
    fn only_a_group_is_found_by_the_item_of_its_member() {
        let group = catalogue().by_name("Group").unwrap();
        for text in ["members.value eq \"a\"", "members[value eq \"a\"]"] {
            let offered = |resource_type| {
                let filter = Filter::parse(text, resource_type).unwrap();
                access(resource_type, &filter)
            };
            assert!(matches!(offered(group), Some(Access::Member(None))));
            assert!(offered(team()).is_none(), "{text}");
        }
    }
}
