//! A plan as JSON: the summary, and what it costs beside it.

use serde::Serialize;
use shared::plan::Summary;

use super::Price;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Priced<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    dollars_per_million: f64,
}

/// The plan with the member `dollarsPerMillion` added.
///
/// # Errors
///
/// None that a summary could cause.
pub fn render(summary: &Summary, price: Price) -> Result<String, serde_json::Error> {
    let dollars = price.of_a_million(summary.totals.write_units).0;
    serde_json::to_string_pretty(&Priced {
        summary,
        dollars_per_million: (dollars * 100.0).round() / 100.0,
    })
}
