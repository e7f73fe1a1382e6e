//! Changes as actions of a transaction, each with the condition that guards it.
//!
//! The condition of an action is what the plan relied on: a revision, an owner,
//! that something exists or does not. Resources are written by `Update`, never
//! by `Put`, which would wipe the groups that others put them into meanwhile;
//! `pk` and `sk` are written by the key of the action. Names and values always
//! stand behind placeholders. This file must not know the client, nor in which
//! transaction an action travels.
//!
//! ```text
//! join User 3f0c9a52 +9b1c5e00
//!   → Update  ADD #in :joined, #mrev :moves  if attribute_exists(#pk)
//! ```

use std::sync::Arc;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use super::change::{Change, Lane};
use super::expression::Expression;
use super::item::{Stored, document, lookup_item};
use super::key::{Key, Tenant};
use super::membership::{Membership, past};
use super::name;
use super::record::Row;
use super::value::Item;
use super::value::{id_set, number, number_set, seconds};
use crate::scim::ResourceId;

const RETURN: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

/// The action that makes this change in `table`, or checks that nothing moved.
pub fn action(
    change: &Change,
    tenant: &Tenant,
    table: &str,
) -> Result<TransactWriteItem, BuildError> {
    let key = change.key(tenant);
    let writer = Writer { key: &key, table };
    match change {
        Change::Resource {
            before,
            after,
            exact,
            ..
        } => writer.resource(before.as_ref(), after.as_ref(), *exact),
        Change::Lookup {
            lookup,
            owner,
            before,
            after,
        } => writer.lookup(lookup.unique, *owner, *before, *after),
        Change::Membership { before, after, .. } => {
            writer.membership(before.as_ref(), after.as_ref())
        }
        Change::Counter { by, .. } => {
            let mut expression = Expression::default();
            expression.add(name::N, "by", number(*by));
            writer.update(expression)
        }
        Change::Marker { lane, rows } => writer.update(marked(lane, rows)),
    }
}

struct Writer<'a> {
    key: &'a Key,
    table: &'a str,
}

impl Writer<'_> {
    fn resource(
        &self,
        before: Option<&Arc<Stored>>,
        after: Option<&Arc<Stored>>,
        exact: bool,
    ) -> Result<TransactWriteItem, BuildError> {
        match (before, after) {
            (None, None) => self.check(absent()),
            (None, Some(after)) => self.update(created(after)),
            (Some(before), None) => {
                let mut expression = Expression::default();
                expression.require_equal(name::REV, "rev", number(before.rev));
                require_groups_rev(&mut expression, before);
                self.delete(expression)
            }
            (Some(before), Some(after)) if before == after => {
                let mut expression = Expression::default();
                expression.require_equal(name::REV, "rev", number(before.rev));
                self.check(expression)
            }
            (Some(before), Some(after)) => self.update(changed(before, after, exact)),
        }
    }

    /// A lookup that several resources may own is guarded by the condition of
    /// its resource, which travels in the same transaction.
    fn lookup(
        &self,
        unique: bool,
        owner: ResourceId,
        before: Option<ResourceId>,
        after: Option<ResourceId>,
    ) -> Result<TransactWriteItem, BuildError> {
        let mut expression = Expression::default();
        match before {
            _ if !unique => {}
            None => expression = absent(),
            Some(before) => {
                let value = AttributeValue::S(before.to_string());
                expression.require_equal(name::OWNER, "before", value);
            }
        }
        match after {
            Some(after) if unique && before == Some(after) => self.check(expression),
            Some(after) => self.put(lookup_item(self.key, after), expression),
            None if unique && before.is_none() => self.check(expression),
            None => {
                debug_assert!(unique || before.is_none_or(|before| before == owner));
                self.delete(expression)
            }
        }
    }

    /// Guarded by what was read of it, so that nothing rests on a membership as
    /// a reader may see it while another transaction commits, and the header's
    /// digest moves by what has really come or gone.
    fn membership(
        &self,
        before: Option<&Membership>,
        after: Option<&Membership>,
    ) -> Result<TransactWriteItem, BuildError> {
        let guard = unmoved(before);
        match after {
            after if after == before => self.check(guard),
            Some(after) => self.update(moved(guard, after)),
            None => self.delete(guard),
        }
    }

    fn put(&self, item: Item, guard: Expression) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(self.table)
            .set_item(Some(item))
            .set_condition_expression(guard.condition())
            .set_expression_attribute_names(guard.names())
            .set_expression_attribute_values(guard.values())
            .return_values_on_condition_check_failure(RETURN)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn update(&self, expression: Expression) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(self.table)
            .set_key(Some(self.key.to_item()))
            .update_expression(expression.update())
            .set_condition_expression(expression.condition())
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .return_values_on_condition_check_failure(RETURN)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn delete(&self, guard: Expression) -> Result<TransactWriteItem, BuildError> {
        let delete = Delete::builder()
            .table_name(self.table)
            .set_key(Some(self.key.to_item()))
            .set_condition_expression(guard.condition())
            .set_expression_attribute_names(guard.names())
            .set_expression_attribute_values(guard.values())
            .return_values_on_condition_check_failure(RETURN)
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn check(&self, guard: Expression) -> Result<TransactWriteItem, BuildError> {
        let check = ConditionCheck::builder()
            .table_name(self.table)
            .set_key(Some(self.key.to_item()))
            .set_condition_expression(guard.condition())
            .set_expression_attribute_names(guard.names())
            .set_expression_attribute_values(guard.values())
            .return_values_on_condition_check_failure(RETURN)
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

fn absent() -> Expression {
    let mut expression = Expression::default();
    expression.require_absent(name::PK);
    expression
}

fn created(after: &Stored) -> Expression {
    let mut expression = absent();
    expression.set(name::REV, "rev", number(after.rev));
    expression.set(name::CREATED, "created", number(after.created.0));
    expression.set(name::MODIFIED, "modified", number(after.modified.0));
    expression.set(name::DOC, "doc", document(&after.attributes));
    if let Some(groups) = id_set(&after.groups) {
        expression.set(name::IN, "in", groups);
    }
    if after.groups_rev > 0 {
        expression.set(name::MREV, "mrev", number(after.groups_rev));
    }
    if let Some(header) = &after.header {
        expression.set(name::NEXT, "next", number(header.next));
        if let Some(open) = number_set(&header.open) {
            expression.set(name::OPEN, "open", open);
        }
        if let Some(digest) = header.members.to_value() {
            expression.set(name::DIGEST, "digest", digest);
        }
    }
    expression
}

/// Only what differs is sent. The condition is on the revision, except where
/// nothing but the groups moves: joining and leaving are relative, so that they
/// conflict with no change of the resource itself. Unless somebody in the same
/// transaction rests on it as it was read: then it is `exact`.
///
/// Whoever joins or leaves must not bring the document along: it is the one that
/// was read, and somebody else may have changed it since. That it differs from
/// the one before says nothing, since a password is hashed only in what is
/// written.
fn changed(before: &Stored, after: &Stored, exact: bool) -> Expression {
    let mut expression = Expression::default();
    if after.rev == before.rev && !exact {
        expression.require_present(name::PK);
    } else {
        expression.require_equal(name::REV, "before", number(before.rev));
    }
    if after.rev != before.rev {
        expression.set(name::REV, "rev", number(after.rev));
        if after.modified != before.modified {
            expression.set(name::MODIFIED, "modified", number(after.modified.0));
        }
        if after.attributes != before.attributes {
            expression.set(name::DOC, "doc", document(&after.attributes));
        }
    }
    if let Some(header) = &after.header {
        let known = before.header.clone().unwrap_or_default();
        if header.next != known.next {
            expression.set(name::NEXT, "next", number(header.next));
        }
        let sets = [
            (
                name::OPEN,
                "open",
                number_set(&header.open),
                number_set(&known.open),
            ),
            (
                name::DIGEST,
                "digest",
                header.members.to_value(),
                known.members.to_value(),
            ),
        ];
        for (attribute, placeholder, value, known) in sets {
            match value {
                value if value == known => {}
                Some(value) => expression.set(attribute, placeholder, value),
                None => expression.remove(attribute),
            }
        }
    }
    change_groups(&mut expression, before, after);
    expression
}

/// Whoever only joins, or only leaves, does so relatively, and the set may move
/// meanwhile. The whole set is written, and must then be the one that was read,
/// where DynamoDB would refuse it otherwise, which is ADD and DELETE of one
/// attribute in one expression; and where the set has moved more often than it
/// shows: then something came and went again, or the set disagreed with a
/// membership, as when both were read while a transaction was committing.
/// The set's revision moves by as much as the plan moved it: a later
/// transaction of the plan may rely on it.
fn change_groups(expression: &mut Expression, before: &Stored, after: &Stored) {
    let joined: Vec<_> = after.groups.difference(&before.groups).collect();
    let left: Vec<_> = before.groups.difference(&after.groups).collect();
    let moves = after.groups_rev.saturating_sub(before.groups_rev);
    if moves == 0 {
        return;
    }
    let shown = joined.len().saturating_add(left.len()) as u64;
    match (id_set(joined), id_set(left)) {
        (Some(joined), None) if moves == shown => {
            expression.add(name::IN, "joined", joined);
            expression.add(name::MREV, "moves", number(moves));
        }
        (None, Some(left)) if moves == shown => {
            expression.delete(name::IN, "left", left);
            expression.add(name::MREV, "moves", number(moves));
        }
        _ => {
            match id_set(&after.groups) {
                Some(groups) => expression.set(name::IN, "in", groups),
                None => expression.remove(name::IN),
            }
            require_groups_rev(expression, before);
            let next = before.groups_rev.saturating_add(moves);
            expression.set(name::MREV, "mrev_after", number(next));
        }
    }
}

fn require_groups_rev(expression: &mut Expression, before: &Stored) {
    if before.groups_rev == 0 {
        expression.require_absent(name::MREV);
    } else {
        expression.require_equal(name::MREV, "mrev", number(before.groups_rev));
    }
}

/// Only the present interval is compared: the earlier ones change with it.
fn unmoved(before: Option<&Membership>) -> Expression {
    let Some(before) = before else {
        return absent();
    };
    let mut expression = Expression::default();
    expression.require_equal(name::SINCE, "begun", number(before.current.since));
    match before.current.until {
        Some(until) => {
            expression.require_equal(name::UNTIL, "ended", number(until));
        }
        None => {
            expression.require_absent(name::UNTIL);
        }
    }
    expression
}

/// An update creates the item where there is none.
fn moved(mut expression: Expression, after: &Membership) -> Expression {
    let member_type = AttributeValue::S(after.member_type.clone());
    expression.set(name::TYPE, "type", member_type);
    expression.set(name::SINCE, "since", number(after.current.since));
    let optional = [
        (name::UNTIL, "until", after.current.until.map(number)),
        (
            name::EXPIRES,
            "expires",
            after.expires.map(|at| number(seconds(at))),
        ),
        (name::PAST, "past", past(&after.past)),
    ];
    for (attribute, placeholder, value) in optional {
        match value {
            Some(value) => expression.set(attribute, placeholder, value),
            None => expression.remove(attribute),
        }
    }
    expression
}

/// Another attempt that has made the lane its own since refuses the whole
/// transaction.
fn marked(lane: &Lane, rows: &[Row]) -> Expression {
    let mut expression = Expression::default();
    let attempt = number(lane.attempt);
    expression.require_absent_or_equal(name::ATTEMPT, "attempt", attempt.clone());
    expression.set(name::ATTEMPT, "attempt", attempt);
    expression.set(name::EXPIRES, "expires", number(seconds(lane.expires)));
    let rows = rows.iter().map(|row| row.to_text()).collect();
    expression.add(name::ROWS, "rows", AttributeValue::Ss(rows));
    expression
}

#[cfg(test)]
mod tests;
