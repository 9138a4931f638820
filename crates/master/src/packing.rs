//! Definitions as the engine keeps them while nothing of them runs: their text, compressed.

use std::sync::Arc;

use akkaflow_actions::Registry;
use akkaflow_engine::Packing;
use akkaflow_model::definition::Workflow;
use akkaflow_model::read::read_stored;

/// What definitions are made of: a text that is small itself is compressed by what it has in common with this. Bytes
/// never leave the process, so it may change.
const TYPICAL: &[u8] = include_bytes!("packing/typical.xml");

/// Compresses the text, and reads it again when it is asked for.
#[derive(Debug)]
pub(crate) struct PackedText {
    pub(crate) registry: Arc<Registry>,
}

impl Packing for PackedText {
    fn pack(&self, workflow: &Arc<Workflow>) -> Box<[u8]> {
        lz4_flex::block::compress_prepend_size_with_dict(workflow.source.as_bytes(), TYPICAL)
            .into_boxed_slice()
    }

    fn unpack(&self, packed: &[u8]) -> Option<Arc<Workflow>> {
        let text = lz4_flex::block::decompress_size_prepended_with_dict(packed, TYPICAL).ok()?;
        let text = String::from_utf8(text).ok()?;
        read_stored(&text, None, &*self.registry).map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_model::read::read_workflow;

    use super::*;

    #[test]
    fn a_packed_definition_is_much_smaller_and_comes_back_whole() {
        let registry = Arc::new(Registry::builtin());
        let workflow = read_workflow(TYPICAL, &*registry)
            .workflow
            .expect("an example");
        let workflow = Arc::new(workflow);
        let packing = PackedText { registry };
        let packed = packing.pack(&workflow);
        assert!(packed.len() * 10 < TYPICAL.len(), "{} bytes", packed.len());
        assert_eq!(packing.unpack(&packed).as_deref(), Some(&*workflow));
        assert!(packing.unpack(&packed[..packed.len() / 2]).is_none());
    }
}
