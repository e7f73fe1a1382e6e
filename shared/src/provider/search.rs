//! Lists and searches (RFC 7644 §3.4.2).
//!
//! A filter of which one conjunct names an id, a value with a lookup, or a
//! member is answered by a constant number of consistent reads; the whole filter
//! is evaluated again on what they found. A list without filter and order is
//! walked no further than its page. Everything else walks all partitions, side
//! by side, and is refused with `tooMany` rather than cut short when time or
//! bounds run out. A search over several types is one search after the other,
//! and a type that lacks what the filter asks for costs nothing. This file must not know query strings, nor what a
//! representation is made of.
//!
//! ```text
//! userName eq "x" and active eq true   lookup, batch read, evaluate
//! members.value eq "…"                 the member's own item, batch read, evaluate
//! title co "x"                         16 partitions
//! ```

mod access;
mod candidates;
mod criteria;
mod cursor;
mod index;
mod seal;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use criteria::Criteria;
pub use seal::{CURSOR_TIMEOUT, Position, Seal};

use super::{Caller, Fault, Provider};
use crate::ambient::Moment;
use crate::scim::message::SearchRequest;
use crate::scim::projection::Projection;
use crate::scim::schema::catalogue;
use crate::scim::{ResourceType, ScimError, Timestamp, sort, urn};
use crate::store::StoreError;
use crate::table::Stored;
use crate::table::key::SHARDS;

/// The most matches that are held to be counted, ordered and paged.
const MAX_MATCHES: usize = 10_000;

/// Kept of the time of a request for presenting what was found.
const MARGIN: Duration = Duration::from_secs(2);

/// Which resources are searched.
#[derive(Debug, Clone)]
pub enum Extent {
    /// Those of one type.
    One(&'static ResourceType),
    /// Those of several types, one type after the other (RFC 7644 §3.4.2.1). A
    /// type that is left out still lends its names to filters.
    Several(Vec<&'static ResourceType>),
}

/// A resource that matches, with its place in the order asked for.
type Match = (Option<sort::Key>, Arc<Stored>);

/// A resource on a page.
type Found = (&'static ResourceType, Arc<Stored>);

/// The resources of one type, and what they are held against.
type Part = (&'static ResourceType, Arc<Criteria>);

/// What part of a list is asked for by index, and when.
struct Slice {
    skip: usize,
    count: usize,
    now: Timestamp,
}

impl Provider {
    /// A page of the resources that match, as a ListResponse.
    ///
    /// # Errors
    ///
    /// 400 for a filter, an order or a list of attributes that means nothing,
    /// 400 for a cursor that was not given for the same request, 400 `tooMany` where the answer would take too long, or a fault of the
    /// store.
    pub async fn search(
        &self,
        caller: &Caller,
        moment: &Moment,
        extent: &Extent,
        query: &SearchRequest,
    ) -> Result<Value, Fault> {
        if let Some(cursor) = &query.cursor {
            return self
                .page_by_cursor(caller, moment, extent, query, cursor)
                .await;
        }
        let projection = Projection::from_lists(
            query.attributes.as_deref(),
            query.excluded_attributes.as_deref(),
        )?;
        let parts = extent.parts(query)?;
        let count = query
            .count
            .unwrap_or(self.config.default_page)
            .min(self.config.max_results);
        let start = query.start_index.max(1);

        let deadline = moment
            .deadline
            .checked_sub(MARGIN)
            .unwrap_or(moment.deadline);
        let slice = Slice {
            skip: start - 1,
            count,
            now: moment.now,
        };
        let finder = self.until(moment, deadline);
        let finding = finder.find_page(caller, &parts, &slice, deadline);
        let (total, page) = timeout_at(deadline, finding)
            .await
            .map_err(|_| too_many())??;
        let (resources, ()) = tokio::join!(
            self.present_page(caller, moment, &page, &projection),
            self.remember(caller, &parts, &slice, total, &page),
        );
        let resources = resources?;
        Ok(json!({
            "schemas": [urn::LIST_RESPONSE],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": resources.len(),
            "Resources": resources,
        }))
    }

    async fn find_page(
        &self,
        caller: &Caller,
        parts: &[Part],
        slice: &Slice,
        deadline: Instant,
    ) -> Result<(u64, Vec<Found>), Fault> {
        if is_open(parts) {
            return self.walk_all(caller, parts, slice).await;
        }
        let mut matches = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let found = self.find(caller, part, deadline).await?;
            matches.extend(found.into_iter().map(|(key, stored)| (key, place, stored)));
            if matches.len() > MAX_MATCHES {
                return Err(too_many().into());
            }
        }
        matches.sort_by(|(a, one, left), (b, other, right)| {
            (a, one, left.id).cmp(&(b, other, right.id))
        });
        let total = matches.len() as u64;
        let page = matches.into_iter().skip(slice.skip).take(slice.count);
        let named = page.filter_map(|(_, place, stored)| Some((parts.get(place)?.0, stored)));
        Ok((total, named.collect()))
    }

    /// All matches of one type.
    async fn find(
        &self,
        caller: &Caller,
        (resource_type, criteria): &Part,
        deadline: Instant,
    ) -> Result<Vec<Match>, Fault> {
        match criteria.access(resource_type) {
            Some(access) => {
                let found = self.candidates(caller, resource_type, access).await?;
                self.matching(caller, resource_type, criteria, found).await
            }
            None => self.scan(caller, resource_type, criteria, deadline).await,
        }
    }

    /// The representations of a page in its order, with the reads of one answer
    /// for each type, as far as the time of the request goes.
    async fn present_page(
        &self,
        caller: &Caller,
        moment: &Moment,
        page: &[Found],
        projection: &Projection,
    ) -> Result<Vec<Value>, Fault> {
        let presenting = self.present_types(caller, page, projection);
        timeout_at(moment.deadline, presenting)
            .await
            .map_err(|_| too_slow())?
    }

    async fn present_types(
        &self,
        caller: &Caller,
        page: &[Found],
        projection: &Projection,
    ) -> Result<Vec<Value>, Fault> {
        let mut of_type: HashMap<&'static str, Vec<Arc<Stored>>> = HashMap::new();
        for (resource_type, stored) in page {
            let same = of_type.entry(&resource_type.name).or_default();
            same.push(Arc::clone(stored));
        }
        let mut bodies = HashMap::new();
        for resource_type in &catalogue().resource_types {
            let Some(same) = of_type.remove(resource_type.name.as_str()) else {
                continue;
            };
            let shown = self
                .present_all(caller, resource_type, &same, projection)
                .await?;
            bodies.insert(resource_type.name.as_str(), shown.into_iter());
        }
        let shown = page
            .iter()
            .filter_map(|(resource_type, _)| bodies.get_mut(resource_type.name.as_str())?.next());
        Ok(shown.collect())
    }

    /// Every match in all partitions, which are walked side by side.
    async fn scan(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        criteria: &Arc<Criteria>,
        deadline: Instant,
    ) -> Result<Vec<Match>, Fault> {
        let mut shards = JoinSet::new();
        for shard in 0..SHARDS {
            let (provider, caller) = (self.clone(), caller.clone());
            let criteria = Arc::clone(criteria);
            shards.spawn(async move {
                provider
                    .scan_shard(&caller, resource_type, &criteria, shard, deadline)
                    .await
            });
        }
        let mut all = Vec::new();
        while let Some(joined) = shards.join_next().await {
            all.extend(joined.map_err(|_| StoreError::Aborted)??);
            if all.len() > MAX_MATCHES {
                return Err(too_many().into());
            }
        }
        Ok(all)
    }

    async fn scan_shard(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        criteria: &Criteria,
        shard: u8,
        deadline: Instant,
    ) -> Result<Vec<Match>, Fault> {
        let (mut after, mut more) = (None, true);
        let mut matches = Vec::new();
        while more {
            if matches.len() > MAX_MATCHES || Instant::now() >= deadline {
                return Err(too_many().into());
            }
            let name = &resource_type.name;
            let (found, rest) = self
                .store
                .page(&caller.tenant, name, shard, after, None)
                .await?;
            after = found.last().map(|stored| stored.id).or(after);
            more = rest;
            let found = found.into_iter().map(Arc::new).collect();
            matches.extend(
                self.matching(caller, resource_type, criteria, found)
                    .await?,
            );
        }
        Ok(matches)
    }

    async fn matching(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        criteria: &Criteria,
        found: Vec<Arc<Stored>>,
    ) -> Result<Vec<Match>, Fault> {
        let needs = criteria.needs();
        let around = self
            .surroundings(caller, resource_type, &found, &needs)
            .await?;
        let judged = found
            .into_iter()
            .filter_map(|stored| criteria.judge(caller, resource_type, stored, &around));
        Ok(judged.collect())
    }
}

impl Extent {
    fn parts(&self, query: &SearchRequest) -> Result<Vec<Part>, ScimError> {
        let part = |resource_type, among_all| {
            let criteria = Criteria::read(resource_type, among_all, query)?;
            Ok((resource_type, Arc::new(criteria)))
        };
        match self {
            Self::One(resource_type) => Ok(vec![part(*resource_type, false)?]),
            Self::Several(types) => types.iter().map(|known| part(*known, true)).collect(),
        }
    }
}

/// Whether the list is that of all resources, in whatever order.
fn is_open(parts: &[Part]) -> bool {
    parts.iter().all(|(_, criteria)| criteria.is_open())
}

fn too_many() -> ScimError {
    ScimError::too_many("the search is too broad to be answered in time: narrow the filter")
}

fn too_slow() -> ScimError {
    ScimError::too_many(
        "the results cannot be put together in time: ask for fewer with `count`, \
         or for less of each with `attributes` or `excludedAttributes`",
    )
}

#[cfg(test)]
mod tests;
