//! Update and condition expressions, written with placeholders only.
//!
//! No name and no value is ever part of the text, so no reserved word and
//! nothing that a client wrote can change what an expression means. This file
//! must not know which attributes there are.
//!
//! ```text
//! set(rev, 3), remove(open), require_equal(rev, 2)
//!   → SET #rev = :rev REMOVE #open   if #rev = :before
//! ```

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// An expression in the making.
#[derive(Debug, Default)]
pub(super) struct Expression {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    delete: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expression {
    pub(super) fn set(&mut self, attribute: &str, placeholder: &str, value: AttributeValue) {
        let clause = format!(
            "{} = {}",
            self.name(attribute),
            self.value(placeholder, value)
        );
        self.set.push(clause);
    }

    pub(super) fn remove(&mut self, attribute: &str) {
        let clause = self.name(attribute);
        self.remove.push(clause);
    }

    pub(super) fn add(&mut self, attribute: &str, placeholder: &str, value: AttributeValue) {
        let clause = format!(
            "{} {}",
            self.name(attribute),
            self.value(placeholder, value)
        );
        self.add.push(clause);
    }

    pub(super) fn delete(&mut self, attribute: &str, placeholder: &str, value: AttributeValue) {
        let clause = format!(
            "{} {}",
            self.name(attribute),
            self.value(placeholder, value)
        );
        self.delete.push(clause);
    }

    pub(super) fn require_equal(
        &mut self,
        attribute: &str,
        placeholder: &str,
        value: AttributeValue,
    ) {
        let clause = format!(
            "{} = {}",
            self.name(attribute),
            self.value(placeholder, value)
        );
        self.conditions.push(clause);
    }

    pub(super) fn require_present(&mut self, attribute: &str) {
        let clause = format!("attribute_exists({})", self.name(attribute));
        self.conditions.push(clause);
    }

    pub(super) fn require_absent(&mut self, attribute: &str) {
        let clause = format!("attribute_not_exists({})", self.name(attribute));
        self.conditions.push(clause);
    }

    pub(super) fn require_absent_or_equal(
        &mut self,
        attribute: &str,
        placeholder: &str,
        value: AttributeValue,
    ) {
        let (name, value) = (self.name(attribute), self.value(placeholder, value));
        self.conditions.push(format!(
            "(attribute_not_exists({name}) OR {name} = {value})"
        ));
    }

    pub(super) fn update(&self) -> String {
        let sections = [
            ("SET", &self.set),
            ("REMOVE", &self.remove),
            ("ADD", &self.add),
            ("DELETE", &self.delete),
        ];
        let sections = sections.iter().filter(|(_, clauses)| !clauses.is_empty());
        let sections: Vec<String> = sections
            .map(|(keyword, clauses)| format!("{keyword} {}", clauses.join(", ")))
            .collect();
        sections.join(" ")
    }

    pub(super) fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    /// DynamoDB refuses empty maps of placeholders.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    fn name(&mut self, attribute: &str) -> String {
        let placeholder = format!("#{attribute}");
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    fn value(&mut self, placeholder: &str, value: AttributeValue) -> String {
        let placeholder = format!(":{placeholder}");
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}
