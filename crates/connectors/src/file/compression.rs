//! Whether a file is compressed.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::sink::Sink;

/// Bytes read from or written to the file itself at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// The window of a zstd file may have this power of two of bytes, 32 MiB: what all levels of `zstd` but `--ultra` and `--long` stay below.
const ZSTD_WINDOW_LOG: u32 = 25;

/// Whether a file is compressed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As its name ends: `.gz`, `.zst`, or otherwise not at all.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// By gzip, one member or several.
    Gzip,
    /// By zstd.
    Zstd,
}

impl Compression {
    /// What it means for the file called `path`.
    #[must_use]
    pub fn of(self, path: &Path) -> Self {
        let ending = path
            .extension()
            .map(|it| it.to_string_lossy().to_lowercase());
        match (self, ending.as_deref()) {
            (Self::Auto, Some("gz")) => Self::Gzip,
            (Self::Auto, Some("zst")) => Self::Zstd,
            (Self::Auto, _) => Self::None,
            (chosen, _) => chosen,
        }
    }

    /// The content of `file`. A file that is cut off is an error at its end.
    pub(super) fn reader(self, file: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        if !matches!(self, Self::Auto | Self::None) && file.fill_buf()?.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(match self {
            Self::Auto | Self::None => Box::new(file),
            Self::Gzip => Box::new(MultiGzDecoder::new(file)),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(file)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        })
    }

    /// What becomes the content of `file`.
    pub(super) fn writer(self, file: Box<dyn Sink>) -> io::Result<Writer> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(match self {
            Self::Auto | Self::None => Writer::Plain(file),
            Self::Gzip => Writer::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Writer::Zstd(encoder)
            }
        })
    }
}

/// A file under way.
pub(super) enum Writer {
    Plain(BufWriter<Box<dyn Sink>>),
    Gzip(GzEncoder<BufWriter<Box<dyn Sink>>>),
    Zstd(zstd::Encoder<'static, BufWriter<Box<dyn Sink>>>),
}

impl Writer {
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// Writes what is still held back; the file holds everything then.
    pub(super) fn finish(self) -> io::Result<Box<dyn Sink>> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        };
        Ok(file.into_inner()?)
    }
}
