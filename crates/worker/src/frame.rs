//! Records of append-only files and of the supervisor's socket: length, CRC-32C, then JSON.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Length and checksum.
const HEADER: usize = 8;

/// No record of ours comes near; a longer one is garbage.
const MAX_LENGTH: usize = 256 << 20;

/// Appends one record to `buffer`.
pub(crate) fn encode<T: Serialize>(buffer: &mut Vec<u8>, record: &T) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER]);
    serde_json::to_writer(&mut *buffer, record).expect("our records are plain data");
    let body = &buffer[start + HEADER..];
    let length = u32::try_from(body.len()).expect("records are far smaller than 4 GiB");
    let checksum = crc32c::crc32c(body);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer[start + 4..start + HEADER].copy_from_slice(&checksum.to_le_bytes());
}

/// What stands at the beginning of a buffer.
#[derive(Debug)]
pub(crate) enum Decoded<T> {
    /// A record, and how many bytes it took.
    Record(T, usize),
    /// The buffer ends before the record does.
    Incomplete,
    /// No record of ours: a torn write, zeros, or garbage.
    Corrupt,
}

/// Reads the record at the beginning of `bytes`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Decoded<T> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
        return Decoded::Incomplete;
    };
    let word = |at: usize| {
        u32::from_le_bytes(
            header[at..at + 4]
                .try_into()
                .expect("four bytes were asked for"),
        )
    };
    let length = word(0) as usize;
    if length == 0 || length > MAX_LENGTH {
        return Decoded::Corrupt;
    }
    let Some(body) = rest.get(..length) else {
        return Decoded::Incomplete;
    };
    if crc32c::crc32c(body) != word(4) {
        return Decoded::Corrupt;
    }
    match serde_json::from_slice(body) {
        Ok(record) => Decoded::Record(record, HEADER + length),
        Err(_) => Decoded::Corrupt,
    }
}

/// All records at the beginning of a file, up to the first torn or absent one, and how many bytes they took.
pub(crate) fn decode_all<T: DeserializeOwned>(bytes: &[u8]) -> (Vec<T>, usize) {
    let mut records = Vec::new();
    let mut at = 0;
    while let Decoded::Record(record, length) = decode(&bytes[at..]) {
        records.push(record);
        at += length;
    }
    (records, at)
}

/// Takes records off a stream of bytes.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
    at: usize,
}

impl Reader {
    /// Adds what was read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole record.
    ///
    /// # Errors
    /// When the other side does not speak our language.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        match decode(&self.buffer[self.at..]) {
            Decoded::Record(record, length) => {
                self.at += length;
                Ok(Some(record))
            }
            Decoded::Incomplete => Ok(None),
            Decoded::Corrupt => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a record on the socket is corrupt",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_up_to_a_torn_one() {
        let mut bytes = Vec::new();
        encode(&mut bytes, &"one");
        encode(&mut bytes, &"two");
        let whole = bytes.len();
        encode(&mut bytes, &"three");
        bytes.truncate(bytes.len() - 1);
        let (records, length) = decode_all::<String>(&bytes);
        assert_eq!(records, ["one", "two"]);
        assert_eq!(length, whole);
    }

    #[test]
    fn a_flipped_bit_ends_the_reading() {
        let mut bytes = Vec::new();
        encode(&mut bytes, &"one");
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        assert_eq!(decode_all::<String>(&bytes).0.len(), 0);
    }

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_records() {
        let mut bytes = Vec::new();
        encode(&mut bytes, &1_u32);
        encode(&mut bytes, &2_u32);
        let mut reader = Reader::default();
        let mut records = Vec::new();
        for byte in bytes {
            reader.push(&[byte]);
            records.extend(reader.next::<u32>().unwrap());
        }
        assert_eq!(records, [1, 2]);
    }
}
