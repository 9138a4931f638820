//! What the log has said about files.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;

/// What the log says about files, so that it says it once for each content: files are read again for many reasons.
#[derive(Debug, Default)]
pub(crate) struct Told {
    by_file: Mutex<BTreeMap<String, u64>>,
}

impl Told {
    /// Whether the log has not said `text` of this content yet, or something else since; from now on it has.
    pub(super) fn is_news(&self, file: &str, bytes: &[u8], text: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (bytes, text).hash(&mut hasher);
        let hash = hasher.finish();
        let mut by_file = self.by_file.lock().expect("no panic while held");
        by_file.insert(file.to_owned(), hash) != Some(hash)
    }

    /// The file is fine, or gone: what comes next is news.
    pub(super) fn forget(&self, file: &str) {
        let mut by_file = self.by_file.lock().expect("no panic while held");
        by_file.remove(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_news_once_for_each_content_and_again_after_the_file_was_fine() {
        let told = Told::default();
        assert!(told.is_news("a.xml", b"<x", "broken"));
        assert!(!told.is_news("a.xml", b"<x", "broken"));
        assert!(told.is_news("b.xml", b"<x", "broken"));
        assert!(told.is_news("a.xml", b"<y", "broken"));
        assert!(told.is_news("a.xml", b"<y", "broken otherwise"));
        told.forget("a.xml");
        assert!(told.is_news("a.xml", b"<y", "broken otherwise"));
    }
}
