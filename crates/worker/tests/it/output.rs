//! Output arrives whole, whatever it is and whatever happens on its way.

use akkaflow_model::outcome::OutcomeKind;

use crate::fake_master::{FakeMaster, key};
use crate::worker::{DataDir, Worker, options};

#[tokio::test]
async fn binary_output_arrives_byte_for_byte() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(
        &key(1),
        "sh",
        "head -c 300000 /dev/urandom > garbage; cat garbage; cksum < garbage >&2",
    );
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Succeeded);
    let output = master.output(&key(1), 1, |out| out.len() >= 300_000).await;
    assert_eq!(output.len(), 300_000);
    let sum = master.output(&key(1), 2, |err| !err.is_empty()).await;
    assert_eq!(String::from_utf8(sum).unwrap(), cksum(&output));
    assert_eq!(outcome.log_length, 300_000 + cksum(&output).len() as u64);
}

#[tokio::test]
async fn a_long_output_arrives_whole() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "sh", "seq 1 2500000");
    let length = master.finished(&key(1)).await.log_length;
    assert!(length > 18_000_000, "{length}");
    let output = master
        .output(&key(1), 1, |out| out.len() as u64 >= length)
        .await;
    assert_eq!(output.len() as u64, length);
    assert!(
        output
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .zip(1..)
            .all(|(line, number)| line == number.to_string().as_bytes())
    );
}

#[tokio::test]
async fn output_beyond_the_quota_is_dropped_and_said_so() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let mut options = options(data.path(), &[&master.address]);
    options.log_quota = 1_000;
    let _worker = Worker::start(options);
    master.attached().await;
    master.run(&key(1), "sh", "seq 1 1000");
    master.finished(&key(1)).await;
    let note = master
        .output(&key(1), 4, |note| note.ends_with(b"\n"))
        .await;
    let note = String::from_utf8(note).unwrap();
    assert!(
        note.contains("1000 bytes") && note.contains("上限1000"),
        "{note}"
    );
    assert_eq!(master.output_now(&key(1), 1).len(), 1_000);
}

#[tokio::test]
async fn unacknowledged_output_is_sent_again_after_a_restart() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.acknowledge_output(false);
    master.run(&key(1), "sh", "seq 1 20000; echo end >&2");
    let length = master.finished(&key(1)).await.log_length;
    master.acknowledge(&key(1));
    worker.crash();
    master.acknowledge_output(true);
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    let out = usize::try_from(length).unwrap() - 4;
    master.output(&key(1), 1, |text| text.len() == out).await;
    master.output(&key(1), 2, |text| text == b"end\n").await;
}

#[tokio::test]
async fn what_an_action_reports_arrives() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "report", "目标表存在");
    let outcome = master.finished(&key(1)).await;
    let expected = "目标表存在\n".as_bytes();
    master.output(&key(1), 3, |out| out == expected).await;
    assert_eq!(outcome.log_length, expected.len() as u64);
}

/// What the program of that name prints.
fn cksum(bytes: &[u8]) -> String {
    let mut crc = 0_u32;
    let mut feed = |byte: u8| {
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x04c1_1db7
            };
        }
    };
    bytes.iter().copied().for_each(&mut feed);
    let mut length = bytes.len();
    while length > 0 {
        feed((length & 0xff) as u8);
        length >>= 8;
    }
    format!("{} {}\n", !crc, bytes.len())
}
