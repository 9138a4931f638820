//! The text of a file: uncompressed, in UTF-8, without its byte order mark.

use std::collections::VecDeque;
use std::io::Read;
use std::path::{Path, PathBuf};

use akkaflow_model::text::Text;
use encoding_rs::{Decoder, DecoderResult};

use super::compression::Compression;
use super::content::{Content, Reading};
use super::encoding::Encoding;
use super::failed;
use super::format::Format;
use crate::error::Error;

/// Bytes taken from the file at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

pub(super) struct Input {
    bytes: Box<dyn Read + Send>,
    path: PathBuf,
    reading: Reading,
    compression: Compression,
    encoding: Encoding,
    decoder: Decoder,
    chunk: Vec<u8>,
    /// Bytes before `chunk`, and line breaks in the text that they came to.
    place: u64,
    lines: u64,
    /// Where the text has a replacement character for bytes that are no text; `None` when these are an error.
    malformed: Option<VecDeque<Malformed>>,
    /// Bytes of text handed out.
    handed_out: u64,
}

#[derive(Debug, Clone, Copy)]
struct Malformed {
    /// Bytes of text before it.
    at: u64,
    /// Number of its first byte in the file, from 1.
    byte: u64,
}

impl Input {
    /// With `goes_on`, bytes that are no text are replaced, and [`Input::malformed_before`] tells of them.
    pub(super) fn open(content: Content, format: &Format, goes_on: bool) -> Result<Self, Error> {
        let path = content.name.clone();
        let compression = content.compression(format.compression);
        let (bytes, reading) = content.counted();
        let bytes = compression
            .reader(bytes)
            .map_err(|error| unreadable(&path, compression, &error))?;
        Ok(Self {
            bytes,
            path,
            reading,
            compression,
            encoding: format.encoding,
            // A byte order mark is believed more than the name.
            decoder: format.encoding.0.new_decoder(),
            chunk: Vec::new(),
            place: 0,
            lines: 0,
            malformed: goes_on.then(VecDeque::new),
            handed_out: 0,
        })
    }

    /// How much of it has been read.
    pub(super) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Appends text that came from at least `wanted` bytes, and says whether this was the end.
    pub(super) fn read(&mut self, wanted: usize, text: &mut Vec<u8>) -> Result<bool, Error> {
        let mut taken = 0;
        loop {
            self.chunk.clear();
            let bytes = &mut self.bytes;
            let count = bytes
                .take(CHUNK_BYTES as u64)
                .read_to_end(&mut self.chunk)
                .map_err(|error| unreadable(&self.path, self.compression, &error))?;
            if self.place == 0 {
                self.check_plain()?;
            }
            let is_end = count < CHUNK_BYTES;
            self.decode(text, is_end)?;
            taken += count;
            if is_end || taken >= wanted {
                return Ok(is_end);
            }
        }
    }

    /// What begins like a compressed file is one, whatever its name.
    fn check_plain(&self) -> Result<(), Error> {
        let name = match (self.compression, &self.chunk[..]) {
            (Compression::Gzip | Compression::Zstd, _) => return Ok(()),
            (_, [0x1f, 0x8b, 8, ..]) => "gzip",
            (_, [0x28, 0xb5, 0x2f, 0xfd, ..]) => "zstd",
            _ => return Ok(()),
        };
        let path = self.path.display();
        Err(Error::File(Text::new(
            format!("文件{path}是以{name}压缩的；请写 compression=\"{name}\""),
            format!("{path} is compressed by {name}: write compression=\"{name}\""),
        )))
    }

    fn decode(&mut self, text: &mut Vec<u8>, is_end: bool) -> Result<(), Error> {
        const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();
        let start = text.len();
        let length = self.chunk.len();
        let most = match self.malformed {
            Some(_) => self.decoder.max_utf8_buffer_length(length),
            None => (self.decoder).max_utf8_buffer_length_without_replacement(length),
        };
        text.resize(start + most.expect("chunks are short"), 0);
        let (mut from, mut end) = (0, start);
        loop {
            let chunk = &self.chunk[from..];
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(chunk, &mut text[end..], is_end);
            self.lines += memchr::memchr_iter(b'\n', &text[end..end + written]).count() as u64;
            self.place += read as u64;
            from += read;
            end += written;
            let DecoderResult::Malformed(length, behind) = result else {
                break;
            };
            let byte = self.place - u64::from(length) - u64::from(behind) + 1;
            let at = self.handed_out + (end - start) as u64;
            match &mut self.malformed {
                Some(malformed) => malformed.push_back(Malformed { at, byte }),
                None => return Err(self.malformed(byte)),
            }
            text[end..end + REPLACEMENT.len()].copy_from_slice(REPLACEMENT);
            end += REPLACEMENT.len();
        }
        text.truncate(end);
        self.handed_out += (end - start) as u64;
        Ok(())
    }

    /// The first byte that is no text in what stands before the last `rest` bytes that were handed out; what it tells of is forgotten.
    pub(super) fn malformed_before(&mut self, rest: usize) -> Option<Text> {
        let malformed = self.malformed.as_mut()?;
        let end = self.handed_out - rest as u64;
        let first = malformed.front().filter(|found| found.at < end)?.byte;
        while malformed.front().is_some_and(|found| found.at < end) {
            malformed.pop_front();
        }
        let encoding = self.decoder.encoding().name();
        Some(Text::new(
            format!("文件的第{first}个字节不是{encoding}文本"),
            format!("byte {first} of the file is no {encoding} text"),
        ))
    }

    fn malformed(&self, byte: u64) -> Error {
        let (path, line) = (self.path.display(), self.lines + 1);
        let encoding = self.decoder.encoding().name();
        let (zh, en) = match self.encoding == Encoding::UTF_8 {
            true => ("，例如 encoding=\"GBK\"", ", such as encoding=\"GBK\""),
            false => ("", ""),
        };
        Error::File(Text::new(
            format!(
                "文件{path}第{line}行（第{byte}个字节）不是{encoding}文本；请写明文件的编码{zh}"
            ),
            format!(
                "{path}, line {line} (byte {byte}) is no {encoding} text; name the file's encoding{en}"
            ),
        ))
    }
}

/// A file that is no such archive, or only a part of one.
fn unreadable(path: &Path, compression: Compression, error: &std::io::Error) -> Error {
    let name = match compression {
        Compression::Auto | Compression::None => return failed(path, error),
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    };
    let path = path.display();
    // The library has no better name for it.
    if error.to_string().contains("requires too much memory") {
        return Error::File(Text::new(
            format!("解压文件{path}需要超过32MiB的窗口；请不用--long与--ultra重新压缩"),
            format!(
                "{path} needs a window of more than 32 MiB to be uncompressed: compress it again without --long and --ultra"
            ),
        ));
    }
    Error::File(Text::new(
        format!(
            "文件{path}无法以{name}解压：文件不完整、已损坏，或并非{name}文件（此时请写 compression=\"none\"）：{error}"
        ),
        format!(
            "{path} cannot be uncompressed by {name}: it is cut off, damaged or no {name} file (then write compression=\"none\"): {error}"
        ),
    ))
}
