//! The secret that cursors are sealed with.
//!
//! It is random, made by the first request that needs one, and kept in the
//! table, because every execution environment must have the same and there is
//! no other place that all of them may read. Each environment asks once. This
//! file must not know what a cursor is.
//!
//! ```ignore
//! let secret = store.cursor_secret(moment.bytes("cursor secret", 0)).await?;
//! ```

use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::{Store, StoreError};
use crate::table::MalformedItem;
use crate::table::key;
use crate::table::name;

const UPDATE: &str = "UpdateItem";

/// A secret. Its `Debug` does not tell it.
#[derive(Clone)]
pub(super) struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Store {
    /// The secret of this table; `candidate` becomes it if there is none yet.
    ///
    /// # Errors
    ///
    /// A fault of the table.
    pub async fn cursor_secret(&self, candidate: [u8; 32]) -> Result<Vec<u8>, StoreError> {
        let secret = self
            .secret
            .get_or_try_init(|| self.agree(candidate))
            .await?;
        Ok(secret.0.clone())
    }

    /// One call, which may be sent again: whoever comes first decides.
    async fn agree(&self, candidate: [u8; 32]) -> Result<Secret, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key::cursor_secret().to_item()))
            .update_expression("SET #s = if_not_exists(#s, :s)")
            .expression_attribute_names("#s", name::SECRET)
            .expression_attribute_values(":s", AttributeValue::B(Blob::new(candidate)))
            .return_values(ReturnValue::AllNew);
        let send = || async {
            let sent = update.clone().send().await;
            sent.map_err(|error| StoreError::of(UPDATE, &error))
        };
        let answer = self.asking(UPDATE, "secret").persist(send).await?;
        let kept = answer
            .attributes
            .and_then(|mut item| item.remove(name::SECRET));
        match kept {
            Some(AttributeValue::B(secret)) => Ok(Secret(secret.into_inner())),
            _ => Err(MalformedItem {
                attribute: name::SECRET,
            }
            .into()),
        }
    }
}
