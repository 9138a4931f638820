//! A bound parameter of either dialect.

use std::borrow::Cow;

use akkaflow_model::id::InstanceId;
use akkaflow_model::time::Timestamp;
use serde::Serialize;

/// A bound parameter.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    /// NULL.
    Null,
    /// Numbers, codes, moments, flags.
    Int(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// Ids and contents.
    Bytes(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// A text.
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A text or NULL.
    pub(crate) fn optional_text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    /// A number or NULL.
    pub(crate) fn optional_int(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Int)
    }

    /// A moment or NULL.
    pub(crate) fn optional_time(moment: Option<Timestamp>) -> Self {
        Self::optional_int(moment.map(Timestamp::as_millis))
    }

    /// A moment.
    pub(crate) fn time(moment: Timestamp) -> Self {
        Self::Int(moment.as_millis())
    }

    /// All 64 bits, in the signed numbers that both dialects have.
    pub(crate) fn bits(number: u64) -> Self {
        Self::Int(number.cast_signed())
    }

    /// A 128-bit number, big end first, so that order is kept.
    pub(crate) fn wide(number: u128) -> Self {
        Self::Bytes(Cow::Owned(number.to_be_bytes().to_vec()))
    }

    /// An instance's id.
    pub(crate) fn id(id: InstanceId) -> Self {
        Self::wide(id.as_u128())
    }

    /// An instance's id or NULL.
    pub(crate) fn optional_id(id: Option<InstanceId>) -> Self {
        id.map_or(Self::Null, Self::id)
    }

    /// A structure as JSON text.
    pub(crate) fn json<T: Serialize>(structure: &T) -> Self {
        let text = serde_json::to_string(structure).expect("rows hold no map with odd keys");
        Self::Text(Cow::Owned(text))
    }

    /// A structure as JSON text, or NULL.
    pub(crate) fn optional_json<T: Serialize>(structure: Option<&T>) -> Self {
        structure.map_or(Self::Null, Self::json)
    }

    /// About how many bytes it takes on the wire.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Null => 1,
            Self::Int(_) => 9,
            Self::Text(text) => text.len() + 5,
            Self::Bytes(bytes) => bytes.len() + 5,
        }
    }
}
