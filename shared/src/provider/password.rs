//! Passwords become hashes at the last moment: only for rows that the
//! simulation lets through, just before their transaction is sent.
//!
//! Argon2id with m = 7,168 KiB, t = 5, p = 1 (OWASP's smallest memory choice): a
//! hash costs tens of milliseconds of a full core, so one that is not needed is
//! never made. The stored form is an object around the PHC string, which no
//! client can send, so that a hash and a clear password cannot be confused.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use serde_json::{Value, json};

use super::Provider;
use crate::ambient::Moment;
use crate::plan::Transaction;
use crate::scim::ResourceId;
use crate::table::Change;

/// Hashes the passwords of one request.
pub(super) struct Passwords<'a> {
    keep: bool,
    moment: &'a Moment,
    /// A later step that rewrites the resource must write the same hash.
    made: HashMap<(ResourceId, String), Value>,
}

impl<'a> Passwords<'a> {
    pub(super) fn new(provider: &Provider, moment: &'a Moment) -> Self {
        Self {
            keep: provider.config.hash_passwords,
            moment,
            made: HashMap::new(),
        }
    }

    /// Replaces every clear password in what the transaction writes.
    ///
    /// # Errors
    /// When the hash cannot be made, which the fixed parameters exclude; the
    /// transaction must then not be sent.
    pub(super) fn seal(&mut self, transaction: &mut Transaction) -> Result<(), HashFailed> {
        for planned in &mut transaction.changes {
            let Change::Resource {
                id,
                after: Some(after),
                ..
            } = &mut planned.change
            else {
                continue;
            };
            let Some(Value::String(clear)) = after.attributes.get("password") else {
                continue;
            };
            let sealed = if self.keep {
                Some(self.hash(*id, clear.clone())?)
            } else {
                None
            };
            let stored = Arc::make_mut(after);
            match sealed {
                Some(hash) => stored.attributes.insert("password".into(), hash),
                None => stored.attributes.shift_remove("password"),
            };
        }
        Ok(())
    }

    fn hash(&mut self, id: ResourceId, clear: String) -> Result<Value, HashFailed> {
        let count = self.made.len() as u64;
        match self.made.entry((id, clear)) {
            Entry::Occupied(made) => Ok(made.get().clone()),
            Entry::Vacant(vacant) => {
                let salt = self.moment.bytes("salt", count);
                let hash = phc(vacant.key().1.as_bytes(), salt.first_chunk::<16>())?;
                Ok(vacant.insert(json!({ "phc": hash })).clone())
            }
        }
    }
}

/// The password could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HashFailed;

fn phc(clear: &[u8], salt: Option<&[u8; 16]>) -> Result<String, HashFailed> {
    let params = Params::new(7_168, 5, 1, None).map_err(|_| HashFailed)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = salt.ok_or(HashFailed)?;
    let hash = argon2
        .hash_password_with_salt(clear, salt)
        .map_err(|_| HashFailed)?;
    Ok(hash.to_string())
}
