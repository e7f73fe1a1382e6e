//! Records of idempotent requests: kept, taken over, answered.
//!
//! Every write here may be sent again after a lost answer: it is conditional,
//! and whoever fails the condition is shown what stands there, in which it
//! recognises its own. So these writes are retried as long as there is time.
//! This file must not know when a request may be taken over.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use tokio::time::{Instant, timeout_at};

use super::retry::Retry;
use super::{Store, StoreError};
use crate::scim::Timestamp;
use crate::table::change::Lane;
use crate::table::name;
use crate::table::record::rows_of;
use crate::table::value::{number, seconds};
use crate::table::{MalformedItem, Record, RequestKey, Row, Tenant, key};

const PUT: &str = "PutItem";
const UPDATE: &str = "UpdateItem";

/// What must be true for a record to be written.
#[derive(Debug, Clone, Copy)]
pub enum Guard<'a> {
    /// There is none, or it has expired by this instant.
    None(Timestamp),
    /// This one is there, as begun last, without an answer.
    Unanswered(&'a Record),
}

/// What became of writing a record.
#[derive(Debug)]
pub enum Kept {
    /// It is written.
    Written,
    /// It is not, because of what stands there.
    Other(Option<Box<Record>>),
}

impl Store {
    /// Writes a record if what it is guarded by is true.
    ///
    /// # Errors
    ///
    /// A fault of the table, or no answer by the deadline.
    pub async fn keep_record(
        &self,
        tenant: &Tenant,
        request: &RequestKey,
        record: &Record,
        guard: Guard<'_>,
        deadline: Instant,
    ) -> Result<Kept, StoreError> {
        let key = key::record(tenant, request);
        let put = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(record.to_item(&key)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match guard {
            Guard::None(now) => put
                .condition_expression("attribute_not_exists(#pk) OR #expires <= :now")
                .expression_attribute_names("#pk", name::PK)
                .expression_attribute_names("#expires", name::EXPIRES)
                .expression_attribute_values(":now", number(now.seconds())),
            Guard::Unanswered(known) => put
                .condition_expression(
                    "#generation = :generation AND #attempt = :attempt \
                     AND attribute_not_exists(#told)",
                )
                .expression_attribute_names("#generation", name::GENERATION)
                .expression_attribute_names("#attempt", name::ATTEMPT)
                .expression_attribute_names("#told", name::ANSWER)
                .expression_attribute_values(
                    ":generation",
                    AttributeValue::S(known.generation.clone()),
                )
                .expression_attribute_values(":attempt", number(known.attempt)),
        };
        let seed = format!("record {}", record.generation);
        let send = || async {
            let error = match put.clone().send().await {
                Ok(_) => return Ok(Kept::Written),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    let record = failed.item().map(Record::from_item).transpose()?;
                    Ok(Kept::Other(record.map(Box::new)))
                }
                _ => Err(StoreError::of(PUT, &error)),
            }
        };
        persist(PUT, seed, deadline, send).await
    }

    /// Makes a lane the attempt's own. The rows that are committed through it,
    /// or none when it belongs to a later attempt already.
    ///
    /// # Errors
    ///
    /// As [`Store::keep_record`].
    pub async fn take_lane(
        &self,
        tenant: &Tenant,
        lane: &Lane,
        deadline: Instant,
    ) -> Result<Option<Vec<Row>>, StoreError> {
        let key = key::lane(tenant, &lane.request, &lane.generation, lane.number);
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.to_item()))
            .update_expression("SET #attempt = :attempt, #expires = :expires")
            .condition_expression("attribute_not_exists(#attempt) OR #attempt <= :attempt")
            .expression_attribute_names("#attempt", name::ATTEMPT)
            .expression_attribute_names("#expires", name::EXPIRES)
            .expression_attribute_values(":attempt", number(lane.attempt))
            .expression_attribute_values(":expires", number(seconds(lane.expires)))
            .return_values(ReturnValue::AllNew);
        let send = || async {
            let error = match update.clone().send().await {
                Ok(answer) => {
                    return Ok(Some(rows_of(&answer.attributes.unwrap_or_default())?));
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(StoreError::of(UPDATE, &error)),
            }
        };
        persist(UPDATE, key.sk.clone(), deadline, send).await
    }

    /// Writes the pieces of an answer behind the first.
    ///
    /// # Errors
    ///
    /// As [`Store::keep_record`].
    pub async fn keep_pieces(
        &self,
        tenant: &Tenant,
        request: &RequestKey,
        record: &Record,
        pieces: &[String],
        deadline: Instant,
    ) -> Result<(), StoreError> {
        for (place, text) in (1..).zip(pieces) {
            let key = key::piece(tenant, request, &record.generation, record.attempt, place);
            let mut item = key.to_item();
            item.insert(name::ANSWER.to_owned(), AttributeValue::S(text.clone()));
            let expires = number(seconds(record.expires));
            item.insert(name::EXPIRES.to_owned(), expires);
            let put = self.client.put_item().table_name(&*self.table);
            let put = put.set_item(Some(item));
            let send = || async {
                let sent = put.clone().send().await;
                sent.map_err(|error| StoreError::of(PUT, &error))
            };
            persist(PUT, key.sk, deadline, send).await?;
        }
        Ok(())
    }

    /// The pieces of an answer behind the first, joined.
    ///
    /// # Errors
    ///
    /// A fault of the table; a piece that is missing.
    pub async fn pieces(
        &self,
        tenant: &Tenant,
        request: &RequestKey,
        record: &Record,
        count: usize,
    ) -> Result<String, StoreError> {
        let numbers = 1..count;
        let key = |place| key::piece(tenant, request, &record.generation, record.attempt, place);
        let keys: Vec<_> = numbers.map(key).collect();
        let mut items = self.batch_get(keys.iter()).await?;
        let mut whole = String::new();
        for key in &keys {
            let mut item = items.remove(key).unwrap_or_default();
            match item.remove(name::ANSWER) {
                Some(AttributeValue::S(text)) => whole.push_str(&text),
                _ => {
                    let attribute = name::ANSWER;
                    return Err(MalformedItem { attribute }.into());
                }
            }
        }
        Ok(whole)
    }
}

/// Writes that may be sent again, with every attempt ended at the deadline: what
/// an end is noted with must not outlast its time.
async fn persist<T, F>(
    operation: &'static str,
    seed: String,
    deadline: Instant,
    send: impl Fn() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut retry = Retry::until(deadline, operation, seed);
    timeout_at(deadline, retry.persist(send))
        .await
        .unwrap_or(Err(StoreError::Unanswered {
            operation,
            reason: "timeout",
        }))
}
