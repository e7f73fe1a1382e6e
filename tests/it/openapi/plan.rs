//! What a dry run tells besides the rows: the plan.

use serde_json::{Map, Value, json};
use shared::plan::operation::MAX_BULK_ID;
use shared::scim::ScimType;

/// The member `plan` of a bulk response.
pub(super) fn plan() -> Value {
    let rows = |description: &str| {
        let mut schema = json!({"description": description});
        schema["type"] = json!("array");
        schema["items"] = json!({"type": "integer", "minimum": 0});
        schema
    };
    let unit = object(
        "Rows that stand or fall together.",
        vec![
            ("operations", rows("In order of execution.")),
            (
                "cycle",
                json!({"description": "Whether some of them refer to each other in a ring.", "type": "boolean"}),
            ),
        ],
        &[],
    );
    let transaction = object(
        "What is committed together.",
        vec![
            ("number", count("Its position.")),
            ("operations", rows("Its rows, in canonical order.")),
            ("actions", count("Actions, of which DynamoDB takes 100.")),
            ("bytes", count("Bytes, of which DynamoDB takes 4 MB.")),
            ("writeUnits", count("Estimated write units.")),
            (
                "after",
                rows("The transactions that must be committed before it."),
            ),
        ],
        &[],
    );
    let totals = [
        "operations",
        "failures",
        "units",
        "cycles",
        "transactions",
        "actions",
        "writeUnits",
    ];
    let mut sums: Vec<_> = totals.map(|name| (name, count("In all."))).into();
    sums.push(("depth", count("The longest chain of transactions.")));
    let many = |items: Value| json!({"type": "array", "items": items});
    object(
        "What would be done, with `dryRun=true`. Rows, units and transactions are named by their positions, from 0.",
        vec![
            ("order", rows("The rows in canonical order.")),
            ("operations", many(row(&rows))),
            ("units", many(unit)),
            ("cycles", many(rows("The rows of a ring of references."))),
            ("transactions", many(transaction)),
            ("totals", object("All together.", sums, &[])),
        ],
        &[],
    )
}

fn row(rows: &dyn Fn(&str) -> Value) -> Value {
    let keywords: Vec<&str> = ScimType::ALL.iter().map(|known| known.as_str()).collect();
    object(
        "A row of the request.",
        vec![
            ("index", count("Its position in the request.")),
            (
                "method",
                json!({"enum": ["POST", "PUT", "PATCH", "DELETE"]}),
            ),
            (
                "path",
                json!({"description": "What it is about; what the request creates stands there by its bulkId.", "type": "string"}),
            ),
            (
                "bulkId",
                json!({"type": "string", "maxLength": MAX_BULK_ID}),
            ),
            ("unit", count("Its unit.")),
            ("cycle", count("Its ring, where it is part of one.")),
            (
                "status",
                json!({"description": "How it would end; left out behind the row that reaches `failOnErrors`.", "type": "integer", "minimum": 200, "maximum": 599}),
            ),
            ("scimType", json!({"enum": keywords})),
            (
                "transaction",
                count("Its transaction, where it changes anything."),
            ),
            ("references", rows("The rows whose bulkId it names.")),
        ],
        &[
            "method",
            "path",
            "bulkId",
            "cycle",
            "status",
            "scimType",
            "transaction",
        ],
    )
}

fn count(description: &str) -> Value {
    json!({"description": description, "type": "integer", "minimum": 0})
}

/// An object of these members and no others, all there but for the optional.
fn object(description: &str, members: Vec<(&str, Value)>, optional: &[&str]) -> Value {
    let required: Vec<&str> = members
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !optional.contains(name))
        .collect();
    let properties: Map<String, Value> = members
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    json!({
        "description": description,
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}
