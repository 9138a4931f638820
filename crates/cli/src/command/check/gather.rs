//! Which files are checked.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use akkaflow_model::check::{is_calendar, is_hidden, is_workflow_file, reason};
use akkaflow_model::text::Text;

/// Deeper directories are not entered.
const MAX_DEPTH: usize = 16;

/// What of a directory is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Workflows and files of links.
    Xml,
    /// Calendars too.
    XmlAndCalendars,
}

impl Wanted {
    fn takes(self, path: &Path) -> bool {
        is_workflow_file(path) || (self == Self::XmlAndCalendars && is_calendar(path))
    }
}

/// What was named.
pub(crate) struct Gathered {
    /// The files, each once, by name.
    pub(crate) files: Vec<PathBuf>,
    /// The paths that are not there or cannot be listed, and why.
    pub(crate) wrong: Vec<(PathBuf, Text)>,
}

/// The files that were named, and those below the directories that were named.
pub(crate) fn gather(paths: &[PathBuf], wanted: Wanted) -> Gathered {
    let mut files = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in paths {
        if let Err(error) = add(path, wanted, &mut files) {
            wrong.push((path.clone(), reason(&error)));
        }
    }
    let files = without_repeats(files);
    Gathered { files, wrong }
}

fn add(path: &Path, wanted: Wanted, files: &mut BTreeSet<PathBuf>) -> std::io::Result<()> {
    if std::fs::metadata(path)?.is_dir() {
        std::fs::read_dir(path)?;
        descend(path, wanted, files);
    } else {
        files.insert(path.to_owned());
    }
    Ok(())
}

fn descend(directory: &Path, wanted: Wanted, files: &mut BTreeSet<PathBuf>) {
    let mut open = vec![(directory.to_owned(), 0)];
    // Links lead to directories again and again, and into themselves.
    let mut entered = BTreeSet::new();
    while let Some((directory, depth)) = open.pop() {
        let identity = std::fs::metadata(&directory).map(|meta| (meta.dev(), meta.ino()));
        if identity.is_ok_and(|identity| !entered.insert(identity)) {
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&directory) else {
            // Named as a file, it is reported as one that cannot be read.
            files.insert(directory);
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            // Most entries are plain files, for which the directory itself says so.
            let kind = entry.file_type().ok().filter(|kind| !kind.is_symlink());
            let is_dir = kind.map_or_else(|| path.is_dir(), |kind| kind.is_dir());
            if is_dir && depth < MAX_DEPTH && !is_hidden(&path) {
                open.push((path, depth + 1));
            } else if !is_dir && wanted.takes(&path) {
                files.insert(path);
            }
        }
    }
}

/// `a.xml`, `./a.xml` and a link to it are one file. Costs nothing where no two files have the same name.
fn without_repeats(files: BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    files
        .into_iter()
        .filter(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())))
        .collect()
}
