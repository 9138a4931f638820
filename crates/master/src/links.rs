//! The db-links that attempts need, read again whenever their file has changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::SystemTime;

use akkaflow_model::db_links::{DbLink, read_with_source};
use akkaflow_model::render::{locate_all, render_findings};
use akkaflow_model::text::Lang;

/// The links file and what it held last.
#[derive(Debug)]
pub(crate) struct LinkBook {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    stamp: Option<(SystemTime, u64)>,
    links: BTreeMap<String, DbLink>,
}

impl LinkBook {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            known: Mutex::default(),
        }
    }

    /// The link called `name`, as the file says it now. A file that cannot be read keeps its last good content.
    pub(crate) fn get(&self, name: &str) -> Option<DbLink> {
        let mut known = self.known.lock().expect("no panic while held");
        self.refresh(&mut known);
        known.links.get(name).cloned()
    }

    fn refresh(&self, known: &mut Known) {
        let stamp = std::fs::metadata(&self.path)
            .ok()
            .and_then(|meta| Some((meta.modified().ok()?, meta.len())));
        if stamp == known.stamp {
            return;
        }
        known.stamp = stamp;
        let Ok(bytes) = std::fs::read(&self.path) else {
            tracing::warn!(path = %self.path.display(), "cannot read the db-links file; the last good links stay in force");
            return;
        };
        let file = self.path.display().to_string();
        let (source, links, diagnostics) = read_with_source(&bytes, &file);
        if !diagnostics.is_empty() {
            let findings = locate_all(&source, &file, &diagnostics);
            tracing::warn!(
                "the db-links file has problems\n{}",
                render_findings(&findings, Lang::En, false)
            );
        }
        known.links = links
            .into_iter()
            .map(|link| (link.name.clone(), link))
            .collect();
    }
}
