//! Pages by index of a list without filter and order: in order of type and id,
//! and no further than needed.
//!
//! A page leaves a hint for the one that follows it: the last resource that it
//! showed. Whoever asks for that page within five minutes goes on from there and
//! does not read again what is skipped. A hint is kept below the tenant, for one
//! caller and one list, so nobody meets another's. It is never needed: without
//! one, with one that is late or cannot be read, the list is walked from its
//! beginning.
//!
//! Nothing else is walked by hints. A page of a filtered or sorted list states
//! how many matches there are, and to know it every resource is looked at, or a
//! lookup is followed, whichever page it is. Beyond `totalResults` a page is
//! empty, hint or none.
//!
//! **What a client sees while others write.** Without a hint, each resource
//! deleted from what was shown moves the rest up by one place, and the client
//! misses one; each created there moves the rest down, and it meets one again.
//! With hints the rest stays where it is, and a page begins where the last one
//! ended. Only at the end of the list the difference shows, since a client knows
//! the end by `totalResults`: by as many as were deleted more than created it
//! ends too early, by as many as were created more than deleted its last index
//! leads back into what was shown. So, as without hints, a deletion between two
//! pages costs at most one resource missed and a creation at most one repeated;
//! no page fails; and where deletions and creations balance nothing is missed or
//! repeated. This file must not know cursors.
//!
//! ```text
//! startIndex=1&count=100    → 100 resources, hint 101 → the id of the last one
//! startIndex=101&count=50   → 50 resources after it, hint 151
//! ```

use std::sync::Arc;

use super::seal::Position;
use super::{Found, Part, Slice, is_open};
use crate::provider::{Caller, Fault, Provider};
use crate::scim::{ResourceId, ResourceType};
use crate::store::StoreError;
use crate::table::key::{self, SHARDS, shard};
use crate::table::{Hint, Key, Stored};

impl Provider {
    /// The page, and how many resources there are in all.
    pub(super) async fn walk_all(
        &self,
        caller: &Caller,
        parts: &[Part],
        slice: &Slice,
    ) -> Result<(u64, Vec<Found>), Fault> {
        let (totals, after) = tokio::join!(
            self.totals(caller, parts),
            self.recall(caller, parts, slice)
        );
        let totals = totals?;
        let total = totals.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
        let (mut skip, mut page) = (slice.skip as u64, Vec::new());
        if slice.count == 0 || skip >= total {
            return Ok((total, page));
        }
        if after.is_some() {
            skip = 0;
        }
        for (place, ((resource_type, _), there)) in (0_u8..).zip(parts.iter().zip(totals)) {
            let from = match after {
                Some(position) if position.place > place => continue,
                Some(position) if position.place == place => Some(position.id),
                _ => None,
            };
            let left = slice.count - page.len();
            if skip < there {
                let skipped = usize::try_from(skip).unwrap_or(usize::MAX);
                let found = self
                    .walk(caller, resource_type, from, skipped, left)
                    .await?;
                page.extend(found.into_iter().map(|stored| (*resource_type, stored)));
            }
            skip = skip.saturating_sub(there);
        }
        Ok((total, page))
    }

    /// Leaves a hint for the page that follows, if there is one. That it cannot
    /// be left is not the client's business.
    pub(super) async fn remember(
        &self,
        caller: &Caller,
        parts: &[Part],
        slice: &Slice,
        total: u64,
        page: &[Found],
    ) {
        let shown = slice.skip.saturating_add(page.len());
        let Some((resource_type, last)) = page.last() else {
            return;
        };
        if !is_open(parts) || page.len() < slice.count || shown as u64 >= total {
            return;
        }
        let hint = Hint::new(&resource_type.name, last.id, slice.now);
        let key = hint_key(caller, parts, shown.saturating_add(1));
        if let Err(error) = self.store.keep_hint(&key, &hint).await {
            tracing::warn!(error = %error, "a page hint could not be kept");
        }
    }

    /// Where the page begins, if the page before it has left a hint that holds.
    async fn recall(&self, caller: &Caller, parts: &[Part], slice: &Slice) -> Option<Position> {
        if slice.skip == 0 || slice.count == 0 {
            return None;
        }
        let key = hint_key(caller, parts, slice.skip.saturating_add(1));
        let hint = match self.store.hint(&key).await {
            Ok(hint) => hint.filter(|hint| hint.holds(slice.now))?,
            Err(error) => {
                tracing::warn!(error = %error, "a page hint could not be read");
                return None;
            }
        };
        let mut places = (0_u8..).zip(parts);
        let (place, _) = places.find(|(_, (known, _))| known.name == hint.resource_type)?;
        Some(Position {
            place,
            id: hint.after,
        })
    }

    /// How many resources of each type there are.
    async fn totals(&self, caller: &Caller, parts: &[Part]) -> Result<Vec<u64>, StoreError> {
        let mut totals = Vec::new();
        for (resource_type, _) in parts {
            let name = &resource_type.name;
            totals.push(self.store.count(&caller.tenant, name).await?);
        }
        Ok(totals)
    }

    /// At most `count` resources of one type in order of id: those after `from`,
    /// without the first `skip` of them.
    async fn walk(
        &self,
        caller: &Caller,
        resource_type: &'static ResourceType,
        from: Option<ResourceId>,
        mut skip: usize,
        count: usize,
    ) -> Result<Vec<Arc<Stored>>, StoreError> {
        let mut page = Vec::new();
        // INVARIANT: ids of a lower shard come before those of a higher one.
        for number in from.map_or(0, shard)..SHARDS {
            let mut after = from.filter(|id| shard(*id) == number);
            let mut more = true;
            while more && page.len() < count {
                let needed = skip.saturating_add(count - page.len());
                let limit = i32::try_from(needed).unwrap_or(i32::MAX);
                let name = &resource_type.name;
                let (found, rest) = self
                    .store
                    .page(&caller.tenant, name, number, after, Some(limit))
                    .await?;
                after = found.last().map(|stored| stored.id).or(after);
                more = rest;
                let skipped = skip.min(found.len());
                skip -= skipped;
                page.extend(found.into_iter().skip(skipped).map(Arc::new));
            }
        }
        page.truncate(count);
        Ok(page)
    }
}

/// The hint of this caller for the page at an index of this list, which its
/// types determine.
fn hint_key(caller: &Caller, parts: &[Part], start: usize) -> Key {
    let types = parts.iter().map(|(known, _)| known.name.as_str());
    let sequence: Vec<&str> = std::iter::once(caller.identity.as_str())
        .chain(types)
        .collect();
    key::hint(&caller.tenant, &sequence, start)
}
