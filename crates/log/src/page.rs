//! One page of a log: output and events woven together from where the cursor stands.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use akkaflow_api::LogLine;
use akkaflow_model::id::AttemptKey;
use akkaflow_model::record::AttemptRow;
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;
use akkaflow_store::{Store, StoredChunk};

use crate::cursor::Cursor;
use crate::events::{Event, Follows, Rows, Sequence};
use crate::pieces::Pieces;
use akkaflow_store::Error;

/// Most chunks read at a time.
const CHUNKS_AT_ONCE: u32 = 64;
/// Chunks read first: a page may need one or two only, and each may hold 64 KiB.
const FIRST_CHUNKS: u32 = 4;
/// The line that tells an end waits so long for output that is still on its way; what has not come by then is lost.
const OUTPUT_LATE: Duration = Duration::from_secs(10);
/// A page ends after so many bytes of text, whatever its limit of lines.
const PAGE_BYTES: usize = 4 << 20;

/// What one request gets.
#[derive(Debug)]
pub struct Page {
    /// In order.
    pub lines: Vec<LogLine>,
    /// Where the next request goes on.
    pub cursor: Cursor,
    /// Whether the instance is over and nothing is left to give out.
    pub is_complete: bool,
}

/// Reads the page of at most `limit` lines that follows `cursor`.
///
/// # Errors
/// The store cannot be read.
pub async fn read(
    store: &dyn Store,
    rows: &Rows<'_>,
    cursor: Cursor,
    limit: usize,
    lang: Lang,
    now: Timestamp,
) -> Result<Page, Error> {
    let mut weaver = Weaver::new(rows, cursor, limit, lang);
    weaver.resume(store, rows).await?;
    let mut at_end = false;
    let mut at_once = FIRST_CHUNKS;
    while !at_end && !weaver.is_full() {
        let after = weaver.cursor.after;
        let chunks = store.read_log(rows.instance.id, after, at_once).await?;
        at_end = chunks.len() < at_once as usize;
        at_once = (at_once * 2).min(CHUNKS_AT_ONCE);
        for stored in &chunks {
            if !weaver.take(stored) {
                at_end = false;
                break;
            }
        }
    }
    Ok(weaver.finish(rows, at_end, now))
}

/// An event and the place of its sequence; earlier runs have none.
type Pending = (Event, Option<usize>);

struct Weaver {
    limit: usize,
    bytes: usize,
    lines: Vec<LogLine>,
    cursor: Cursor,
    pieces: Pieces,
    /// Where lines begin that a page boundary cut: these pieces are read again.
    begun: Vec<(u64, u64)>,
    events: VecDeque<Pending>,
    spans: HashMap<AttemptKey, Span>,
    /// The page begins with the first line, so that it knows how much of each attempt's output it has seen.
    is_first: bool,
    /// Where on this page the ends of attempts are told: output that arrived later is put before them.
    ends_at: HashMap<AttemptKey, usize>,
}

/// What bounds the output of an attempt.
struct Span {
    assigned: Timestamp,
    ended: Option<Timestamp>,
    is_over: bool,
    captured: u64,
}

impl Span {
    fn of(attempt: &AttemptRow) -> Self {
        Self {
            assigned: attempt.assigned_at,
            ended: attempt.ended_at,
            is_over: attempt.state.is_terminal(),
            captured: attempt.log_length,
        }
    }
}

impl Weaver {
    fn new(rows: &Rows<'_>, mut cursor: Cursor, limit: usize, lang: Lang) -> Self {
        let is_first = cursor == Cursor::default();
        let sequences = rows.sequences(lang);
        let mut earlier = Sequence::new();
        if cursor.run == 0 {
            earlier = rows.earlier_runs(lang);
        }
        let definition = crc32c::crc32c(rows.instance.version.0.as_bytes());
        if cursor.run != rows.instance.run {
            cursor.run = rows.instance.run;
            cursor.events.clear();
        } else if cursor.definition != definition {
            cursor.events = counted_anew(&sequences, &cursor);
        }
        cursor.definition = definition;
        cursor.events.resize(sequences.len(), 0);
        let events = pending(earlier, sequences, &cursor);
        let spans = rows
            .attempts
            .iter()
            .map(|attempt| (attempt.key.clone(), Span::of(attempt)))
            .collect();
        Self {
            limit,
            bytes: 0,
            lines: Vec::new(),
            begun: std::mem::take(&mut cursor.unfinished),
            cursor,
            pieces: Pieces::new(lang),
            events,
            spans,
            is_first,
            ends_at: HashMap::new(),
        }
    }

    /// Reads the pieces of unfinished lines again.
    async fn resume(&mut self, store: &dyn Store, rows: &Rows<'_>) -> Result<(), Error> {
        let begun = std::mem::take(&mut self.begun);
        let Some((first, _)) = begun.first() else {
            return Ok(());
        };
        let mut after = first - 1;
        while after < self.cursor.after {
            let chunks = store
                .read_log(rows.instance.id, after, CHUNKS_AT_ONCE)
                .await?;
            let Some(last) = chunks.last() else { break };
            after = last.number;
            for stored in chunks
                .iter()
                .take_while(|stored| stored.number <= self.cursor.after)
            {
                let begin = begun
                    .iter()
                    .find(|(number, _)| *number == stored.number)
                    .map(|(_, offset)| *offset);
                self.pieces.resume(stored, begin);
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= self.limit || self.bytes >= PAGE_BYTES
    }

    /// Gives out the lines that end in a chunk with the events before them. False: the page is full and some are left.
    fn take(&mut self, stored: &StoredChunk) -> bool {
        let mut from = usize::try_from(self.cursor.offset).unwrap_or(usize::MAX);
        while let Some(end) = Pieces::next_end(stored, from) {
            let at = self.by_master(&stored.chunk.key, self.pieces.begun_at(stored));
            while !self.is_full() && self.is_event_due(at) {
                self.give_event();
            }
            if self.is_full() {
                return false;
            }
            let line = self.pieces.line(stored, from, end);
            self.give_output(&stored.chunk.key, line);
            from = end + 1;
            self.cursor.offset = from as u64;
        }
        if let Some(line) = self.pieces.keep_rest(stored, from) {
            self.give_output(&stored.chunk.key, line);
        }
        let key = &stored.chunk.key;
        if self.pieces.has_begun(key) && self.is_all_taken(key) {
            self.give_ends(key);
        }
        self.cursor.after = stored.number;
        self.cursor.offset = 0;
        self.cursor.bytes += stored.chunk.data.len() as u64;
        true
    }

    fn is_over(&self, key: &AttemptKey) -> bool {
        self.spans.get(key).is_none_or(|span| span.is_over)
    }

    /// Whether an attempt is over and all its output has been seen on this page.
    fn is_all_taken(&self, key: &AttemptKey) -> bool {
        let span = self.spans.get(key);
        span.is_some_and(|span| span.is_over && self.pieces.taken(key) >= span.captured)
    }

    /// Gives out the lines of an attempt whose end never comes.
    fn give_ends(&mut self, key: &AttemptKey) {
        for line in self.pieces.flush(key) {
            let at = self.by_master(key, line.time.0);
            while !self.is_full() && self.is_event_due(at) {
                self.give_event();
            }
            self.give_output(key, line);
        }
    }

    fn is_event_due(&self, at: Timestamp) -> bool {
        self.events
            .front()
            .is_some_and(|(event, _)| event.line.time.0 <= at)
    }

    /// Whether the event must wait for the next page, because output that stands before it is still to come.
    fn is_early(&self, event: &Event, now: Timestamp) -> bool {
        let is_recent = event.line.time.0.plus(OUTPUT_LATE) > now;
        let is_missing = match &event.follows {
            Follows::Nothing => false,
            Follows::Attempt(key) if self.is_first => !self.is_all_taken(key),
            Follows::Attempt(_) | Follows::All => self.cursor.bytes < self.captured(),
        };
        is_recent && is_missing
    }

    /// Bytes that the attempts have written which are over.
    fn captured(&self) -> u64 {
        let captured = self.spans.values().map(|span| span.captured);
        captured.fold(0, u64::saturating_add)
    }

    /// When an attempt can have written something, by the master's clock: after it was assigned, before its end.
    fn by_master(&self, key: &AttemptKey, at: Timestamp) -> Timestamp {
        let Some(span) = self.spans.get(key) else {
            return at;
        };
        let before = |ended: Timestamp| Timestamp::from_millis(ended.as_millis() - 1);
        at.min(span.ended.map_or(at, before)).max(span.assigned)
    }

    fn give_event(&mut self) {
        if let Some((event, place)) = self.events.pop_front() {
            if let Some(place) = place {
                self.cursor.events[place] += 1;
                let at = u64::try_from(event.line.time.0.as_millis()).unwrap_or(0);
                self.cursor.newest = self.cursor.newest.max(at);
            }
            if let Follows::Attempt(key) = event.follows {
                self.ends_at.insert(key, self.lines.len());
            }
            self.give(event.line);
        }
    }

    fn give_output(&mut self, key: &AttemptKey, line: LogLine) {
        let Some(end) = self.ends_at.get(key).copied() else {
            return self.give(line);
        };
        self.bytes += line.text.len() + 64;
        self.lines.insert(end, line);
        for place in self.ends_at.values_mut() {
            *place += usize::from(*place >= end);
        }
    }

    fn give(&mut self, line: LogLine) {
        self.bytes += line.text.len() + 64;
        self.lines.push(line);
    }

    fn finish(mut self, rows: &Rows<'_>, at_end: bool, now: Timestamp) -> Page {
        let mut is_complete = false;
        if at_end {
            let ends: Vec<AttemptKey> = self.pieces.sources(|key| self.is_over(key));
            for key in ends {
                self.give_ends(&key);
            }
            while !self.is_full()
                && let Some((event, _)) = self.events.front()
                && !self.is_early(event, now)
            {
                self.give_event();
            }
            is_complete = rows.instance.state.is_terminal()
                && self.events.is_empty()
                && self.cursor.bytes >= self.captured();
        }
        self.cursor.unfinished = self.pieces.starts();
        Page {
            lines: self.lines,
            cursor: self.cursor,
            is_complete,
        }
    }
}

/// How many events of each sequence were given out before a repair changed what stands where.
fn counted_anew(sequences: &[Sequence], cursor: &Cursor) -> Vec<u32> {
    let newest = i64::try_from(cursor.newest).unwrap_or(i64::MAX);
    let given = |sequence: &Sequence| {
        let known = |event: &&Event| event.line.time.0.as_millis() <= newest;
        sequence.iter().take_while(known).count() as u32
    };
    let mut counts: Vec<u32> = sequences.iter().map(given).collect();
    if let (Some(count), Some(known)) = (counts.first_mut(), cursor.events.first()) {
        // The instance's own events stand where they stood.
        *count = *known;
    }
    counts
}

/// The events that are left to give out, by time; those of one sequence stay in their order.
fn pending(earlier: Sequence, sequences: Vec<Sequence>, cursor: &Cursor) -> VecDeque<Pending> {
    let mut events: Vec<(Event, Option<(usize, usize)>)> =
        earlier.into_iter().map(|event| (event, None)).collect();
    for (place, sequence) in sequences.into_iter().enumerate() {
        let given = cursor.events[place] as usize;
        let left = sequence.into_iter().enumerate().skip(given);
        events.extend(left.map(|(position, event)| (event, Some((place, position)))));
    }
    events.sort_by_key(|(event, place)| (event.line.time, rank(event, *place)));
    events
        .into_iter()
        .map(|(event, place)| (event, place.map(|(place, _)| place)))
        .collect()
}

/// Among events of one moment those of the instance come first, its birth before all, and its end last.
fn rank(event: &Event, place: Option<(usize, usize)>) -> (u8, usize) {
    match place {
        Some((0, 0)) => (0, 0),
        // Earlier runs.
        None => (1, 0),
        Some((0, _)) if event.follows == Follows::All => (4, 0),
        Some((0, _)) => (2, 0),
        Some((node, _)) => (3, node),
    }
}
