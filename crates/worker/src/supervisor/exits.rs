//! The exit records: an append-only file that is rewritten when most of it is forgotten.
//!
//! A record is written, not flushed: it must survive the death of the agent and of this process. A power cut takes the
//! processes with it, and the agent flushes what it reports.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::message::Exit;
use crate::frame;

/// Below this size the file is not worth rewriting, bytes.
const SMALL: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
enum Record {
    Exit(Exit),
    Forgotten(String),
}

/// What has ended and is not forgotten.
pub(super) struct Exits {
    path: PathBuf,
    file: File,
    size: u64,
    known: BTreeMap<String, Exit>,
}

impl Exits {
    /// Reads what an earlier supervisor has left.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let mut known = BTreeMap::new();
        for record in frame::decode_all(&bytes).0 {
            match record {
                Record::Exit(exit) => {
                    known.insert(exit.id.clone(), exit);
                }
                Record::Forgotten(id) => {
                    known.remove(&id);
                }
            }
        }
        let (file, size) = rewrite(path, &known)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            size,
            known,
        })
    }

    /// All that is known.
    pub(super) fn all(&self) -> impl Iterator<Item = &Exit> {
        self.known.values()
    }

    /// The record of one.
    pub(super) fn get(&self, id: &str) -> Option<&Exit> {
        self.known.get(id)
    }

    /// Keeps records.
    pub(super) fn add(&mut self, exits: &[Exit]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for exit in exits {
            self.known.insert(exit.id.clone(), exit.clone());
            frame::encode(&mut bytes, &Record::Exit(exit.clone()));
        }
        self.append(&bytes)
    }

    /// Drops records.
    pub(super) fn forget(&mut self, ids: &[String]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for id in ids {
            if self.known.remove(id).is_some() {
                frame::encode(&mut bytes, &Record::Forgotten(id.clone()));
            }
        }
        self.append(&bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        let needed = self.known.len() as u64 * 128;
        if self.size > SMALL.max(4 * needed) {
            (self.file, self.size) = rewrite(&self.path, &self.known)?;
        }
        Ok(())
    }
}

fn rewrite(path: &Path, known: &BTreeMap<String, Exit>) -> io::Result<(File, u64)> {
    let mut bytes = Vec::new();
    for exit in known.values() {
        frame::encode(&mut bytes, &Record::Exit(exit.clone()));
    }
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&temporary)?;
    file.write_all(&bytes)?;
    std::fs::rename(&temporary, path)?;
    Ok((file, bytes.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::super::message::Cause;
    use super::*;

    fn exit(id: &str) -> Exit {
        Exit {
            id: id.to_owned(),
            code: Some(7),
            signal: None,
            cause: Cause::Itself,
            is_alone: false,
            used: None,
            left: Vec::new(),
        }
    }

    #[test]
    fn records_outlive_the_process_until_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("exits");
        let mut exits = Exits::open(&path).unwrap();
        exits.add(&[exit("a"), exit("b")]).unwrap();
        exits.forget(&["a".to_owned()]).unwrap();
        drop(exits);
        let exits = Exits::open(&path).unwrap();
        assert_eq!(exits.all().collect::<Vec<_>>(), [&exit("b")]);
    }

    #[test]
    fn a_torn_record_at_the_end_loses_only_itself() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("exits");
        let mut exits = Exits::open(&path).unwrap();
        exits.add(&[exit("a"), exit("b")]).unwrap();
        let length = std::fs::metadata(&path).unwrap().len();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(length - 3)
            .unwrap();
        let exits = Exits::open(&path).unwrap();
        assert_eq!(exits.all().collect::<Vec<_>>(), [&exit("a")]);
    }
}
