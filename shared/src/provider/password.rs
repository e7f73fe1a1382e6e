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
use tokio::task::yield_now;
use tokio::time::Instant;

use super::Provider;
use crate::ambient::Moment;
use crate::plan::Transaction;
use crate::scim::{ResourceId, ScimError};
use crate::store::SETTLE;
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

    /// Replaces every clear password in what the transaction writes. Everybody
    /// else has a turn after each hash: there is one core, and what is under way
    /// would run out of its time while a thousand are made.
    ///
    /// # Errors
    ///
    /// When no time is left to send the transaction, or a hash cannot be made,
    /// which the fixed parameters exclude; it must then not be sent.
    pub(super) async fn seal(&mut self, transaction: &mut Transaction) -> Result<(), Unsealed> {
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
                Some(self.hash(*id, clear.clone()).await?)
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

    async fn hash(&mut self, id: ResourceId, clear: String) -> Result<Value, Unsealed> {
        match self.made.entry((id, clear)) {
            Entry::Occupied(made) => Ok(made.get().clone()),
            Entry::Vacant(vacant) => {
                if self.moment.deadline <= Instant::now() + SETTLE {
                    return Err(Unsealed::NoTime);
                }
                // Of the resource, so that no two have one, also in a later round.
                let salt = self.moment.bytes(&format!("salt {id}"), 0);
                let hash = phc(vacant.key().1.as_bytes(), salt.first_chunk::<16>())?;
                let sealed = vacant.insert(json!({ "phc": hash })).clone();
                yield_now().await;
                Ok(sealed)
            }
        }
    }
}

/// Why a transaction still holds a clear password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsealed {
    /// None was left to send it.
    NoTime,
    /// A hash could not be made.
    NoHash,
}

/// A digest of what may contain a password, from which that is as costly to
/// guess as from its hash.
///
/// # Errors
/// 500 for a salt of less than 8 bytes.
pub fn stretched(digest: [u8; 32], salt: &[u8]) -> Result<[u8; 32], ScimError> {
    let mut stretched = [0; 32];
    let argon2 = argon2().map_err(|_| ScimError::internal())?;
    argon2
        .hash_password_into(&digest, salt, &mut stretched)
        .map_err(|_| ScimError::internal())?;
    Ok(stretched)
}

fn argon2() -> Result<Argon2<'static>, Unsealed> {
    let params = Params::new(7_168, 5, 1, None).map_err(|_| Unsealed::NoHash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn phc(clear: &[u8], salt: Option<&[u8; 16]>) -> Result<String, Unsealed> {
    let salt = salt.ok_or(Unsealed::NoHash)?;
    let hash = argon2()?
        .hash_password_with_salt(clear, salt)
        .map_err(|_| Unsealed::NoHash)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;

    use super::*;
    use crate::plan::Planned;
    use crate::scim::Timestamp;
    use crate::scim::schema::catalogue;
    use crate::table::Stored;

    fn creates(count: u8) -> Transaction {
        let user = catalogue().by_name("User").unwrap();
        let create = |n: u8| {
            let id = ResourceId::from_bytes([n; 16]);
            let attributes = json!({"userName": "u", "password": "t1meMa$heen"});
            let after = Stored {
                id,
                rev: 1,
                created: Timestamp(0),
                modified: Timestamp(0),
                attributes: serde_json::from_value(attributes).unwrap(),
                groups: Default::default(),
                groups_rev: 0,
                header: None,
            };
            let change = Change::Resource {
                resource_type: user,
                id,
                before: None,
                after: Some(after.into()),
                exact: false,
            };
            Planned {
                change,
                operations: vec![usize::from(n)],
            }
        };
        Transaction {
            changes: (0..count).map(create).collect(),
            ..Transaction::default()
        }
    }

    fn hashes(transaction: &Transaction) -> Vec<String> {
        let changes = transaction.changes.iter().map(|planned| &planned.change);
        changes
            .map(|change| match change {
                Change::Resource {
                    after: Some(after), ..
                } => after.attributes["password"]["phc"].to_string(),
                _ => String::new(),
            })
            .collect()
    }

    fn passwords(moment: &Moment) -> Passwords<'_> {
        Passwords {
            keep: true,
            moment,
            made: HashMap::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn others_have_their_turn_after_each_hash() {
        let turns = Rc::new(Cell::new(0));
        let counted = Rc::clone(&turns);
        let others = async move {
            loop {
                counted.set(counted.get() + 1);
                yield_now().await;
            }
        };
        let moment = Moment::begin(Duration::from_secs(20));
        let mut passwords = passwords(&moment);
        let mut transaction = creates(4);
        tokio::select! {
            biased;
            sealed = passwords.seal(&mut transaction) => assert_eq!(sealed, Ok(())),
            () = others => {}
        }
        assert!(turns.get() >= 4, "{} turns", turns.get());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_hashed_that_cannot_be_sent_any_more() {
        let moment = Moment::begin(SETTLE);
        let mut transaction = creates(1);
        let sealed = passwords(&moment).seal(&mut transaction).await;
        assert_eq!(sealed, Err(Unsealed::NoTime));
    }

    #[tokio::test(start_paused = true)]
    async fn no_two_users_have_one_salt_and_one_user_has_one_hash() {
        let moment = Moment::begin(Duration::from_secs(20));
        let (mut first, mut later, mut alone) = (creates(2), creates(2), creates(2));
        let mut passwords_of_one_round = passwords(&moment);
        passwords_of_one_round.seal(&mut first).await.unwrap();
        passwords_of_one_round.seal(&mut later).await.unwrap();
        alone.changes.remove(0);
        passwords(&moment).seal(&mut alone).await.unwrap();
        let [one, other] = <[String; 2]>::try_from(hashes(&first)).unwrap();
        assert_ne!(one, other);
        assert_eq!(hashes(&later), [one.clone(), other]);
        assert_ne!(hashes(&alone), [one], "another round, another user");
    }

    #[test]
    fn a_digest_is_stretched_as_a_password_is_hashed() {
        let (digest, salt) = ([7; 32], [9; 16]);
        let phc = phc(&digest, Some(&salt)).unwrap();
        let hash = STANDARD_NO_PAD.encode(stretched(digest, &salt).unwrap());
        assert!(phc.starts_with("$argon2id$v=19$m=7168,t=5,p=1$") && phc.ends_with(&hash));
        assert_eq!(stretched(digest, b"short"), Err(ScimError::internal()));
    }
}
