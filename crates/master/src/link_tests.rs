//! Tests of links that workers carry out: who waits for which.

use std::collections::BTreeMap;
use std::sync::Mutex;

use akkaflow_rpc::wire;
use tokio::sync::mpsc;

/// Tests at a time: each holds a connection or two of somebody else's server, and people wait for them.
const MOST: usize = 16;

/// Tests that are under way.
#[derive(Debug, Default)]
pub(crate) struct LinkTests {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    begun: u64,
    waiting: BTreeMap<u64, mpsc::UnboundedSender<wire::LinkPart>>,
}

impl LinkTests {
    /// Begins one; `None` when there are enough. Ends with its parts: whoever drops these hears no more.
    pub(crate) fn begin(&self) -> Option<(u64, mpsc::UnboundedReceiver<wire::LinkPart>)> {
        let mut inner = self.inner.lock().expect("no panic while held");
        inner.waiting.retain(|_, parts| !parts.is_closed());
        if inner.waiting.len() >= MOST {
            return None;
        }
        let (sender, parts) = mpsc::unbounded_channel();
        inner.begun += 1;
        let id = inner.begun;
        inner.waiting.insert(id, sender);
        Some((id, parts))
    }

    /// Hands on what a worker says.
    pub(crate) fn report(&self, part: wire::LinkPart) {
        let inner = self.inner.lock().expect("no panic while held");
        if let Some(parts) = inner.waiting.get(&part.id) {
            // Whoever asked may have gone away.
            let _ = parts.send(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hears_of_its_own_test_and_those_that_nobody_waits_for_make_room() {
        let tests = LinkTests::default();
        let (first, mut parts) = tests.begin().unwrap();
        let others: Vec<_> = (1..MOST).map(|_| tests.begin().unwrap()).collect();
        assert!(tests.begin().is_none());
        tests.report(wire::LinkPart {
            id: first,
            part: "read".to_owned(),
            ..wire::LinkPart::default()
        });
        assert_eq!(parts.try_recv().unwrap().part, "read");
        for (_, mut parts) in others {
            assert!(parts.try_recv().is_err());
        }
        assert!(tests.begin().is_some());
    }
}
