//! Output of actions.

use std::sync::Arc;

use akkaflow_model::id::{AttemptKey, InstanceId};

use crate::conformance::samples::{NASTY, at, id};
use crate::contract::Store;
use crate::log::{LogChunk, Stream};

pub(crate) fn chunk(instance: InstanceId, offset: u64, data: &[u8]) -> LogChunk {
    LogChunk {
        key: AttemptKey {
            instance,
            node: "脚本".into(),
            run: 1,
            attempt: 1,
        },
        stream: Stream::Stdout,
        offset,
        at: at(1_790_000_000_000),
        data: data.to_vec(),
    }
}

/// Repeated chunks are passed over, others keep the order of arrival.
pub async fn output_is_appended_once_and_read_in_order(store: Arc<dyn Store>) {
    let first = chunk(id(1), 0, b"one\n");
    let second = chunk(id(1), 4, b"two\n");
    let mut other_stream = chunk(id(1), 0, b"oops\n");
    other_stream.stream = Stream::Stderr;
    store.append_log(&[]).await.unwrap();
    store
        .append_log(&[first.clone(), chunk(id(2), 0, b"elsewhere")])
        .await
        .unwrap();
    store
        .append_log(&[first.clone(), other_stream.clone(), first.clone()])
        .await
        .unwrap();
    store
        .append_log(std::slice::from_ref(&second))
        .await
        .unwrap();
    let stored = store.read_log(id(1), 0, 10).await.unwrap();
    let chunks: Vec<&LogChunk> = stored.iter().map(|stored| &stored.chunk).collect();
    assert_eq!(chunks, [&first, &other_stream, &second]);
    assert!(stored[0].number > 0);
    assert!(stored.is_sorted_by(|a, b| a.number < b.number));
    let after = store.read_log(id(1), stored[0].number, 1).await.unwrap();
    assert_eq!(after, stored[1..2]);
    let end = store.read_log(id(1), stored[2].number, 10).await.unwrap();
    assert_eq!(end, []);
    assert_eq!(store.read_log(id(3), 0, 10).await.unwrap(), []);
}

/// Bytes that are no text, nothing at all, many chunks, a large one.
pub async fn output_of_any_bytes_round_trips(store: Arc<dyn Store>) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let mut chunks = vec![
        chunk(id(1), 0, &every_byte),
        chunk(id(1), 256, b""),
        chunk(id(1), 257, NASTY.as_bytes()),
        chunk(id(1), u64::MAX, &vec![0xff; 1 << 20]),
    ];
    chunks.extend((0..1000).map(|n| chunk(id(1), 1000 + n, format!("line {n}\n").as_bytes())));
    for stream in [Stream::Stderr, Stream::Info, Stream::Warn, Stream::Error] {
        let mut said = chunk(id(1), 0, b"said");
        said.stream = stream;
        chunks.push(said);
    }
    store.append_log(&chunks).await.unwrap();
    let stored = store.read_log(id(1), 0, u32::MAX).await.unwrap();
    let found: Vec<LogChunk> = stored.into_iter().map(|stored| stored.chunk).collect();
    assert_eq!(found, chunks);
}
