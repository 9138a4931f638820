//! Files that masters have sent, by the hash of their content: what many attempts bring along travels once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use ring::digest::{Context, SHA256};

/// All of it together, bytes. What was used longest ago goes first.
const MOST_BYTES: u64 = 1 << 30;

/// Bytes that are read or written at once.
const PIECE: usize = 256 * 1024;

/// Files by the hash of their content.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    most_bytes: u64,
    drafts: AtomicU64,
}

impl Cache {
    /// In a directory of its own, which is made when the first file is kept.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            most_bytes: MOST_BYTES,
            drafts: AtomicU64::new(0),
        }
    }

    /// Copies the content with this hash into `target`; `false` when there is none. What has been damaged is removed.
    pub(crate) fn take(&self, sha256: &[u8], target: &Path) -> io::Result<bool> {
        let path = self.path(sha256);
        let Ok(mut kept) = File::open(&path) else {
            return Ok(false);
        };
        let mut copy = File::create(target)?;
        let mut hash = Context::new(&SHA256);
        let mut piece = vec![0; PIECE];
        loop {
            let count = kept.read(&mut piece)?;
            if count == 0 {
                break;
            }
            hash.update(&piece[..count]);
            copy.write_all(&piece[..count])?;
        }
        if hash.finish().as_ref() != sha256 {
            let _ = fs::remove_file(&path);
            return Ok(false);
        }
        // Only its age suffers when that cannot be written.
        let _ = OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|file| file.set_modified(SystemTime::now()));
        Ok(true)
    }

    /// Keeps a copy of `source`, whose content has this hash. Others see the whole of it or nothing.
    pub(crate) fn keep(&self, sha256: &[u8], source: &Path) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let draft = self.drafts.fetch_add(1, Ordering::Relaxed);
        let draft = self.directory.join(format!("draft-{draft}"));
        let kept = fs::copy(source, &draft).and_then(|_| fs::rename(&draft, self.path(sha256)));
        if kept.is_err() {
            let _ = fs::remove_file(&draft);
        }
        kept.and_then(|()| self.make_room())
    }

    fn path(&self, sha256: &[u8]) -> PathBuf {
        let name: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        self.directory.join(name)
    }

    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another thread may have removed it.
            if let Ok(data) = entry.metadata() {
                files.push((data.modified()?, data.len(), entry.path()));
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if bytes <= self.most_bytes {
                break;
            }
            let _ = fs::remove_file(path);
            bytes -= length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(content: &[u8]) -> Vec<u8> {
        ring::digest::digest(&SHA256, content).as_ref().to_vec()
    }

    struct Place {
        directory: tempfile::TempDir,
        cache: Cache,
    }

    impl Place {
        fn new(most_bytes: u64) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let cache = Cache {
                most_bytes,
                ..Cache::new(directory.path().join("cache"))
            };
            Self { directory, cache }
        }

        fn keep(&self, content: &[u8]) {
            let source = self.directory.path().join("source");
            fs::write(&source, content).unwrap();
            self.cache.keep(&hash(content), &source).unwrap();
        }

        fn take(&self, content: &[u8]) -> Option<Vec<u8>> {
            let target = self.directory.path().join("target");
            let is_there = self.cache.take(&hash(content), &target).unwrap();
            is_there.then(|| fs::read(target).unwrap())
        }
    }

    #[test]
    fn what_was_kept_is_copied_and_what_was_damaged_is_not() {
        let place = Place::new(100);
        assert_eq!(place.take(b"one"), None);
        place.keep(b"one");
        assert_eq!(place.take(b"one").unwrap(), b"one");
        fs::write(place.cache.path(&hash(b"one")), "two").unwrap();
        assert_eq!(place.take(b"one"), None);
        assert!(!place.cache.path(&hash(b"one")).exists());
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let place = Place::new(9);
        for content in [b"one", b"two", b"six"] {
            place.keep(content);
        }
        let ages = [(b"one", 2), (b"two", 3), (b"six", 1)];
        for (content, age) in ages {
            let file = OpenOptions::new()
                .append(true)
                .open(place.cache.path(&hash(content)))
                .unwrap();
            let at = SystemTime::now() - std::time::Duration::from_secs(60 * age);
            file.set_modified(at).unwrap();
        }
        assert!(place.take(b"two").is_some(), "used now");
        place.keep(b"ten");
        assert_eq!(place.take(b"one"), None);
        for content in [b"two", b"six", b"ten"] {
            assert!(place.take(content).is_some());
        }
        let drafts = fs::read_dir(&place.cache.directory).unwrap().count();
        assert_eq!(drafts, 3, "no draft is left");
    }
}
