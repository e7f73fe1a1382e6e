//! A sum over the members of a group, by which a reader knows that it has seen
//! all of them.
//!
//! DynamoDB shows the items of a transaction one by one while it commits, so a
//! reader may meet the new header of a group beside memberships as they were
//! before. The header therefore carries the exclusive or of the ids of its
//! members, moved by the very transaction that moves them: memberships that are
//! visible at the header's revision and do not add up to it are not yet, or no
//! longer all, what this revision means, and are read again.
//!
//! Two different sets of members of one group have the same sum with a chance
//! of 2⁻¹²², because ids are random and given out here alone. Who may write
//! could look for members that cancel each other out, and would spoil nothing
//! but the moment in which these come or go together. This file must not know
//! what a membership is.
//!
//! ```text
//! {}  0000…    {3f0c…}  3f0c…    {3f0c…, 9b1c…}  a410…    {9b1c…}  9b1c…
//! ```

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::name;
use super::value::{Item, MalformedItem, malformed};
use crate::scim::ResourceId;

/// The exclusive or of ids: 16 bytes, whatever their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest([u8; 16]);

impl Digest {
    /// With this id if it was without it, else without it.
    pub fn toggle(&mut self, id: ResourceId) {
        for (byte, other) in self.0.iter_mut().zip(id.as_bytes()) {
            *byte ^= other;
        }
    }

    /// As it is stored: absent for no ids at all.
    pub fn to_value(self) -> Option<AttributeValue> {
        (self != Self::default()).then(|| AttributeValue::B(Blob::new(self.0)))
    }

    /// Reads what [`Digest::to_value`] gave an item.
    pub(super) fn of_item(item: &Item) -> Result<Self, MalformedItem> {
        match item.get(name::DIGEST) {
            None => Ok(Self::default()),
            Some(AttributeValue::B(blob)) => match blob.as_ref().try_into() {
                Ok(bytes) => Ok(Self(bytes)),
                Err(_) => Err(malformed(name::DIGEST)),
            },
            Some(_) => Err(malformed(name::DIGEST)),
        }
    }
}

impl FromIterator<ResourceId> for Digest {
    fn from_iter<I: IntoIterator<Item = ResourceId>>(ids: I) -> Self {
        let mut digest = Self::default();
        for id in ids {
            digest.toggle(id);
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_tells_sets_apart_and_not_their_order(
            bytes in proptest::collection::btree_set(any::<[u8; 16]>(), 1..20),
            left_out in any::<prop::sample::Index>(),
        ) {
            let ids: Vec<_> = bytes.into_iter().map(ResourceId::from_random).collect();
            let whole: Digest = ids.iter().copied().collect();
            prop_assert_eq!(ids.iter().rev().copied().collect::<Digest>(), whole);
            let mut fewer = ids.clone();
            let gone = fewer.remove(left_out.index(ids.len()));
            let mut digest: Digest = fewer.into_iter().collect();
            prop_assert_ne!(digest, whole);
            digest.toggle(gone);
            prop_assert_eq!(digest, whole);
        }
    }
}
