//! What became of each operation.

use std::sync::Arc;

use super::operation::{Method, Operation, Rejection};
use super::target::Target;
use crate::scim::{ScimError, Version};
use crate::table::{Membership, Stored};

/// A settled operation.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Position in the request.
    pub index: usize,
    /// The method, in upper case where it is one.
    pub method: String,
    /// Echoed whatever the method.
    pub bulk_id: Option<String>,
    /// What it was about; absent when the path names nothing, and for a POST
    /// that failed.
    pub target: Option<Target>,
    /// Success, or the error that a single request would have had.
    pub result: Result<Done, ScimError>,
}

/// A success.
#[derive(Debug, Clone)]
pub struct Done {
    /// 200, 201 or 204.
    pub status: u16,
    /// The version that the operation left; none after a delete.
    pub version: Option<Version>,
    /// The resource as the operation left it; none after a delete, none of
    /// several operations, and none where an earlier run of the request has
    /// carried it out.
    pub resource: Option<Arc<Stored>>,
    /// The visible memberships of a group, when all of them are known.
    pub members: Option<Vec<Membership>>,
}

impl Outcome {
    /// The same operation, failed.
    #[must_use]
    pub fn failed(self, error: ScimError) -> Self {
        // RFC 7644 §3.7.3: no location for a POST that failed.
        let target = self
            .target
            .filter(|_| self.method != Method::Create.as_str());
        Self {
            target,
            result: Err(error),
            ..self
        }
    }

    /// The HTTP status that a single request would have had.
    pub fn status(&self) -> u16 {
        match &self.result {
            Ok(done) => done.status,
            Err(error) => error.status(),
        }
    }
}

impl Operation {
    /// This operation, settled.
    pub fn outcome(&self, result: Result<Done, ScimError>) -> Outcome {
        // RFC 7644 §3.7.3: no location for a POST that failed.
        let nowhere = self.method == Method::Create && result.is_err();
        Outcome {
            index: self.index,
            method: self.method.as_str().to_owned(),
            bulk_id: self.bulk_id.clone(),
            target: (!nowhere).then(|| self.target()),
            result,
        }
    }
}

impl Rejection {
    /// This entry, settled.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            index: self.index,
            method: self.method.clone(),
            bulk_id: self.bulk_id.clone(),
            target: self.target.clone(),
            result: Err(self.error.clone()),
        }
    }
}
