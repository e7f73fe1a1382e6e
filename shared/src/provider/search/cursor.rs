//! Pages by cursor (RFC 9865): from where the last page ended, in order of type
//! and id.
//!
//! A resource keeps its place as long as it exists, so a walk shows whatever
//! was there throughout exactly once, whatever else comes and goes. A page that
//! takes long ends early and says where to go on. This file must not know how
//! a cursor is sealed.
//!
//! ```text
//! ?cursor&count=2      → a b  nextCursor x
//! ?cursor=x&count=2    → c    no nextCursor: the end
//! ```

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::seal::{Position, Seal};
use super::{Extent, Found, MARGIN, Part, too_many};
use crate::ambient::Moment;
use crate::provider::{Caller, Fault, Provider};
use crate::scim::message::SearchRequest;
use crate::scim::projection::Projection;
use crate::scim::{ResourceId, ScimError, urn};
use crate::table::key::{SHARDS, shard};

/// What one page came to.
#[derive(Default)]
struct Page {
    /// Position and resource, one more than asked for if there are more.
    found: Vec<(Position, Found)>,
    /// Where a page that took too long has ended.
    stopped: Option<Position>,
    /// How many matches there are in all, where that is known.
    total: Option<u64>,
}

/// How far a page may go.
struct Bounds {
    after: Option<Position>,
    count: usize,
    until: Instant,
}

impl Provider {
    /// The page after a cursor; the first one for an empty cursor.
    pub(super) async fn page_by_cursor(
        &self,
        caller: &Caller,
        moment: &Moment,
        extent: &Extent,
        query: &SearchRequest,
        cursor: &str,
    ) -> Result<Value, Fault> {
        if query.sort_by.is_some() {
            let detail = "`sortBy` and `cursor` exclude each other";
            return Err(ScimError::invalid_value(detail).into());
        }
        let most = self.config.max_results;
        let count = query.count.unwrap_or(self.config.default_page);
        if count > most {
            let detail = format!("`count` is over maxPageSize ({most})");
            return Err(ScimError::invalid_count(detail).into());
        }
        let projection = Projection::from_lists(
            query.attributes.as_deref(),
            query.excluded_attributes.as_deref(),
        )?;
        let parts = extent.parts(query)?;
        let secret = moment.bytes("cursor secret", 0);
        let secret = self.store.cursor_secret(secret).await?;
        let bound = bound(caller, &parts, query);
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        let seal = Seal::new(&secret, &bound, count, moment.now).ok_or_else(ScimError::internal)?;
        let after = match cursor {
            "" => None,
            text => Some(seal.open(text)?),
        };

        let now = Instant::now();
        let deadline = moment.deadline.checked_sub(MARGIN).unwrap_or(now);
        let bounds = Bounds {
            after,
            count,
            until: now + deadline.saturating_duration_since(now) / 2,
        };
        let reader = self.until(moment, deadline);
        let reading = reader.page_after(caller, &parts, &bounds);
        let mut page = timeout_at(deadline, reading)
            .await
            .map_err(|_| too_many())??;
        let more = page.found.len() > count;
        page.found.truncate(count);
        let next = match more {
            true => page.found.last().map(|(position, _)| *position),
            false => page.stopped,
        };
        let found: Vec<Found> = page.found.into_iter().map(|(_, found)| found).collect();
        let resources = self
            .present_page(caller, moment, &found, &projection)
            .await?;
        let mut list = Map::new();
        list.insert("schemas".to_owned(), json!([urn::LIST_RESPONSE]));
        if let Some(total) = page.total {
            list.insert("totalResults".to_owned(), json!(total));
        }
        list.insert("itemsPerPage".to_owned(), json!(resources.len()));
        if let Some(next) = next {
            list.insert("nextCursor".to_owned(), json!(seal.close(next)));
        }
        list.insert("Resources".to_owned(), Value::Array(resources));
        Ok(Value::Object(list))
    }

    async fn page_after(
        &self,
        caller: &Caller,
        parts: &[Part],
        bounds: &Bounds,
    ) -> Result<Page, Fault> {
        let mut page = Page {
            total: Some(0),
            ..Page::default()
        };
        for (place, part) in (0_u8..).zip(parts) {
            let (resource_type, criteria) = part;
            let Some(access) = criteria.access(resource_type) else {
                let counted = match criteria.is_open() {
                    true => Some(
                        self.store
                            .count(&caller.tenant, &resource_type.name)
                            .await?,
                    ),
                    false => None,
                };
                page.total = page
                    .total
                    .zip(counted)
                    .map(|(sum, n)| sum.saturating_add(n));
                self.walk_after(caller, place, part, bounds, &mut page)
                    .await?;
                continue;
            };
            let found = self.candidates(caller, resource_type, access).await?;
            let mut matches = self
                .matching(caller, resource_type, criteria, found)
                .await?;
            page.total = page.total.map(|sum| sum + matches.len() as u64);
            matches.sort_by_key(|(_, stored)| stored.id);
            for (_, stored) in matches {
                let position = Position {
                    place,
                    id: stored.id,
                };
                if bounds.is_ahead(position) && page.is_open(bounds) {
                    page.found.push((position, (*resource_type, stored)));
                }
            }
        }
        Ok(page)
    }

    /// Goes on through the resources of one type, in order of id.
    async fn walk_after(
        &self,
        caller: &Caller,
        place: u8,
        (resource_type, criteria): &Part,
        bounds: &Bounds,
        page: &mut Page,
    ) -> Result<(), Fault> {
        let after = match bounds.after {
            Some(position) if position.place > place => return Ok(()),
            Some(position) if position.place == place => Some(position.id),
            _ => None,
        };
        // INVARIANT: ids of a lower shard come before those of a higher one.
        for number in after.map_or(0, shard)..SHARDS {
            let mut last: Option<ResourceId> = after.filter(|id| shard(*id) == number);
            let (mut more, mut step) = (true, 1_usize);
            while more && page.is_open(bounds) {
                let needed = bounds.count.saturating_add(1) - page.found.len();
                let limit = i32::try_from(needed.saturating_mul(step)).unwrap_or(i32::MAX);
                let name = &resource_type.name;
                let (found, rest) = self
                    .store
                    .page(&caller.tenant, name, number, last, Some(limit))
                    .await?;
                last = found.last().map(|stored| stored.id).or(last);
                (more, step) = (rest, step.saturating_mul(2));
                let found = found.into_iter().map(Arc::new).collect();
                let matches = self
                    .matching(caller, resource_type, criteria, found)
                    .await?;
                page.found.extend(matches.into_iter().map(|(_, stored)| {
                    let id = stored.id;
                    (Position { place, id }, (*resource_type, stored))
                }));
                if Instant::now() >= bounds.until {
                    page.stopped = last.map(|id| Position { place, id });
                }
            }
        }
        Ok(())
    }
}

impl Bounds {
    fn is_ahead(&self, position: Position) -> bool {
        self.after
            .is_none_or(|after| (after.place, after.id) < (position.place, position.id))
    }
}

impl Page {
    /// Whether more is to be looked for: one more than is shown, to know
    /// whether there is a next page.
    fn is_open(&self, bounds: &Bounds) -> bool {
        bounds.count > 0 && self.found.len() <= bounds.count && self.stopped.is_none()
    }
}

/// All that must be the same for every page of a walk.
fn bound(caller: &Caller, parts: &[Part], query: &SearchRequest) -> Vec<String> {
    let mut bound = vec![caller.tenant.to_string(), caller.identity.clone()];
    let types = parts.iter().map(|(known, _)| known.name.as_str());
    bound.push(types.collect::<Vec<_>>().join(","));
    bound.push(format!("{:?}", query.filter));
    bound.push(format!("{:?}", query.attributes));
    bound.push(format!("{:?}", query.excluded_attributes));
    bound
}
