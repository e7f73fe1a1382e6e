//! What a search holds resources against: a filter, and the order of what
//! matches.
//!
//! Read once for each type and request. The filter is evaluated on the
//! representation of a resource, of which only what decides is put together.
//! This file must not read anything.
//!
//! ```text
//! filter=groups pr&sortBy=userName   needs groups; no members
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::Match;
use super::access::{Access, access, name_members};
use crate::provider::Caller;
use crate::provider::present::{Members, Needs, Surroundings, render};
use crate::scim::filter::Filter;
use crate::scim::message::SearchRequest;
use crate::scim::path::AttributePath;
use crate::scim::{ResourceType, ScimError, sort};
use crate::table::Stored;

type ParseFilter = fn(&str, &'static ResourceType) -> Result<Filter, ScimError>;
type ParsePath = fn(&str, &'static ResourceType) -> Result<AttributePath, ScimError>;

/// What every resource of a type is held against.
pub(super) struct Criteria {
    filter: Option<Filter>,
    order: Option<(AttributePath, bool)>,
}

impl Criteria {
    /// Reads filter and order for the resources of one type; with `among_all`
    /// they may name what only another type has.
    ///
    /// # Errors
    ///
    /// 400 `invalidFilter`, or 400 `invalidValue` for `sortBy`.
    pub(super) fn read(
        resource_type: &'static ResourceType,
        among_all: bool,
        query: &SearchRequest,
    ) -> Result<Self, ScimError> {
        let (parse_filter, parse_path): (ParseFilter, ParsePath) = match among_all {
            true => (Filter::parse_among_all, AttributePath::parse_among_all),
            false => (Filter::parse, AttributePath::parse),
        };
        let filter = query.filter.as_deref();
        let order = query.sort_by.as_deref();
        let order = order
            .map(|text| parse_path(text, resource_type))
            .transpose()
            .map_err(|error| ScimError::invalid_value(format!("sortBy: {}", error.detail())))?;
        if let Some(path) = &order
            && (path.attribute.is_secret() || path.leaf().is_secret())
        {
            let detail = format!("sortBy: `{path}` gives no order");
            return Err(ScimError::invalid_value(detail));
        }
        Ok(Self {
            filter: filter
                .map(|text| parse_filter(text, resource_type))
                .transpose()?,
            order: order.map(|path| (path, query.descending)),
        })
    }

    /// Whether every resource matches, in whatever order.
    pub(super) fn is_open(&self) -> bool {
        self.filter.is_none() && self.order.is_none()
    }

    /// A way to the matches that is shorter than through all resources.
    pub(super) fn access(&self, resource_type: &'static ResourceType) -> Option<Access> {
        access(resource_type, self.filter.as_ref()?)
    }

    /// What is derived is read for the evaluation only where it decides.
    pub(super) fn needs(&self) -> Needs {
        let filtered = |attribute| {
            self.filter
                .as_ref()
                .is_some_and(|filter| filter.mentions(attribute))
        };
        let sorted = |attribute| {
            self.order.as_ref().is_some_and(|(path, _)| {
                path.extension.is_none() && path.attribute.name == attribute
            })
        };
        let mut named = BTreeSet::new();
        let filter = self.filter.as_ref();
        let members = if sorted("members") {
            Members::All
        } else if !filtered("members") {
            Members::No
        } else if filter.is_some_and(|filter| name_members(filter, &mut named)) {
            Members::Named(named)
        } else {
            Members::All
        };
        Needs {
            groups: filtered("groups") || sorted("groups"),
            members,
            references: false,
        }
    }

    /// The resource with its place in the order, if it matches.
    pub(super) fn judge(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        stored: Arc<Stored>,
        around: &Surroundings,
    ) -> Option<Match> {
        let Value::Object(document) = render(caller, resource_type, &stored, around) else {
            return None;
        };
        if self
            .filter
            .as_ref()
            .is_some_and(|filter| !filter.matches(&document))
        {
            return None;
        }
        let order = self.order.as_ref();
        let key = order.map(|(path, descending)| sort::key(path, *descending, &document));
        Some((key, stored))
    }
}
