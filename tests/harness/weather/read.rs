//! Reads: budgets, unprocessed keys, states of the past.

use std::collections::HashMap;
use std::time::Duration;

use local::dynamo::{Answer, Embedded};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::action::{Item, Place, queried_partition, read_units};
use super::fault::Fault;
use super::past;
use super::server::{Call, Server, throttled};

impl Server {
    /// GetItem, BatchGetItem or Query, answered from the state in the middle of
    /// its latency.
    pub(super) async fn read(
        &self,
        call: &mut Call,
        operation: &str,
        mut request: Value,
        fault: Option<Fault>,
    ) -> Answer {
        self.state()
            .report
            .iam
            .insert(format!("dynamodb:{operation}"));
        let latency = self.latency(&mut call.chance);
        sleep(latency / 2).await;
        let answer = if fault == Some(Fault::Throttle) {
            let mut state = self.state();
            state.report.faults += 1;
            state.report.throttles += 1;
            throttled()
        } else if operation == "BatchGetItem" {
            self.batch(call, request)
        } else {
            self.single(call, operation, &mut request)
        };
        sleep(latency / 2).await;
        answer
    }

    /// GetItem or Query.
    fn single(&self, call: &mut Call, operation: &str, request: &mut Value) -> Answer {
        let table = request["TableName"].as_str().unwrap_or_default().to_owned();
        let pk = if operation == "Query" {
            queried_partition(request).unwrap_or_default()
        } else {
            self.state().report.keys_read += 1;
            Place::of(&table, &request["Key"]).pk
        };
        if !self.admits_read(&pk) {
            return throttled();
        }
        let consistent = request["ConsistentRead"] == Value::Bool(true);
        let asked = request.get("ReturnConsumedCapacity").is_some();
        request["ReturnConsumedCapacity"] = json!("TOTAL");
        let body = request.to_string();
        let mut answer = self
            .source(call, &table, consistent)
            .answer(operation, &body);
        let Ok(mut reply) = serde_json::from_str::<Value>(&answer.body) else {
            return answer;
        };
        if let Some(units) = reply["ConsumedCapacity"]["CapacityUnits"].as_f64() {
            self.take_read(&pk, units);
        }
        if !asked && let Some(reply) = reply.as_object_mut() {
            reply.remove("ConsumedCapacity");
        }
        answer.body = reply.to_string();
        answer
    }

    /// BatchGetItem: keys without throughput, and some by chance, come back
    /// unprocessed; at least one is always tried.
    fn batch(&self, call: &mut Call, mut request: Value) -> Answer {
        let unlucky = self.state().settings.rates.unprocessed;
        let mut unprocessed = Map::new();
        let (mut tried, mut table, mut consistent) = (Vec::new(), String::new(), true);
        let tables = request["RequestItems"].as_object_mut();
        for (name, wanted) in tables.into_iter().flatten() {
            name.clone_into(&mut table);
            consistent &= wanted["ConsistentRead"] == Value::Bool(true);
            let mut left = wanted.clone();
            let keys = wanted["Keys"]
                .as_array_mut()
                .map(std::mem::take)
                .unwrap_or_default();
            let refused = |key: &Value| {
                let admitted = self.admits_read(&Place::of(name, key).pk);
                !admitted
            };
            let (mut kept, mut later) = (Vec::new(), Vec::new());
            for key in keys {
                let wait = refused(&key) || (!tried.is_empty() && call.chance.hits(unlucky));
                if !wait {
                    tried.push(Place::of(name, &key));
                }
                if wait {
                    later.push(key)
                } else {
                    kept.push(key)
                }
            }
            wanted["Keys"] = Value::Array(kept);
            if !later.is_empty() {
                left["Keys"] = Value::Array(later);
                unprocessed.insert(name.clone(), left);
            }
        }
        if tried.is_empty() && !unprocessed.is_empty() {
            return throttled();
        }
        let mut answer = self
            .source(call, &table, consistent)
            .answer("BatchGetItem", &request.to_string());
        let Ok(mut reply) = serde_json::from_str::<Value>(&answer.body) else {
            return answer;
        };
        if answer.status == 200 {
            self.account(&tried, &reply, consistent);
            merge_unprocessed(&mut reply, unprocessed);
            answer.body = reply.to_string();
        }
        answer
    }

    fn account(&self, tried: &[Place], reply: &Value, consistent: bool) {
        let mut found: HashMap<Place, &Item> = HashMap::new();
        for (table, items) in reply["Responses"].as_object().into_iter().flatten() {
            for item in items.as_array().into_iter().flatten() {
                if let Some(content) = item.as_object() {
                    found.insert(Place::of(table, item), content);
                }
            }
        }
        self.state().report.keys_read += tried.len() as u64;
        for place in tried {
            self.take_read(&place.pk, read_units(found.get(place).copied(), consistent));
        }
    }

    fn admits_read(&self, pk: &str) -> bool {
        let mut state = self.state();
        let Some(budget) = state.settings.budget else {
            return true;
        };
        let admitted = state.reads.admits(pk, budget.read);
        state.report.throttles += u64::from(!admitted);
        admitted
    }

    fn take_read(&self, pk: &str, units: f64) {
        let mut state = self.state();
        state.report.read_units += units;
        if let Some(budget) = state.settings.budget {
            state.reads.take(pk, budget.read, units);
        }
    }

    /// Where a read is answered from.
    fn source(&self, call: &mut Call, table: &str, consistent: bool) -> Embedded {
        if consistent {
            return self.embedded.clone();
        }
        let state = self.state();
        let zero = Duration::ZERO;
        let age = call.chance.within(&(zero..=state.settings.lag));
        past::rewound(&self.embedded, table, &state.journal, Instant::now() - age)
    }
}

fn merge_unprocessed(reply: &mut Value, unprocessed: Map<String, Value>) {
    for (table, left) in unprocessed {
        let already = reply["UnprocessedKeys"][&table]["Keys"].as_array().cloned();
        let mut left = left;
        if let Some(keys) = left["Keys"].as_array_mut() {
            keys.extend(already.unwrap_or_default());
        }
        reply["UnprocessedKeys"][&table] = left;
    }
}
