//! Cursors (RFC 9865): a position, sealed so that only the caller to whom it
//! was given can come back with it, for the same request and for a while.
//!
//! The text is base64url without padding over the position, the page size, the
//! instant and an HMAC-SHA-256 of these and of all that must stay the same. It
//! holds no personal data: an id and numbers. This file must not read anything.
//!
//! ```text
//! version 1 │ place 1 │ id 16 │ count 4 │ seconds 8 │ mac 32
//! ```

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::scim::{ResourceId, ScimError, Timestamp};

/// How long a cursor can be used.
pub const CURSOR_TIMEOUT: Duration = Duration::from_secs(3_600);

const VERSION: u8 = 1;
/// Bytes before the code.
const BODY: usize = 30;

/// The last resource that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Which of the types searched.
    pub place: u8,
    /// Its id.
    pub id: ResourceId,
}

/// What seals the cursors of one request and opens those of the same request.
pub struct Seal {
    mac: Hmac<Sha256>,
    count: u32,
    seconds: i64,
}

impl Seal {
    /// `bound` is all that must be the same when a cursor comes back. None for
    /// a secret that cannot be one.
    pub fn new(secret: &[u8], bound: &[&str], count: usize, now: Timestamp) -> Option<Self> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        for part in bound {
            // With its length, so that no two lists run together.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(Self {
            mac,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            seconds: now.0.div_euclid(1_000),
        })
    }

    /// The cursor that goes on after a position.
    pub fn close(&self, position: Position) -> String {
        let mut bytes = vec![VERSION, position.place];
        bytes.extend(position.id.as_bytes());
        bytes.extend(self.count.to_be_bytes());
        bytes.extend(self.seconds.to_be_bytes());
        let mut mac = self.mac.clone();
        mac.update(&bytes);
        bytes.extend(mac.finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that a cursor stands for.
    ///
    /// # Errors
    ///
    /// 400 `invalidCursor`, `expiredCursor` or `invalidCount`.
    pub fn open(&self, text: &str) -> Result<Position, ScimError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| ScimError::invalid_cursor())?;
        let (body, code) = bytes
            .split_first_chunk::<BODY>()
            .ok_or_else(ScimError::invalid_cursor)?;
        let mut mac = self.mac.clone();
        mac.update(body);
        mac.verify_slice(code)
            .map_err(|_| ScimError::invalid_cursor())?;
        let parts = || {
            let ([version, place], rest) = body.split_first_chunk::<2>()?;
            let (id, rest) = rest.split_first_chunk::<16>()?;
            let (count, rest) = rest.split_first_chunk::<4>()?;
            let (seconds, _) = rest.split_first_chunk::<8>()?;
            let position = Position {
                place: *place,
                id: ResourceId::from_bytes(*id),
            };
            let numbers = (u32::from_be_bytes(*count), i64::from_be_bytes(*seconds));
            (*version == VERSION).then_some((position, numbers))
        };
        let (position, (count, seconds)) = parts().ok_or_else(ScimError::invalid_cursor)?;
        let age = u64::try_from(self.seconds.saturating_sub(seconds)).unwrap_or(0);
        if age > CURSOR_TIMEOUT.as_secs() {
            return Err(ScimError::expired_cursor());
        }
        if count != self.count {
            let detail = format!("`count` was {count} on the first page and must stay so");
            return Err(ScimError::invalid_count(detail));
        }
        Ok(position)
    }
}
