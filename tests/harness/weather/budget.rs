//! The throughput of a partition.

use std::collections::HashMap;

use tokio::time::Instant;

/// What one partition key value may consume in a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Write units; DynamoDB's limit of a partition is 1,000.
    pub write: f64,
    /// Read units; DynamoDB's limit of a partition is 3,000.
    pub read: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            write: 1_000.0,
            read: 3_000.0,
        }
    }
}

/// One bucket per partition key value, holding at most one second's units. A
/// call is admitted while anything is left and may take the bucket into debt,
/// as a large item does with the real one.
#[derive(Debug, Default)]
pub(super) struct Buckets(HashMap<String, Bucket>);

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Buckets {
    pub(super) fn admits(&mut self, pk: &str, rate: f64) -> bool {
        self.refilled(pk, rate).left > 0.0
    }

    pub(super) fn take(&mut self, pk: &str, rate: f64, units: f64) {
        self.refilled(pk, rate).left -= units;
    }

    fn refilled(&mut self, pk: &str, rate: f64) -> &mut Bucket {
        let now = Instant::now();
        let bucket = self.0.entry(pk.to_owned()).or_insert(Bucket {
            left: rate,
            at: now,
        });
        let gained = (now - bucket.at).as_secs_f64() * rate;
        bucket.left = (bucket.left + gained).min(rate);
        bucket.at = now;
        bucket
    }
}
