//! Reads a growing file in pieces that end at line breaks.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, fallocate};

/// The longest piece, bytes. A longer line is cut.
pub(super) const PIECE: usize = 64 << 10;

/// Delivered output is given back to the disk in steps of this size, bytes.
const GIVE_BACK: u64 = 16 << 20;

/// One output of a process.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    file: Option<File>,
    /// Bytes read.
    at: u64,
    /// Bytes that the disk may have back, and has.
    given_back: u64,
    /// Set when the process is over: output ends there.
    end: Option<u64>,
}

impl Tail {
    pub(super) fn new(path: PathBuf, at: u64) -> Self {
        Self {
            path,
            file: None,
            at,
            given_back: 0,
            end: None,
        }
    }

    /// The process is over: what it wrote ends at `end`. Background processes that it left may write on.
    pub(super) fn close(&mut self, end: u64) {
        self.end = Some(end);
    }

    /// Whether all of it was read.
    pub(super) fn is_read(&self) -> bool {
        self.end.is_some_and(|end| self.at >= end)
    }

    pub(super) fn offset(&self) -> u64 {
        self.at
    }

    /// Passes over what will not be delivered.
    pub(super) fn skip_to_end(&mut self) {
        self.at = self.end.unwrap_or(self.at);
    }

    /// The next piece of at most `limit` bytes. While the process lives an unfinished line waits for its end.
    pub(super) fn next(&mut self, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let rest = self.end.map_or(u64::MAX, |end| end.saturating_sub(self.at));
        let wanted = rest.min(limit).min(PIECE as u64);
        if wanted == 0 {
            return Ok(None);
        }
        let at = self.at;
        let Some(file) = self.file()? else {
            return Ok(None);
        };
        let mut piece = vec![0; usize::try_from(wanted).unwrap_or(PIECE)];
        let length = read_up_to(file, &mut piece, at)?;
        piece.truncate(length);
        let is_full = length as u64 == wanted;
        let is_last = self.end.is_some() && wanted == rest;
        if !is_last {
            match piece.iter().rposition(|byte| *byte == b'\n') {
                Some(at) => piece.truncate(at + 1),
                None if is_full => {}
                None => piece.clear(),
            }
        }
        if piece.is_empty() {
            // A file that became shorter than it was has nothing more to give.
            if length == 0 && self.end.is_some() {
                self.skip_to_end();
            }
            return Ok(None);
        }
        self.at += piece.len() as u64;
        Ok(Some(piece))
    }

    /// Reads a piece once more.
    pub(super) fn again(&mut self, at: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; usize::try_from(length).unwrap_or(PIECE).min(PIECE)];
        let read = match self.file()? {
            Some(file) => read_up_to(file, &mut piece, at)?,
            None => 0,
        };
        piece.truncate(read);
        Ok(piece)
    }

    /// Whether [`Tail::give_back`] is worth its while.
    pub(super) fn can_give_back(&self, delivered: u64) -> bool {
        delivered >= self.given_back + GIVE_BACK
    }

    /// Gives the disk back what was delivered, so that the spool of a long output stays small. File systems that cannot
    /// do it keep the whole output until its end.
    pub(super) fn give_back(&mut self, delivered: u64) {
        let length = delivered - self.given_back;
        if let Ok(file) = File::options().write(true).open(&self.path) {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&file, flags, self.given_back, length);
        }
        self.given_back = delivered;
    }

    /// Gives the disk back what the process has written beyond what is read, as it will never be.
    pub(super) fn discard(&mut self) {
        let from = self.at.max(self.given_back);
        let Ok(file) = File::options().write(true).open(&self.path) else {
            return;
        };
        let length = file.metadata().map_or(0, |data| data.len());
        if length >= from + GIVE_BACK {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&file, flags, from, length - from);
            self.given_back = length;
        }
    }

    fn file(&mut self) -> io::Result<Option<&File>> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(self.file.as_ref())
    }
}

fn read_up_to(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], at + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn an_unfinished_line_waits_for_its_end_or_that_of_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        let mut tail = Tail::new(path.clone(), 0);
        assert_eq!(tail.next(u64::MAX).unwrap(), None);
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(tail.next(u64::MAX).unwrap().unwrap(), b"one\n");
        assert_eq!(tail.next(u64::MAX).unwrap(), None);
        tail.close(6);
        assert_eq!(tail.next(u64::MAX).unwrap().unwrap(), b"tw");
        assert!(tail.is_read());
    }

    #[test]
    fn an_endless_line_is_cut() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        std::fs::write(&path, vec![b'x'; PIECE + 5]).unwrap();
        let mut tail = Tail::new(path, 0);
        assert_eq!(tail.next(u64::MAX).unwrap().unwrap().len(), PIECE);
        assert_eq!(tail.next(u64::MAX).unwrap(), None);
    }

    #[test]
    fn output_after_the_end_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        std::fs::write(&path, b"mine\nof a daemon\n").unwrap();
        let mut tail = Tail::new(path, 0);
        tail.close(5);
        assert_eq!(tail.next(u64::MAX).unwrap().unwrap(), b"mine\n");
        assert_eq!(tail.next(u64::MAX).unwrap(), None);
        assert!(tail.is_read());
    }

    #[test]
    fn a_limit_cuts_a_piece() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        std::fs::write(&path, b"a\nb\nc\n").unwrap();
        let mut tail = Tail::new(path, 0);
        tail.close(6);
        assert_eq!(tail.next(5).unwrap().unwrap(), b"a\nb\n");
        assert_eq!(tail.next(1).unwrap().unwrap(), b"c");
    }
}
