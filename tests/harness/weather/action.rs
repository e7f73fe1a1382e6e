//! Requests and items as JSON: which keys they touch, how large they are.

use serde_json::{Map, Value, json};

/// An item: attribute names to values in DynamoDB's JSON.
pub(crate) type Item = Map<String, Value>;

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) table: String,
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Place {
    pub(crate) fn of(table: &str, item: &Value) -> Self {
        let part = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        Self {
            table: table.to_owned(),
            pk: part("pk"),
            sk: part("sk"),
        }
    }

    pub(super) fn key(&self) -> Value {
        json!({"pk": {"S": self.pk}, "sk": {"S": self.sk}})
    }
}

/// One action of a transaction, or a plain write.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) place: Place,
    /// A ConditionCheck reads only.
    pub(super) writes: bool,
    /// Not less than what the action can add to its item.
    pub(super) weight: usize,
    /// The permission it needs.
    pub(super) iam: &'static str,
}

impl Action {
    /// The actions of a TransactWriteItems in order. Malformed ones are left
    /// to the emulator to refuse.
    pub(super) fn all(request: &Value) -> Vec<Self> {
        let list = request["TransactItems"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter().filter_map(Self::of).collect()
    }

    fn of(item: &Value) -> Option<Self> {
        let (kind, body) = item
            .as_object()?
            .iter()
            .find(|(_, body)| body.is_object())?;
        let operation = match kind.as_str() {
            "Put" => "PutItem",
            "Update" => "UpdateItem",
            "Delete" => "DeleteItem",
            _ => "ConditionCheckItem",
        };
        Some(Self::plain(operation, body))
    }

    /// The single action of PutItem, UpdateItem or DeleteItem.
    pub(super) fn plain(operation: &str, request: &Value) -> Self {
        let table = request["TableName"].as_str().unwrap_or_default();
        let key = if operation == "PutItem" {
            &request["Item"]
        } else {
            &request["Key"]
        };
        Self {
            place: Place::of(table, key),
            writes: operation != "ConditionCheckItem",
            weight: request.to_string().len(),
            iam: match operation {
                "PutItem" => "dynamodb:PutItem",
                "UpdateItem" => "dynamodb:UpdateItem",
                "DeleteItem" => "dynamodb:DeleteItem",
                _ => "dynamodb:ConditionCheckItem",
            },
        }
    }
}

/// The partition key value that a Query names, as far as it is written
/// `name = :value` in its key condition.
pub(super) fn queried_partition(request: &Value) -> Option<String> {
    let condition = request["KeyConditionExpression"].as_str()?;
    let spaced = condition.replace('=', " = ").replace(['(', ')'], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words.windows(3).find_map(|window| {
        let [name, "=", value] = window else {
            return None;
        };
        let name = request["ExpressionAttributeNames"][name]
            .as_str()
            .unwrap_or(name);
        let value = &request["ExpressionAttributeValues"][value]["S"];
        (name == "pk")
            .then(|| value.as_str().map(str::to_owned))
            .flatten()
    })
}

/// The size of an item in bytes as DynamoDB counts it: UTF-8 of names and
/// values, numbers at about half their digits, three bytes and one per element
/// for a list or map.
pub(super) fn size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, content)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    let text = |content: &Value| content.as_str().map_or(0, str::len);
    let number = |content: &Value| text(content).div_ceil(2) + 1;
    let binary = |content: &Value| {
        let encoded = content.as_str().unwrap_or_default();
        encoded.trim_end_matches('=').len() * 3 / 4
    };
    let sum = |size: &dyn Fn(&Value) -> usize| {
        content
            .as_array()
            .map_or(0, |list| list.iter().map(size).sum())
    };
    match kind.as_str() {
        "S" => text(content),
        "N" => number(content),
        "B" => binary(content),
        "SS" => sum(&text),
        "NS" => sum(&number),
        "BS" => sum(&binary),
        "L" => 3 + sum(&|element| 1 + value_size(element)),
        "M" => 3 + content.as_object().map_or(0, |map| map.len() + size(map)),
        _ => 1,
    }
}

/// Write units of one action outside a transaction: one per KB begun, of the
/// larger of the item before and after.
pub(super) fn write_units(before: Option<&Item>, after: Option<&Item>) -> f64 {
    blocks(before.map_or(0, size).max(after.map_or(0, size)), 1_024)
}

/// Read units of one item: one per 4 KB begun, half of that when the read need
/// not be consistent.
pub(super) fn read_units(item: Option<&Item>, consistent: bool) -> f64 {
    blocks(item.map_or(0, size), 4_096) * if consistent { 1.0 } else { 0.5 }
}

fn blocks(bytes: usize, block: usize) -> f64 {
    let blocks = u32::try_from(bytes.div_ceil(block).max(1)).unwrap_or(u32::MAX);
    f64::from(blocks)
}
