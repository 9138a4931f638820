//! Rows under way: many values in one buffer, so that a value costs no allocation.

use tokio::sync::mpsc;

/// A batch is sent once it holds this many bytes: large enough that its handling costs nothing beside its rows.
pub(crate) const BATCH_BYTES: usize = 256 * 1024;

/// Batches between reader and writer. With the one in each hand and the writer's encoded copies they come to some 4 MiB,
/// far below the 64 MiB that a transfer may take.
const BATCHES_WAITING: usize = 8;

/// Where a reader puts its batches.
pub type BatchSender = mpsc::Sender<Batch>;

/// Where a writer takes them.
pub type BatchReceiver = mpsc::Receiver<Batch>;

/// The bounded way from a reader to a writer.
pub fn channel() -> (BatchSender, BatchReceiver) {
    mpsc::channel(BATCHES_WAITING)
}

const NULL: u32 = 1 << 31;

/// Some rows. Values are bytes in the form that people would type: UTF-8 text, raw bytes for binary columns.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Number of the first row, from 1.
    pub first_row: u64,
    /// The rows' numbers where they do not follow one another.
    numbers: Vec<u64>,
    data: Vec<u8>,
    /// End of each value in `data`; the highest bit marks NULL.
    ends: Vec<u32>,
    /// End of each row in `ends`.
    rows: Vec<u32>,
}

impl Batch {
    /// An empty batch whose first row will be number `first_row`.
    pub fn new(first_row: u64) -> Self {
        Self {
            first_row,
            numbers: Vec::new(),
            data: Vec::with_capacity(BATCH_BYTES + BATCH_BYTES / 8),
            ends: Vec::with_capacity(BATCH_BYTES / 16),
            rows: Vec::with_capacity(BATCH_BYTES / 128),
        }
    }

    /// How many whole rows there are.
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Whether it should be sent now.
    pub fn is_full(&self) -> bool {
        self.data.len() + 4 * self.ends.len() >= BATCH_BYTES
    }

    /// Appends a value to the row under way.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        self.data.extend_from_slice(value);
        self.end_value();
    }

    /// Appends a NULL.
    #[inline]
    pub fn push_null(&mut self) {
        self.ends.push(self.data.len() as u32 | NULL);
    }

    /// Appends a value that `write` puts at the end of the buffer.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.data);
        self.end_value();
    }

    #[inline]
    fn end_value(&mut self) {
        assert!(
            self.data.len() < NULL as usize,
            "a batch holds less than 2 GiB"
        );
        self.ends.push(self.data.len() as u32);
    }

    /// Ends the row under way and says how many values it has.
    #[inline]
    pub fn end_row(&mut self) -> usize {
        let start = self.rows.last().map_or(0, |end| *end as usize);
        self.rows.push(self.ends.len() as u32);
        self.ends.len() - start
    }

    /// Ends the row under way, whose number does not follow from the one before. All rows of a batch end so, or none.
    pub fn end_row_as(&mut self, number: u64) -> usize {
        self.numbers.push(number);
        self.end_row()
    }

    /// Appends a row of another batch as it is.
    pub fn push_row(&mut self, number: u64, row: Row<'_>) {
        for value in row {
            match value {
                Some(value) => self.push(value),
                None => self.push_null(),
            }
        }
        self.end_row_as(number);
    }

    /// The values of the row under way.
    pub(crate) fn row_under_way(&self) -> Row<'_> {
        let start = self.rows.last().map_or(0, |end| *end as usize);
        self.row(start, self.ends.len())
    }

    fn row(&self, start: usize, end: usize) -> Row<'_> {
        Row {
            data: &self.data,
            position: match start {
                0 => 0,
                _ => (self.ends[start - 1] & !NULL) as usize,
            },
            ends: &self.ends[start..end],
        }
    }

    /// Each row with its number.
    pub fn numbered_rows(&self) -> impl Iterator<Item = (u64, Row<'_>)> {
        let number = |index: usize| self.numbers.get(index).copied();
        let numbers =
            (0..).map(move |index| number(index).unwrap_or(self.first_row + index as u64));
        numbers.zip(self.rows())
    }

    /// Its two halves; the first is the smaller one.
    pub fn halves(&self) -> (Self, Self) {
        let (mut first, mut second) = (Self::default(), Self::default());
        let middle = self.row_count() / 2;
        for (index, (number, row)) in self.numbered_rows().enumerate() {
            match index < middle {
                true => first.push_row(number, row),
                false => second.push_row(number, row),
            }
        }
        (first, second)
    }

    /// Forgets the values of the row under way.
    pub fn undo_row(&mut self) {
        let count = self.rows.last().map_or(0, |end| *end as usize);
        self.ends.truncate(count);
        let length = self.ends.last().map_or(0, |end| (end & !NULL) as usize);
        self.data.truncate(length);
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |end| {
            let row = self.row(start, *end as usize);
            start = *end as usize;
            row
        })
    }

    /// The bytes of all values, one behind the other.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// How many bytes its values have.
    pub(crate) fn byte_count(&self) -> usize {
        self.data.len()
    }

    /// Sends it, if it holds anything, and goes on with an empty one. `false` when nobody takes rows any more.
    pub async fn send(&mut self, output: &BatchSender) -> bool {
        match self.take() {
            Some(batch) => {
                tokio::task::yield_now().await;
                output.send(batch).await.is_ok()
            }
            None => true,
        }
    }

    /// The same for a thread that may wait.
    pub fn blocking_send(&mut self, output: &BatchSender) -> bool {
        match self.take() {
            Some(batch) => output.blocking_send(batch).is_ok(),
            None => true,
        }
    }

    fn take(&mut self) -> Option<Self> {
        if self.rows.is_empty() {
            return None;
        }
        let next = Self::new(self.first_row + self.rows.len() as u64);
        Some(std::mem::replace(self, next))
    }
}

/// The values of one row, in order; `None` is NULL.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    data: &'a [u8],
    position: usize,
    ends: &'a [u32],
}

impl<'a> Iterator for Row<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&end, rest) = self.ends.split_first()?;
        self.ends = rest;
        let start = self.position;
        self.position = (end & !NULL) as usize;
        Some(((end & NULL) == 0).then(|| &self.data[start..self.position]))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ends.len(), Some(self.ends.len()))
    }
}

impl ExactSizeIterator for Row<'_> {}

/// The next batch, after all others who wait for the thread: whoever always finds rows, and room for them, would hold it for a hundred
/// batches, and keep timers, sockets and those who cancel it waiting.
pub(crate) async fn take_turn(rows: &mut BatchReceiver) -> Option<Batch> {
    tokio::task::yield_now().await;
    rows.recv().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_differ_and_rows_may_be_ragged() {
        let mut batch = Batch::new(1);
        batch.push(b"a");
        batch.push_null();
        batch.push(b"");
        assert_eq!(batch.end_row(), 3);
        assert_eq!(batch.end_row(), 0);
        batch.push(b"undone");
        batch.undo_row();
        batch.push_null();
        batch.push(b"bc");
        assert_eq!(batch.end_row(), 2);
        let rows: Vec<Vec<Option<&[u8]>>> = batch.rows().map(Iterator::collect).collect();
        assert_eq!(
            rows,
            [
                vec![Some(&b"a"[..]), None, Some(b"")],
                vec![],
                vec![None, Some(b"bc")]
            ]
        );
    }

    #[test]
    fn halves_keep_rows_and_numbers() {
        let mut batch = Batch::new(5);
        for value in [&b"a"[..], b"bb", b""] {
            batch.push(value);
            batch.push_null();
            batch.end_row();
        }
        let (first, second) = batch.halves();
        let all: Vec<(u64, Vec<Option<&[u8]>>)> = (first.numbered_rows())
            .chain(second.numbered_rows())
            .map(|(number, row)| (number, row.collect()))
            .collect();
        assert_eq!(
            all,
            [
                (5, vec![Some(&b"a"[..]), None]),
                (6, vec![Some(&b"bb"[..]), None]),
                (7, vec![Some(&b""[..]), None])
            ]
        );
        assert_eq!((first.row_count(), second.row_count()), (1, 2));
    }
}
