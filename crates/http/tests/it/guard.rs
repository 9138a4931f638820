//! Who may ask.

use akkaflow_http::{Error, Options, Service};
use akkaflow_store::MemoryStore;
use std::sync::Arc;

use crate::support::Server;

#[tokio::test]
async fn a_foreign_page_can_neither_read_nor_post() {
    let server = Server::start(&MemoryStore::new()).await;
    for header in [
        ("host", "evil.example"),
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        for path in [
            "/api/v1/workflows",
            "/akkaflow/workflows?action=reset",
            "/healthz",
        ] {
            let got = server.send("POST", path, &[header], "").await;
            assert_eq!(got.status, 403, "{header:?} {path}: {got:?}");
            assert_eq!(got.json()["code"], "forbidden");
        }
    }
}

#[tokio::test]
async fn loopback_names_and_configured_ones_may_ask() {
    let options = Options {
        listen: "127.0.0.1:0".to_owned(),
        allowed_hosts: vec!["akka.corp".to_owned()],
        ..Options::default()
    };
    let server = Server::start_with(&MemoryStore::new(), options).await;
    for host in ["localhost", "127.0.0.1:8090", "[::1]", "AKKA.corp"] {
        let got = server.send("GET", "/healthz", &[("host", host)], "").await;
        assert_eq!(got.status, 200, "{host}");
    }
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let options = Options {
        listen: "0.0.0.0:0".to_owned(),
        ..Options::default()
    };
    let registry = Arc::new(akkaflow_actions::Registry::builtin());
    let error = Service::bind(options, Arc::new(MemoryStore::new()), registry)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotLoopback(_)));
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}
