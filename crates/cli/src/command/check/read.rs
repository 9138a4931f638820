//! Reading many files at once.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use akkaflow_model::check::{
    CheckedFile, check_file, is_readable_size, not_regular, reason, too_large, unreadable,
};
use akkaflow_model::read::ActionCatalog;
use akkaflow_model::text::Text;
use akkaflow_model::xml::MAX_BYTES;

use crate::context::Context;

/// Whoever waits longer sees how far it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the progress is drawn.
const REDRAWN: Duration = Duration::from_millis(100);
/// More threads than this gain nothing: the disk is then what is waited for.
const MOST_THREADS: usize = 16;

/// Checks each file for itself, on all cores; the order is kept.
pub(super) fn read_all(
    paths: &[PathBuf],
    actions: &(dyn ActionCatalog + Sync),
    context: &Context,
) -> Vec<CheckedFile> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut done: Vec<Option<CheckedFile>> = Vec::new();
    done.resize_with(paths.len(), || None);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(MOST_THREADS).min(paths.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = paths.get(index) else {
                        break;
                    };
                    if sender.send((index, read_one(path, actions))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut progress = Progress::new(paths.len(), context);
        for (count, (index, file)) in receiver.iter().enumerate() {
            done[index] = Some(file);
            progress.show(count + 1);
        }
        progress.clear();
    });
    done.into_iter().flatten().collect()
}

/// A file is never read further than the largest that is accepted, whatever its size says.
fn read_one(path: &Path, actions: &dyn ActionCatalog) -> CheckedFile {
    let name = path.display().to_string();
    match bytes_of(path) {
        Ok(Ok(bytes)) => check_file(&name, &bytes, actions),
        Ok(Err(size)) => too_large(&name, size),
        Err(why) => unreadable(&name, &why),
    }
}

/// The content, or the size of what is too large.
///
/// # Errors
/// Why there is none.
pub(crate) fn bytes_of(path: &Path) -> Result<Result<Vec<u8>, u64>, Text> {
    let why = |error: std::io::Error| reason(&error);
    let meta = std::fs::metadata(path).map_err(why)?;
    if meta.is_dir() {
        // It stands for itself where it cannot be listed.
        std::fs::read_dir(path).map_err(why)?;
    }
    if !meta.is_file() {
        // A pipe would be waited for, a device would never end.
        return Err(not_regular());
    }
    if !is_readable_size(meta.len()) {
        return Ok(Err(meta.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
    let limit = u64::try_from(MAX_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let file = File::open(path).map_err(why)?;
    file.take(limit).read_to_end(&mut bytes).map_err(why)?;
    Ok(Ok(bytes))
}

/// The path that stands for standard input.
pub(crate) const STANDARD: &str = "-";
/// What standard input is called in messages.
pub(crate) const STANDARD_NAME: &str = "<stdin>";

/// What comes by standard input, but for what is behind the largest that is accepted.
pub(crate) fn standard_input() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How far it is, on a terminal, for those who have waited a while.
struct Progress<'a> {
    context: &'a Context,
    total: usize,
    started: Instant,
    drawn: Option<Instant>,
    is_wanted: bool,
}

impl<'a> Progress<'a> {
    fn new(total: usize, context: &'a Context) -> Self {
        Self {
            context,
            total,
            started: Instant::now(),
            drawn: None,
            is_wanted: std::io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, count: usize) {
        let is_due = self.started.elapsed() >= PATIENCE
            && self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAWN);
        if !self.is_wanted || !is_due {
            return;
        }
        self.drawn = Some(Instant::now());
        let total = self.total;
        let line = match self.context.screen.lang {
            akkaflow_model::text::Lang::Zh => format!("已检查 {count}/{total} 个文件"),
            akkaflow_model::text::Lang::En => format!("checked {count} of {total} files"),
        };
        eprint!("\r{line}");
    }

    /// Leaves the line as if nothing had been drawn.
    fn clear(&self) {
        if self.drawn.is_some() {
            eprint!("\r\u{1b}[K");
        }
    }
}
