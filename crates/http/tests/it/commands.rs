//! How commands find the master, and what happens when it goes away.

use std::time::{Duration, Instant};

use akkaflow_http::Options;
use akkaflow_model::command::{Answer, Command, Rejection};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Text;
use akkaflow_rpc::command::LEADER_METADATA;
use akkaflow_store::{MemoryStore, Store};
use tonic::Status;

use crate::support::{FakeMaster, Server, id, led_by};

fn broken() -> Status {
    Status::unavailable("the connection broke")
}

#[tokio::test]
async fn without_a_master_nothing_is_accepted_and_the_caller_may_try_again() {
    let server = Server::start(&MemoryStore::new()).await;
    let got = server.post("/api/v1/workflows/w/runs", "{}").await;
    assert_eq!(got.status, 503);
    assert!(got.headers.contains_key("retry-after"));
    assert_eq!(got.json()["code"], "unavailable");
    let got = server.get("/akkaflow/workflow/w?action=run").await;
    assert_eq!(got.json()["msg"], "不存在活动的Master");
    assert_eq!(got.status, 200);
}

#[tokio::test]
async fn a_master_that_is_gone_is_waited_for_no_longer_than_people_would() {
    // A port that was free a moment ago: nobody listens there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    drop(listener);
    let options = Options {
        listen: "127.0.0.1:0".to_owned(),
        command_timeout: Duration::from_secs(60),
        master_patience: Duration::from_millis(300),
        ..Options::default()
    };
    let server = Server::start_with(&led_by(&endpoint).await, options).await;
    let begun = Instant::now();
    let got = server.post("/api/v1/workflows/w/runs", "{}").await;
    assert_eq!(got.status, 503, "{got:?}");
    assert!(got.headers.contains_key("retry-after"));
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(Options::default().master_patience <= Duration::from_secs(10));
}

#[tokio::test]
async fn a_standby_passes_the_caller_on_to_the_leader() {
    let leader = FakeMaster::saying(Ok(Answer::Instance { id: id() }));
    let endpoint = leader.serve().await;
    let standby = FakeMaster::new(move |_, _| {
        let mut status = Status::failed_precondition("standby");
        status
            .metadata_mut()
            .insert(LEADER_METADATA, endpoint.parse().unwrap());
        Err(status)
    });
    let server = Server::with_master(&standby).await;
    let got = server.post("/api/v1/workflows/w/trigger", "").await;
    assert_eq!(got.status, 201, "{got:?}");
    assert_eq!((standby.asked().len(), leader.asked().len()), (1, 1));
}

#[tokio::test]
async fn the_lease_is_read_again_when_the_master_that_it_named_is_gone() {
    let first = FakeMaster::new(|_, _| Err(Status::failed_precondition("no longer")));
    let store = led_by(&first.serve().await).await;
    let second = FakeMaster::saying(Ok(Answer::Done));
    let endpoint = second.serve().await;
    let server = Server::start(&store).await;
    let lease = store.lease().await.unwrap();
    let candidate = akkaflow_store::Candidate {
        holder: "second".to_owned(),
        incarnation: 2,
        endpoint,
        seed: 2,
    };
    // The first question goes to the old master, whose answer makes the lease be read again.
    let taking = async {
        while first.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        store.take_over(lease.as_ref(), &candidate).await.unwrap()
    };
    let (got, taken) = tokio::join!(server.post("/api/v1/workflows/w/reset", ""), taking);
    assert!(taken.is_some());
    assert_eq!(got.status, 200, "{got:?}");
    assert_eq!(second.asked().len(), 1);
}

#[tokio::test]
async fn a_run_is_asked_again_with_the_same_key_after_a_broken_connection() {
    let master = FakeMaster::new(|_, before| match before {
        0 => Err(broken()),
        _ => Ok(Ok(Answer::Instance { id: id() })),
    });
    let server = Server::with_master(&master).await;
    let got = server.post("/api/v1/workflows/w/runs", "").await;
    assert_eq!(got.status, 201, "{got:?}");
    let keys: Vec<_> = master
        .asked()
        .into_iter()
        .map(|command| match command {
            Command::Run {
                idempotency_key, ..
            } => idempotency_key.unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_trigger_whose_outcome_is_unknown_is_never_asked_again() {
    let master = FakeMaster::new(|_, _| Err(broken()));
    let server = Server::with_master(&master).await;
    for path in ["workflows/w/trigger", "workflows/w/trigger-blood"] {
        let got = server.post(&format!("/api/v1/{path}"), "").await;
        assert_eq!(got.status, 504, "{got:?}");
        assert_eq!(got.json()["code"], "timeout");
    }
    let got = server
        .post(&format!("/api/v1/instances/{}/rerun", id()), "")
        .await;
    assert_eq!(got.status, 504, "{got:?}");
    assert_eq!(master.asked().len(), 3);
}

#[tokio::test]
async fn a_deletion_that_was_done_before_the_connection_broke_is_done() {
    let master = FakeMaster::new(|_, before| match before {
        0 => Err(broken()),
        _ => Ok(Err(Rejection::new(
            ErrorCode::NotFound,
            Text::verbatim("gone"),
        ))),
    });
    let server = Server::with_master(&master).await;
    let got = server.send("DELETE", "/api/v1/workflows/w", &[], "").await;
    assert_eq!(got.status, 200, "{got:?}");
}

#[tokio::test]
async fn a_master_that_does_not_answer_leaves_the_outcome_unknown() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = led_by(&listener.local_addr().unwrap().to_string()).await;
    let server = Server::start(&store).await;
    let got = server.post("/api/v1/workflows/w/trigger", "").await;
    // It takes connections and says nothing: the call is on its way when the time is up.
    assert!([503, 504].contains(&got.status), "{got:?}");
}

#[tokio::test]
async fn it_is_ready_when_a_master_leads_and_a_worker_is_attached() {
    let master = FakeMaster::saying(Ok(Answer::Done));
    assert_eq!(
        Server::with_master(&master)
            .await
            .get("/readyz")
            .await
            .status,
        200
    );
    let alone = FakeMaster::with_workers(0, |_, _| Ok(Ok(Answer::Done)));
    let got = Server::with_master(&alone)
        .await
        .get("/readyz?lang=zh")
        .await;
    assert_eq!(got.status, 503);
    assert!(got.json()["detail"].as_str().unwrap().contains("worker"));
    let got = Server::start(&MemoryStore::new())
        .await
        .get("/readyz")
        .await;
    assert_eq!(got.status, 503);
}
