//! Definitions as the engine keeps them while nothing of them runs: their text, compressed.

use std::fmt;
use std::sync::Arc;

use akkaflow_model::definition::Workflow;
use akkaflow_model::read::{ActionCatalog, read_unlinted};
use akkaflow_model::record::VersionRow;

use crate::{Definition, Packing};

/// What definitions are made of: a text that is small itself is compressed by what it has in common with this. Bytes
/// never leave the process, so it may change.
const TYPICAL: &[u8] = include_bytes!("packing/typical.xml");

/// Compresses the text, and reads it again when it is asked for.
pub struct PackedText {
    /// The action types that definitions may use.
    pub actions: Arc<dyn ActionCatalog + Send + Sync>,
}

impl PackedText {
    /// What the engine keeps of a stored content; `None` when it cannot be read any more.
    pub fn read(&self, row: &VersionRow) -> Option<Definition> {
        let workflow = read_unlinted(row.xml.as_bytes(), Some(&row.version), &*self.actions)?;
        Some(Definition::new(&Arc::new(workflow), self))
    }
}

impl Packing for PackedText {
    fn pack(&self, workflow: &Arc<Workflow>) -> Box<[u8]> {
        lz4_flex::block::compress_prepend_size_with_dict(workflow.source.as_bytes(), TYPICAL)
            .into_boxed_slice()
    }

    fn unpack(&self, packed: &[u8]) -> Option<Arc<Workflow>> {
        let text = lz4_flex::block::decompress_size_prepended_with_dict(packed, TYPICAL).ok()?;
        let text = String::from_utf8(text).ok()?;
        read_unlinted(text.as_bytes(), None, &*self.actions).map(Arc::new)
    }
}

impl fmt::Debug for PackedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackedText").finish_non_exhaustive()
    }
}
