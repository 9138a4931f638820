//! Lines out of chunks. A chunk holds some lines of one stream and may begin and end in the middle of one.

use std::collections::{BTreeMap, HashMap};

use akkaflow_api::{Level, LogLine};
use akkaflow_model::id::AttemptKey;
use akkaflow_model::text::{Lang, Text};
use akkaflow_model::time::Timestamp;
use akkaflow_store::{LogChunk, StoredChunk, Stream};

/// A longer line is given out in pieces: no reader wants it whole in memory.
const LONGEST_LINE: usize = 1 << 20;

type Source = (AttemptKey, Stream);

/// The beginning of a line whose end has not arrived.
#[derive(Debug)]
struct Unfinished {
    /// Where it begins.
    start: (u64, u64),
    at: Timestamp,
    text: Vec<u8>,
}

/// Puts lines together.
#[derive(Debug)]
pub(crate) struct Pieces {
    /// What actions report of themselves holds both languages.
    lang: Lang,
    unfinished: HashMap<Source, Unfinished>,
    /// How far each stream has come.
    ends: BTreeMap<Source, u64>,
}

impl Pieces {
    /// None as yet, for a reader of this language.
    pub(crate) fn new(lang: Lang) -> Self {
        Self {
            lang,
            unfinished: HashMap::new(),
            ends: BTreeMap::new(),
        }
    }

    /// Where the next line of a chunk ends, looking from `from` on; `None` when no line ends in the rest.
    pub(crate) fn next_end(stored: &StoredChunk, from: usize) -> Option<usize> {
        let rest = stored.chunk.data.get(from..)?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        Some(from + length)
    }

    /// When the next line of a chunk was captured.
    pub(crate) fn begun_at(&self, stored: &StoredChunk) -> Timestamp {
        self.unfinished
            .get(&source_of(stored))
            .map_or(stored.chunk.at, |unfinished| unfinished.at)
    }

    /// The line that ends at `end`.
    pub(crate) fn line(&mut self, stored: &StoredChunk, from: usize, end: usize) -> LogLine {
        let rest = &stored.chunk.data[from..end];
        match self.unfinished.remove(&source_of(stored)) {
            Some(mut unfinished) => {
                unfinished.text.extend_from_slice(rest);
                line(&stored.chunk, unfinished.at, &unfinished.text, self.lang)
            }
            None => line(&stored.chunk, stored.chunk.at, rest, self.lang),
        }
    }

    /// Keeps the rest of a chunk, in which no line ends; gives it out when it has become too long.
    pub(crate) fn keep_rest(&mut self, stored: &StoredChunk, from: usize) -> Option<LogLine> {
        let end = stored.chunk.offset + stored.chunk.data.len() as u64;
        self.ends.insert(source_of(stored), end);
        let rest = stored
            .chunk
            .data
            .get(from..)
            .filter(|rest| !rest.is_empty())?;
        let unfinished = self
            .unfinished
            .entry(source_of(stored))
            .or_insert_with(|| Unfinished {
                start: (stored.number, from as u64),
                at: stored.chunk.at,
                text: Vec::new(),
            });
        unfinished.text.extend_from_slice(rest);
        let end = stored.chunk.data.len();
        (unfinished.text.len() > LONGEST_LINE).then(|| self.line(stored, end, end))
    }

    /// Takes a chunk that was read before for the sake of lines that begin in it: only those go on.
    pub(crate) fn resume(&mut self, stored: &StoredChunk, begin_at: Option<u64>) {
        let chunk = &stored.chunk;
        let source = source_of(stored);
        if let Some(unfinished) = self.unfinished.get_mut(&source) {
            unfinished.text.extend_from_slice(&chunk.data);
        } else if let Some(begin) = begin_at {
            let text = chunk
                .data
                .get(begin as usize..)
                .unwrap_or_default()
                .to_vec();
            self.unfinished.insert(
                source,
                Unfinished {
                    start: (stored.number, begin),
                    at: chunk.at,
                    text,
                },
            );
        }
    }

    /// Attempts with lines whose end has not arrived, in the order in which the lines began.
    pub(crate) fn sources(&self, is_wanted: impl Fn(&AttemptKey) -> bool) -> Vec<AttemptKey> {
        let mut begun: Vec<_> = self
            .unfinished
            .iter()
            .filter(|((key, _), _)| is_wanted(key))
            .map(|((key, _), unfinished)| (unfinished.at, unfinished.start, key.clone()))
            .collect();
        begun.sort();
        let mut keys: Vec<AttemptKey> = begun.into_iter().map(|(_, _, key)| key).collect();
        keys.dedup();
        keys
    }

    /// The last lines of an attempt that will say no more: their end never comes.
    pub(crate) fn flush(&mut self, key: &AttemptKey) -> Vec<LogLine> {
        let mut ends: Vec<(Source, Unfinished)> = self
            .unfinished
            .extract_if(|(known, _), _| known == key)
            .collect();
        ends.sort_by_key(|(_, unfinished)| unfinished.start);
        ends.into_iter()
            .map(|((key, stream), unfinished)| {
                let chunk = LogChunk {
                    key,
                    stream,
                    offset: 0,
                    at: unfinished.at,
                    data: Vec::new(),
                };
                line(&chunk, unfinished.at, &unfinished.text, self.lang)
            })
            .collect()
    }

    /// Whether some line of the attempt has begun and not ended.
    pub(crate) fn has_begun(&self, key: &AttemptKey) -> bool {
        self.unfinished.keys().any(|(known, _)| known == key)
    }

    /// Bytes of an attempt up to here, as far as this page has seen its streams.
    pub(crate) fn taken(&self, key: &AttemptKey) -> u64 {
        self.ends
            .range((key.clone(), Stream::Stdout)..=(key.clone(), Stream::Error))
            .map(|(_, end)| end)
            .sum()
    }

    /// Where the lines begin whose end has not arrived.
    pub(crate) fn starts(&self) -> Vec<(u64, u64)> {
        let mut starts: Vec<_> = self
            .unfinished
            .values()
            .map(|unfinished| unfinished.start)
            .collect();
        starts.sort_unstable();
        starts
    }
}

fn source_of(stored: &StoredChunk) -> Source {
    (stored.chunk.key.clone(), stored.chunk.stream)
}

fn line(chunk: &LogChunk, at: Timestamp, bytes: &[u8], lang: Lang) -> LogLine {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let is_report = matches!(chunk.stream, Stream::Info | Stream::Warn | Stream::Error);
    let text = match is_report {
        true => Text::of_line(&text, lang).to_owned(),
        false => text.into_owned(),
    };
    LogLine {
        time: at.into(),
        level: match chunk.stream {
            Stream::Stdout | Stream::Info => Level::Info,
            Stream::Warn => Level::Warn,
            Stream::Stderr | Stream::Error => Level::Error,
        },
        node: Some(chunk.key.node.to_string()),
        attempt: Some(chunk.key.attempt),
        text,
    }
}
