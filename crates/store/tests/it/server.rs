//! A database of its own for each test, on the server that `AKKAFLOW_TEST_MYSQL_URL` names.

use std::sync::Arc;

use akkaflow_store::{MysqlOptions, MysqlStore, Store};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection as _};

/// A database that exists for one test.
pub(crate) struct Database {
    url: String,
    name: String,
}

impl Database {
    /// Creates one; `None`, said aloud, when there is no server.
    pub(crate) async fn create() -> Option<Self> {
        let Ok(url) = std::env::var("AKKAFLOW_TEST_MYSQL_URL") else {
            assert!(
                std::env::var("AKKAFLOW_TEST_REQUIRE_SERVERS").as_deref() != Ok("1"),
                "AKKAFLOW_TEST_MYSQL_URL is not set, but servers are required"
            );
            println!(
                "SKIPPED: AKKAFLOW_TEST_MYSQL_URL names no server (mysql://user:password@host:port/)"
            );
            return None;
        };
        let name = format!("af_test_{:032x}", uuid::Uuid::new_v4().as_u128());
        let database = Self {
            url: url.trim_end_matches('/').to_owned(),
            name,
        };
        database
            .run(format!("CREATE DATABASE {}", database.name))
            .await;
        Some(database)
    }

    /// Options for its store.
    pub(crate) fn options(&self) -> MysqlOptions {
        MysqlOptions::from_url(&format!("{}/{}", self.url, self.name)).unwrap()
    }

    /// Host and port of the server.
    pub(crate) fn address(&self) -> String {
        let address = self.url.rsplit(['@', '/']).next().unwrap();
        address.to_owned()
    }

    /// A store on it that reaches the server at another address.
    pub(crate) async fn connect_by(&self, address: &str) -> MysqlStore {
        let url = self.url.replace(&self.address(), address);
        let options = MysqlOptions::from_url(&format!("{url}/{}", self.name)).unwrap();
        MysqlStore::connect(options).await.unwrap()
    }

    /// A store on it.
    pub(crate) async fn connect(&self) -> MysqlStore {
        MysqlStore::connect(self.options()).await.unwrap()
    }

    /// A store on it, for whom any store will do.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.connect().await)
    }

    /// A plain connection to it.
    pub(crate) async fn plain(&self) -> MySqlConnection {
        let options: MySqlConnectOptions = format!("{}/{}", self.url, self.name).parse().unwrap();
        MySqlConnection::connect_with(&options).await.unwrap()
    }

    /// Drops it.
    pub(crate) async fn remove(self) {
        self.run(format!("DROP DATABASE {}", self.name)).await;
    }

    async fn run(&self, text: String) {
        let mut connection = MySqlConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text))
            .execute(&mut connection)
            .await
            .unwrap();
    }
}
