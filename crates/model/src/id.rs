//! Names of things: instances, workers, attempts, fires.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The name of a node, a worker, a host: written into row after row, and mostly so short that it lies in the row itself.
pub type Name = CompactString;

/// One run of a workflow: a UUIDv7, so that ids sort by the moment of their creation.
///
/// People see and may give any unique part of it; see [`InstanceId::short`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(u128);

impl InstanceId {
    /// Builds a UUIDv7 from its moment and 74 bits of `entropy` (the higher ones are ignored). Pure, so that a replay
    /// gives the same ids.
    pub fn from_parts(at: Timestamp, entropy: u128) -> Self {
        let millis = (at.as_millis().max(0) as u128) & 0xffff_ffff_ffff;
        let high = (entropy >> 62) & 0xfff;
        let low = entropy & 0x3fff_ffff_ffff_ffff;
        Self((millis << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)
    }

    /// The raw 128 bits.
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// From the raw 128 bits, as a database or the wire holds them.
    pub fn from_u128(raw: u128) -> Self {
        Self(raw)
    }

    /// The last eight hexadecimal digits: what people see in listings. Random, so nearly always unique.
    pub fn short(self) -> String {
        format!("{:08x}", self.0 as u32)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (n >> 96) as u32,
            (n >> 80) as u16,
            (n >> 64) as u16,
            (n >> 48) as u16,
            n & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not the hyphenated form of a 128-bit id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an instance id")]
pub struct InvalidId(pub String);

impl FromStr for InstanceId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidId(text.to_owned()));
        }
        u128::from_str_radix(&digits, 16)
            .map(Self)
            .map_err(|_| InvalidId(text.to_owned()))
    }
}

impl Serialize for InstanceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InstanceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The stable name of a worker: its data directory keeps it over restarts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkerId(pub Name);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One start of a worker process: grows with each start of the agent, so that a late word of an earlier start is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub u64);

/// Grows by one each time a master takes the lease: the fencing token that shuts out the master before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One try of an action node on one worker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptKey {
    /// The instance.
    pub instance: InstanceId,
    /// The node's name.
    pub node: Name,
    /// Which run of the instance: 1, and one more at each rerun.
    pub run: u32,
    /// Which try of the node in this run, from 1. Lost attempts count here, though they consume no retry.
    pub attempt: u32,
}

impl AttemptKey {
    /// A number that looks drawn by chance, and is always the same for the same attempt.
    pub fn scatter(&self) -> u64 {
        let instance = self.instance.as_u128();
        let mut drawn = mix((instance >> 64) as u64 ^ mix(instance as u64));
        for byte in self.node.bytes() {
            drawn = mix(drawn ^ u64::from(byte));
        }
        mix(drawn ^ (u64::from(self.run) << 32 | u64::from(self.attempt)))
    }
}

/// The finaliser of splitmix64: every bit of the input moves every bit of the output.
pub const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl fmt::Display for AttemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}.{}",
            self.instance, self.node, self.run, self.attempt
        )
    }
}

/// Correlates a command with its reply inside one master process; never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_id_is_a_uuid_of_version_7_and_reads_back() {
        let id = InstanceId::from_parts(Timestamp::from_millis(1_700_000_000_123), u128::MAX);
        let text = id.to_string();
        assert_eq!(&text[14..15], "7");
        assert!("89ab".contains(&text[19..20]));
        assert_eq!(text.parse::<InstanceId>(), Ok(id));
        assert_eq!(id.short(), "ffffffff");
    }

    #[test]
    fn instance_ids_sort_by_time() {
        let early = InstanceId::from_parts(Timestamp::from_millis(1), u128::MAX);
        let late = InstanceId::from_parts(Timestamp::from_millis(2), 0);
        assert!(early < late);
    }
}
