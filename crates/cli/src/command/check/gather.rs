//! Which files are checked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use akkaflow_model::check::is_workflow_file;

/// Deeper directories are not entered: a bound against loops of links.
const MAX_DEPTH: usize = 16;

/// The files that were named, and the workflow files below the directories that were named, each once, by name.
///
/// # Errors
/// The path that is not there or cannot be listed, and why.
pub(crate) fn gather(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = BTreeSet::new();
    for path in paths {
        let problem = |error: std::io::Error| format!("{}: {error}", path.display());
        let meta = std::fs::metadata(path).map_err(problem)?;
        if meta.is_dir() {
            std::fs::read_dir(path).map_err(problem)?;
            descend(path, &mut files);
        } else {
            files.insert(path.clone());
        }
    }
    Ok(without_repeats(files))
}

fn descend(directory: &Path, files: &mut BTreeSet<PathBuf>) {
    let mut open = vec![(directory.to_owned(), 0)];
    while let Some((directory, depth)) = open.pop() {
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
            if is_dir && depth < MAX_DEPTH {
                open.push((path, depth + 1));
            } else if !is_dir && is_workflow_file(&path) {
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
