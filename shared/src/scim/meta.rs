//! Identity and metadata: ids, instants, entity-tags and preconditions.

use std::fmt;

use uuid::Uuid;

/// A resource's `id`: a version 4 UUID in lower case with hyphens. Minted only
/// by this service, so a string of any other form names nothing that exists,
/// and none can contain the reserved text `bulkId` (RFC 7643 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(Uuid);

impl ResourceId {
    /// An id made of 16 random bytes; version and variant bits are set here.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The id with exactly these bytes, as stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Parses the canonical spelling only: another spelling would be another
    /// string, and `id` is case exact (RFC 7643 §3.1).
    pub fn parse(text: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(text).ok()?;
        let id = Self(uuid);
        (id.to_string() == text).then_some(id)
    }

    /// The 16 bytes, as kept in sets.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

/// An instant in milliseconds since the epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Whole seconds since the epoch, as DynamoDB's time to live counts them.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl fmt::Display for Timestamp {
    /// An xsd:dateTime in UTC with milliseconds (RFC 7643 §2.3.5).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{}", jiff::Timestamp::MAX),
        }
    }
}

/// The version of a resource: a number that grows with every change, shown as
/// a weak entity-tag (RFC 7644 §3.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.0)
    }
}

/// The value of `If-Match`, `If-None-Match` or a bulk `version`: `*` or a list
/// of entity-tags, compared ignoring `W/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// `*`: any version.
    Any,
    /// One of these opaque tags, without `W/` and quotes.
    Tags(Vec<String>),
}

impl Precondition {
    /// Reads a header value or a bulk `version`. Tags without quotes are taken
    /// as they are, since connectors send them; nothing is ever refused here,
    /// it just does not match.
    pub fn parse(text: &str) -> Self {
        let tags = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        let tags: Vec<String> = tags
            .map(|tag| {
                tag.strip_prefix("W/")
                    .unwrap_or(tag)
                    .trim_matches('"')
                    .to_owned()
            })
            .collect();
        if tags.iter().any(|tag| tag == "*") {
            Self::Any
        } else {
            Self::Tags(tags)
        }
    }

    /// Whether the version is among those named.
    pub fn matches(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => {
                let current = version.0.to_string();
                tags.contains(&current)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let id = ResourceId::from_random([0xab; 16]);
        let text = id.to_string();
        assert_eq!(ResourceId::parse(&text), Some(id));
        for other in [
            text.to_uppercase(),
            text.replace('-', ""),
            format!("{{{text}}}"),
            "1".into(),
        ] {
            assert_eq!(ResourceId::parse(&other), None, "{other}");
        }
    }

    #[test]
    fn tags_compare_ignoring_weakness() {
        let version = Version(3);
        for text in ["W/\"3\"", "\"3\"", "3", "\"2\", W/\"3\"", "*"] {
            assert!(Precondition::parse(text).matches(version), "{text}");
        }
        for text in ["", "W/\"30\"", "\"2\"", "w3"] {
            assert!(!Precondition::parse(text).matches(version), "{text}");
        }
    }

    #[test]
    fn an_instant_is_a_date_time_with_milliseconds() {
        assert_eq!(
            Timestamp(1_700_000_000_120).to_string(),
            "2023-11-14T22:13:20.120Z"
        );
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
