//! What a stop of the worker in order tells the master.

use akkaflow_model::outcome::OutcomeKind;

use crate::fake_master::{FakeMaster, key};
use crate::worker::{DataDir, Worker, options};

#[tokio::test]
async fn a_worker_that_stops_says_so_before_it_reports_anything_lost() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "report", "wait");
    master.accepted(&key(1)).await;
    let told = async {
        let holds = master.leaving().await;
        (holds, master.finished(&key(1)).await.kind)
    };
    let (told, ()) = tokio::join!(told, worker.stop());
    assert_eq!(told, (vec![key(1)], OutcomeKind::Lost));
}
