//! A change applied to the elements of a multi-valued attribute.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::apply::{assign, in_object, merge, unassign};
use super::effort::check_copies;
use super::element::{self, PRIMARY, Selection};
use super::{Change, Content, Dialect, Parts, Verb, named_by};
use crate::scim::ScimError;
use crate::scim::filter::{Filter, Operand, Operator};
use crate::scim::resource::coerce_element;
use crate::scim::schema::{Attribute, Mutability, Type};

impl Change {
    /// Changes the list in place; the caller drops an empty one.
    pub(super) fn write_list(
        &self,
        dialect: Dialect,
        list: &mut Vec<Value>,
    ) -> Result<(), ScimError> {
        let attribute = self.path.attribute;
        if self.filter.is_some() || self.path.sub.is_some() {
            return self.write_selected(dialect, list);
        }
        let elements = match &self.content {
            Content::List(elements) => elements.as_slice(),
            _ => {
                list.clear();
                return Ok(());
            }
        };
        match self.verb {
            Verb::Remove => {
                let selection = Selection::new(attribute, elements);
                list.retain(|element| !selection.contains(element));
                return Ok(());
            }
            Verb::Replace => element::keep(attribute, list, elements),
            Verb::Add => {}
        }
        if let Some(primary) = element::append(attribute, list, elements) {
            element::keep_primary(list, primary);
        }
        Ok(())
    }

    /// Writes to the elements that the filter selects; to all without a filter.
    fn write_selected(&self, dialect: Dialect, list: &mut Vec<Value>) -> Result<(), ScimError> {
        let named = self.named_exactly();
        let matches = |element: &Value| match (&self.filter, &named) {
            (None, _) => true,
            (Some(filter), None) => filter.matches_element(element),
            (Some(filter), Some(ids)) => {
                let id = element.get("value").and_then(Value::as_str);
                id.is_some_and(|id| ids.contains(id)) && filter.matches_element(element)
            }
        };
        let selected: Vec<usize> = list
            .iter()
            .enumerate()
            .filter(|(_, element)| matches(element))
            .map(|(index, _)| index)
            .collect();
        if selected.is_empty() {
            return self.write_unmatched(dialect, list);
        }
        let removes = self.verb == Verb::Remove || matches!(self.content, Content::Nothing);
        if removes && self.path.sub.is_none() {
            let mut selected = selected.into_iter().peekable();
            let mut indexes = 0..;
            list.retain(|_| {
                let index = indexes.next();
                index.is_none_or(|index| selected.next_if_eq(&index).is_none())
            });
            return Ok(());
        }
        if self.sets_primary() && selected.len() > 1 {
            let name = &self.path.attribute.name;
            let message = format!("more than one of `{name}` would be primary");
            return Err(ScimError::invalid_value(message));
        }
        check_copies(self, selected.len())?;
        for index in &selected {
            if let Some(element) = list.get_mut(*index) {
                self.write_element(element)?;
            }
        }
        if let [only] = selected.as_slice()
            && self.sets_primary()
        {
            element::keep_primary(list, *only);
        }
        list.retain(|element| {
            element
                .as_object()
                .is_none_or(|members| !members.is_empty())
        });
        if self.path.attribute.kind != Type::Complex {
            element::keep_distinct(self.path.attribute, list);
        }
        Ok(())
    }

    /// The only values that the filter can match, so that one operation per
    /// member does not evaluate its filter on every member.
    pub(super) fn named_exactly(&self) -> Option<BTreeSet<String>> {
        let value = self.path.attribute.sub("value")?;
        value.case_exact.then_some(())?;
        named_by(self.filter.as_ref()?)
    }

    fn write_element(&self, element: &mut Value) -> Result<(), ScimError> {
        match (self.path.sub, &self.content) {
            (Some(sub), Content::Simple(value)) => {
                in_object(element, |members| assign(members, sub, value.clone()))
            }
            (Some(sub), _) => in_object(element, |members| unassign(members, sub)),
            (None, Content::Parts(parts)) if self.verb == Verb::Replace => {
                in_object(element, |members| {
                    *members = self.replacement(members, parts)?;
                    Ok(())
                })
            }
            (None, Content::Parts(parts)) => in_object(element, |members| merge(members, parts)),
            (None, Content::Simple(value)) => {
                *element = value.clone();
                Ok(())
            }
            (None, Content::Nothing | Content::List(_)) => Ok(()),
        }
    }

    /// RFC 7644 §3.5.2.3: a matching element is replaced as a whole. What the
    /// filter says of it stays true unless the value says otherwise, and so does
    /// which element is primary: that is a mark in the list, not a part of the
    /// value.
    fn replacement(
        &self,
        old: &Map<String, Value>,
        parts: &Parts,
    ) -> Result<Map<String, Value>, ScimError> {
        let mut new = Map::new();
        for (sub, value) in self.filter.iter().flat_map(|filter| implied(filter).0) {
            if !parts.iter().any(|(named, _)| named.name == sub.name) {
                new.insert(sub.name.clone(), value);
            }
        }
        for sub in &self.path.attribute.sub_attributes {
            let named = parts.iter().any(|(part, _)| part.name == sub.name);
            if (sub.mutability == Mutability::Immutable || sub.name == PRIMARY && !named)
                && let Some(value) = old.get(&sub.name)
            {
                new.insert(sub.name.clone(), value.clone());
            }
        }
        merge(&mut new, parts)?;
        Ok(new)
    }

    fn write_unmatched(&self, dialect: Dialect, list: &mut Vec<Value>) -> Result<(), ScimError> {
        let creates = self.verb == Verb::Add || self.filter.is_none() || dialect.entra;
        if self.verb == Verb::Remove {
            return Ok(());
        }
        if !creates {
            return Err(self.no_target());
        }
        if matches!(self.content, Content::Nothing) {
            return Ok(());
        }
        let mut new = Map::new();
        if let Some(filter) = &self.filter {
            let (equalities, complete) = implied(filter);
            if !complete || self.path.attribute.kind != Type::Complex {
                return Err(self.no_target());
            }
            for (sub, value) in equalities {
                match new.insert(sub.name.clone(), value.clone()) {
                    Some(other) if other != value => return Err(self.no_target()),
                    _ => {}
                }
            }
        }
        match (self.path.sub, &self.content) {
            (Some(sub), Content::Simple(value)) => {
                new.insert(sub.name.clone(), value.clone());
            }
            (None, Content::Parts(parts)) => {
                for (sub, value) in parts {
                    match value {
                        Some(value) => new.insert(sub.name.clone(), value.clone()),
                        None => new.shift_remove(&sub.name),
                    };
                }
            }
            _ => {}
        }
        // What a filter may ask for is more than what an element may have.
        let attribute = self.path.attribute;
        let Some(element) = coerce_element(attribute, &Value::Object(new), &attribute.name)? else {
            return Ok(());
        };
        if let Some(primary) = element::append(self.path.attribute, list, &[element]) {
            element::keep_primary(list, primary);
        }
        Ok(())
    }

    fn sets_primary(&self) -> bool {
        let yes = |value: &Value| *value == Value::Bool(true);
        match (self.path.sub, &self.content) {
            (Some(sub), Content::Simple(value)) => sub.name == PRIMARY && yes(value),
            (None, Content::Parts(parts)) => parts
                .iter()
                .any(|(sub, value)| sub.name == PRIMARY && value.as_ref().is_some_and(yes)),
            _ => false,
        }
    }

    fn no_target(&self) -> ScimError {
        let filter = self
            .filter
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let name = &self.path.attribute.name;
        ScimError::no_target(format!("no element of `{name}` matches `{filter}`"))
    }
}

/// The equalities that every matching element has, and whether they are all
/// that the filter asks for.
fn implied(filter: &Filter) -> (Vec<(&'static Attribute, Value)>, bool) {
    match filter {
        Filter::And(terms) => {
            let (lists, complete): (Vec<_>, Vec<_>) = terms.iter().map(implied).unzip();
            (
                lists.into_iter().flatten().collect(),
                complete.into_iter().all(|yes| yes),
            )
        }
        Filter::Compare {
            path,
            operator: Operator::Eq,
            operand,
        } => {
            let value = match operand {
                Operand::String(text) => Value::from(text.as_str()),
                Operand::Number(number) => Value::Number(number.clone()),
                Operand::Boolean(value) => Value::Bool(*value),
                Operand::Null => return (Vec::new(), true),
            };
            (path.sub.map(|sub| (sub, value)).into_iter().collect(), true)
        }
        _ => (Vec::new(), false),
    }
}
