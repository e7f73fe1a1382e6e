//! Reads, all strongly consistent.
//!
//! What a plan needs is fetched in as few calls as possible: keys without
//! repetition in batches of a hundred, side by side, and one query for each
//! partition that is read whole. What is refused or gets no answer, and keys that
//! DynamoDB leaves unprocessed, are asked for again until the request ends that
//! reads: see [`Store::during`]. A group's header is always read before its
//! memberships: were it the other way round, a change between the two reads would
//! leave old memberships beside a new revision. What a reader may still miss of a
//! transaction that is being committed is in `members`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use tokio::task::JoinSet;

use super::{Store, StoreError};
use crate::plan::read_set::{ReadSet, Want};
use crate::scim::ResourceId;
use crate::table::item::{count_of, owner_of};
use crate::table::key::{self, Key};
use crate::table::name;
use crate::table::value::Item;
use crate::table::{Lookup, MalformedItem, Membership, Stored, Tenant};

/// The most keys that one BatchGetItem takes.
const BATCH: usize = 100;

const GET: &str = "GetItem";
const BATCH_GET: &str = "BatchGetItem";
pub(super) const QUERY: &str = "Query";

impl Store {
    /// Reads what is wanted into the read set, in place of what was there. The
    /// header of a group whose memberships are wanted is among what is there, or
    /// is wanted as well.
    ///
    /// # Errors
    ///
    /// A fault of the table; the read set may then be half filled.
    pub async fn read(
        &self,
        tenant: &Tenant,
        wants: &BTreeSet<Want>,
        into: &mut ReadSet,
    ) -> Result<(), StoreError> {
        let (late, early): (Vec<&Want>, Vec<&Want>) = wants
            .iter()
            .partition(|want| matches!(want, Want::Membership { .. } | Want::Members { .. }));
        self.read_keyed(tenant, &early, into).await?;
        let groups: BTreeSet<ResourceId> = late
            .iter()
            .filter_map(|want| match want {
                Want::Members { group } => Some(*group),
                _ => None,
            })
            .collect();
        into.memberships
            .retain(|(group, _), _| !groups.contains(group));
        let mut queries = JoinSet::new();
        for group in groups {
            let (store, tenant) = (self.clone(), tenant.clone());
            let header = into.header(group).cloned();
            queries.spawn(async move {
                let header = header.as_deref();
                (group, store.members(&tenant, group, header).await)
            });
        }
        self.read_keyed(tenant, &late, into).await?;
        while let Some(joined) = queries.join_next().await {
            let (group, members) = joined.map_err(|_| StoreError::Aborted)?;
            for membership in members? {
                into.memberships
                    .insert((group, membership.member), Some(membership));
            }
            into.whole.insert(group);
        }
        Ok(())
    }

    /// One resource.
    ///
    /// # Errors
    ///
    /// A fault of the table.
    pub async fn get(
        &self,
        tenant: &Tenant,
        resource_type: &str,
        id: ResourceId,
    ) -> Result<Option<Stored>, StoreError> {
        let key = key::resource(tenant, resource_type, id);
        let send = || async {
            let get = self.client.get_item().table_name(&*self.table);
            let get = get.set_key(Some(key.to_item())).consistent_read(true);
            let sent = get.send().await;
            sent.map_err(|error| StoreError::of(GET, &error))
        };
        let answer = self.asking(GET, &key.sk).persist(send).await?;
        Ok(answer.item().map(Stored::from_item).transpose()?)
    }

    /// The owners of a value, in order of id.
    ///
    /// # Errors
    ///
    /// A fault of the table.
    pub async fn find(
        &self,
        tenant: &Tenant,
        lookup: &Lookup,
    ) -> Result<Vec<ResourceId>, StoreError> {
        let items = self.query_all(key::lookup_pk(tenant, lookup)).await?;
        Ok(items.iter().map(owner_of).collect::<Result<_, _>>()?)
    }

    /// The resources of one shard in order of id, those after `after`, at most
    /// `limit` or as many as one answer of 1 MB holds; and whether there may be
    /// more.
    ///
    /// # Errors
    ///
    /// A fault of the table.
    pub async fn page(
        &self,
        tenant: &Tenant,
        resource_type: &str,
        shard: u8,
        after: Option<ResourceId>,
        limit: Option<i32>,
    ) -> Result<(Vec<Stored>, bool), StoreError> {
        let pk = key::shard_pk(tenant, resource_type, shard);
        let start = after.map(|id| {
            let (pk, sk) = (pk.clone(), id.to_string());
            Key { pk, sk }.to_item()
        });
        let (items, next) = self.query(&pk, start, limit).await?;
        let stored: Result<Vec<Stored>, MalformedItem> =
            items.iter().map(Stored::from_item).collect();
        Ok((stored?, next.is_some()))
    }

    /// How many resources of a type there are: exact whenever no create or
    /// delete is in flight.
    ///
    /// # Errors
    ///
    /// A fault of the table.
    pub async fn count(&self, tenant: &Tenant, resource_type: &str) -> Result<u64, StoreError> {
        let items = self
            .query_all(key::counter_pk(tenant, resource_type))
            .await?;
        let mut sum = 0_i64;
        for item in &items {
            sum = sum.saturating_add(count_of(item)?);
        }
        Ok(u64::try_from(sum).unwrap_or(0))
    }

    pub(super) async fn query_all(&self, pk: String) -> Result<Vec<Item>, StoreError> {
        let (mut all, mut start) = self.query(&pk, None, None).await?;
        while start.is_some() {
            let (items, next) = self.query(&pk, start, None).await?;
            all.extend(items);
            start = next;
        }
        Ok(all)
    }

    async fn query(
        &self,
        pk: &str,
        start: Option<Item>,
        limit: Option<i32>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", name::PK)
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .set_exclusive_start_key(start)
            .set_limit(limit)
            .consistent_read(true);
        let send = || async {
            // Never closed, so that this only waits.
            let _turn = self.reads.acquire().await;
            let sent = query.clone().send().await;
            sent.map_err(|error| StoreError::of(QUERY, &error))
        };
        let answer = self.asking(QUERY, pk).persist(send).await?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    async fn read_keyed(
        &self,
        tenant: &Tenant,
        wants: &[&Want],
        into: &mut ReadSet,
    ) -> Result<(), StoreError> {
        let keys: BTreeMap<Key, &Want> = wants
            .iter()
            .filter_map(|want| Some((key_of(tenant, want)?, *want)))
            .collect();
        let mut items = self.batch_get(keys.keys()).await?;
        for (key, want) in keys {
            record(want, items.remove(&key).as_ref(), into)?;
        }
        Ok(())
    }

    /// The items under these keys, in batches side by side.
    pub(super) async fn batch_get(
        &self,
        keys: impl Iterator<Item = &Key>,
    ) -> Result<HashMap<Key, Item>, StoreError> {
        let keys: Vec<Item> = keys.map(Key::to_item).collect();
        let mut batches = JoinSet::new();
        for batch in keys.chunks(BATCH) {
            let (store, batch) = (self.clone(), batch.to_vec());
            batches.spawn(async move { store.one_batch(batch).await });
        }
        let mut items = HashMap::with_capacity(keys.len());
        while let Some(joined) = batches.join_next().await {
            for item in joined.map_err(|_| StoreError::Aborted)?? {
                items.insert(read_key(&item)?, item);
            }
        }
        Ok(items)
    }

    pub(super) async fn one_batch(&self, mut keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        let first = keys.first().map(read_key).transpose()?;
        let first = first.map_or_else(String::new, |key| key.pk + &key.sk);
        let mut retry = self.asking(BATCH_GET, &first);
        while !keys.is_empty() {
            let Some(answer) = retry.attempt(self.send_batch(keys.clone())).await? else {
                continue;
            };
            found.extend(answer.responses.unwrap_or_default().into_values().flatten());
            let left = answer.unprocessed_keys.unwrap_or_default().into_values();
            keys = left.flat_map(|left| left.keys).collect();
            if !keys.is_empty() {
                retry.again(StoreError::Throttled).await?;
            }
        }
        Ok(found)
    }

    async fn send_batch(&self, keys: Vec<Item>) -> Result<BatchGetItemOutput, StoreError> {
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()?;
        let get = self.client.batch_get_item();
        let get = get.request_items(&*self.table, request);
        let _turn = self.reads.acquire().await;
        let sent = get.send().await;
        sent.map_err(|error| StoreError::of(BATCH_GET, &error))
    }
}

/// The key of a want that is one item.
fn key_of(tenant: &Tenant, want: &Want) -> Option<Key> {
    match want {
        Want::Resource { resource_type, id } => Some(key::resource(tenant, resource_type, *id)),
        // INVARIANT: the key of a unique lookup does not depend on its owner.
        Want::Unique(lookup) => {
            let anyone = ResourceId::from_bytes([0; 16]);
            Some(key::lookup(tenant, lookup, anyone))
        }
        Want::Membership { group, member } => Some(key::membership(tenant, *group, *member)),
        Want::Members { .. } => None,
    }
}

fn record(want: &Want, item: Option<&Item>, into: &mut ReadSet) -> Result<(), MalformedItem> {
    match want {
        Want::Resource { resource_type, id } => {
            let stored = item.map(Stored::from_item).transpose()?;
            into.resources
                .insert((resource_type, *id), stored.map(Arc::new));
        }
        Want::Unique(lookup) => {
            let owner = item.map(owner_of).transpose()?;
            into.owners.insert(lookup.clone(), owner);
        }
        Want::Membership { group, member } => {
            let membership = item.map(Membership::from_item).transpose()?;
            into.memberships.insert((*group, *member), membership);
        }
        Want::Members { .. } => {}
    }
    Ok(())
}

fn read_key(item: &Item) -> Result<Key, MalformedItem> {
    let part = |attribute: &'static str| match item.get(attribute) {
        Some(AttributeValue::S(text)) => Ok(text.clone()),
        _ => Err(MalformedItem { attribute }),
    };
    Ok(Key {
        pk: part(name::PK)?,
        sk: part(name::SK)?,
    })
}

#[cfg(test)]
mod tests;
