//! Attempts, databases and what they say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use akkaflow_actions::{
    ActionError, AttemptContext, LogSink, Meter, ParsedAction, ProcessSpec, Registry, Work,
};
use akkaflow_connectors::{Options, Pool, Session, channel, connect, db_kinds};
use akkaflow_model::db_links::{DbKind, DbLink, Secret};
use akkaflow_model::diagnostic::{Diagnostic, Diagnostics};
use akkaflow_model::file_links::FileAccess;
use akkaflow_model::id::{AttemptKey, InstanceId};
use akkaflow_model::time::Timestamp;
use akkaflow_model::xml;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A place for attempts, with the databases they may use.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
    pub(crate) links: BTreeMap<String, DbLink>,
    pub(crate) file_links: BTreeMap<String, FileAccess>,
    pub(crate) cancel: CancellationToken,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        install_crypto();
        Self {
            directory: tempfile::tempdir().unwrap(),
            links: BTreeMap::new(),
            file_links: BTreeMap::new(),
            cancel: CancellationToken::new(),
            lines: Arc::default(),
        }
    }

    pub(crate) fn with(databases: &[&Database]) -> Self {
        let mut bench = Self::new();
        for database in databases {
            bench.add(database.link.clone());
        }
        bench
    }

    pub(crate) fn add(&mut self, link: DbLink) {
        self.links.insert(link.name.clone(), link);
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory
            .path()
            .join(name)
            .to_string_lossy()
            .into_owned()
    }

    pub(crate) fn attempt(&self) -> AttemptContext {
        let lines = Arc::clone(&self.lines);
        AttemptContext {
            key: AttemptKey {
                instance: InstanceId::from_u128(7),
                node: "n".into(),
                run: 1,
                attempt: 1,
            },
            workflow: "w".to_owned(),
            desc: String::new(),
            params: vec![("day".to_owned(), "2026-11-21".to_owned())],
            fire_time: Timestamp::from_millis(0),
            directory: self.directory.path().to_owned(),
            base_directory: self.directory.path().to_owned(),
            links: self.links.clone(),
            file_links: self.file_links.clone(),
            unusable_links: BTreeMap::new(),
            sessions: Pool::default(),
            log: LogSink::new(move |level, line| {
                lines.lock().unwrap().push(format!("{level:?} {line}"));
            }),
            cancel: self.cancel.clone(),
            outputs: Vec::new(),
            meter: Meter::default(),
        }
    }

    /// Puts what an action brings along into the directory, as a worker does.
    pub(crate) fn fetch(&self, action: &dyn ParsedAction) {
        for path in action.attachments() {
            let name = path.file_name().unwrap();
            std::fs::write(
                self.directory.path().join(name),
                std::fs::read(&path).unwrap(),
            )
            .unwrap();
        }
    }

    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Runs a body, as a task or as a process.
    pub(crate) async fn run(&self, body: &str) -> Result<(), ActionError> {
        let action = parse(body);
        let attempt = self.attempt();
        match action.work(&attempt)? {
            Work::Task => action.run(&attempt).await.map(|_| ()),
            Work::Process(spec) => {
                self.fetch(&*action);
                let (code, out, err) = run_process(&spec, self.directory.path());
                assert_eq!(code, 0, "{out}{err}");
                Ok(())
            }
        }
    }

    /// The words of the failure that `body` must end with.
    pub(crate) async fn failure(&self, body: &str) -> String {
        match self.run(body).await.unwrap_err() {
            ActionError::Retryable(text) | ActionError::Fatal(text) => {
                format!("{} / {}", text.zh, text.en)
            }
            ActionError::NotYet { seen } => format!("not yet: {seen:?}"),
            ActionError::Cancelled => "cancelled".to_owned(),
        }
    }
}

/// Held by tests that switch `local_infile` of the server off, or must find it on.
pub(crate) static LOCAL_INFILE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

pub(crate) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
}

pub(crate) fn check(body: &str) -> (Option<Box<dyn ParsedAction>>, Vec<Diagnostic>) {
    let document = xml::read(body.as_bytes());
    let mut diagnostics = Diagnostics::new();
    let root = document.root.as_ref().unwrap();
    let action = Registry::builtin().parse(root, &mut diagnostics);
    (action, diagnostics.into_sorted())
}

pub(crate) fn parse(body: &str) -> Box<dyn ParsedAction> {
    let (action, diagnostics) = check(body);
    assert_eq!(diagnostics, [], "{body}");
    action.unwrap()
}

/// Does what a worker does with a process: exit code, standard output, standard error.
pub(crate) fn run_process(spec: &ProcessSpec, directory: &Path) -> (i32, String, String) {
    use std::os::unix::fs::PermissionsExt;
    for (name, content, is_executable) in &spec.files {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        let mode = if *is_executable { 0o700 } else { 0o600 };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let output = std::process::Command::new(&spec.program)
        .args(&spec.arguments)
        .envs(spec.environment.clone())
        .current_dir(directory)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// A database of a test's own. Gone when dropped.
pub(crate) struct Database {
    pub(crate) link: DbLink,
    /// A link to the server from which the database is dropped.
    admin: Option<DbLink>,
    directory: TempDir,
}

/// Of each kind that we connect to, where it can be had here.
pub(crate) async fn databases() -> Vec<Database> {
    let mut databases = Vec::new();
    for kind in db_kinds() {
        databases.extend(match kind {
            DbKind::Mysql => mysql().await,
            DbKind::Postgres => postgres().await,
            DbKind::Sqlite => Some(sqlite()),
            other => panic!("no test reaches databases of type {other:?}: say here how"),
        });
    }
    databases
}

fn link(name: &str, kind: DbKind, jdbc_url: String, user: &str, password: &str) -> DbLink {
    DbLink {
        name: name.to_owned(),
        kind,
        jdbc_url,
        username: user.to_owned(),
        password: Secret::new(password),
        desc: None,
        properties: Vec::new(),
    }
}

pub(crate) fn sqlite() -> Database {
    install_crypto();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    Database {
        link: link(
            "sqlite",
            DbKind::Sqlite,
            format!("jdbc:sqlite:{}", path.display()),
            "",
            "",
        ),
        admin: None,
        directory,
    }
}

pub(crate) async fn mysql() -> Option<Database> {
    let (address, user, password) = server("AKKAFLOW_TEST_MYSQL_URL")?;
    let of = |database: &str| {
        let url = format!("jdbc:mysql://{address}/{database}");
        link("mysql", DbKind::Mysql, url, &user, &password)
    };
    Some(make(&of, "", " character set utf8mb4").await)
}

pub(crate) async fn postgres() -> Option<Database> {
    let (address, user, password) = server("AKKAFLOW_TEST_POSTGRES_URL")?;
    let of = |database: &str| {
        let url = format!("jdbc:postgresql://{address}/{database}");
        link("postgres", DbKind::Postgres, url, &user, &password)
    };
    Some(make(&of, "postgres", "").await)
}

/// Address, user and password of a server to test with.
pub(crate) fn server(variable: &str) -> Option<(String, String, String)> {
    let Ok(url) = std::env::var(variable) else {
        let must = std::env::var("AKKAFLOW_TEST_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
        assert!(!must, "{variable} is not set");
        println!("SKIPPED: {variable} is not set");
        return None;
    };
    let rest = url.split_once("://").unwrap().1;
    let (credentials, rest) = rest.rsplit_once('@').unwrap();
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let address = rest.split('/').next().unwrap();
    Some((address.to_owned(), user.to_owned(), password.to_owned()))
}

async fn make(of: &impl Fn(&str) -> DbLink, admin: &str, options: &str) -> Database {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    install_crypto();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("akkaflow_test_{}_{number}", std::process::id());
    let admin = of(admin);
    let mut session = open(&admin).await;
    session
        .execute(&format!("create database {name}{options}"))
        .await
        .unwrap();
    Database {
        link: of(&name),
        admin: Some(admin),
        directory: tempfile::tempdir().unwrap(),
    }
}

pub(crate) async fn open(link: &DbLink) -> Box<dyn Session> {
    let options = Options {
        base_dir: std::env::temp_dir(),
    };
    connect(link, &options).await.unwrap().session
}

pub(crate) type Rows = Vec<Vec<Option<Vec<u8>>>>;

impl Database {
    pub(crate) fn name(&self) -> &str {
        &self.link.name
    }

    pub(crate) fn kind(&self) -> DbKind {
        self.link.kind
    }

    pub(crate) async fn execute(&self, statements: &[&str]) {
        let mut session = open(&self.link).await;
        for statement in statements {
            session.execute(statement).await.unwrap();
        }
    }

    pub(crate) async fn query(&self, query: &str) -> Rows {
        let (sender, mut receiver) = channel();
        let link = self.link.clone();
        let query = query.to_owned();
        let reader = tokio::spawn(async move { open(&link).await.read(&query, sender).await });
        let mut rows = Rows::new();
        while let Some(batch) = receiver.recv().await {
            rows.extend(batch.rows().map(|row| {
                row.map(|value| value.map(<[u8]>::to_vec))
                    .collect::<Vec<_>>()
            }));
        }
        reader.await.unwrap().unwrap();
        rows
    }

    /// The only value of a query.
    pub(crate) async fn text(&self, query: &str) -> String {
        let rows = self.query(query).await;
        String::from_utf8(rows[0][0].clone().unwrap()).unwrap()
    }

    /// As another session, under another name.
    pub(crate) fn renamed(&self, name: &str) -> DbLink {
        DbLink {
            name: name.to_owned(),
            ..self.link.clone()
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = &self.directory;
        let Some(admin) = self.admin.take() else {
            return;
        };
        let name = self.link.jdbc_url.rsplit('/').next().unwrap().to_owned();
        let force = if self.link.kind == DbKind::Postgres {
            " with (force)"
        } else {
            ""
        };
        let statement = format!("drop database {name}{force}");
        // A destructor cannot wait in the test's own runtime.
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async { open(&admin).await.execute(&statement).await.map(|_| ()) })
        });
        let _ = dropper.join();
    }
}

/// Waits until a database has no other connection: a server rolls back what a dead one began once it notices.
pub(crate) async fn wait_until_alone(database: &Database) {
    let others = match database.kind() {
        DbKind::Mysql => {
            "select count(*) from information_schema.processlist where db = database() and id <> connection_id()"
        }
        DbKind::Postgres => {
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        }
        _ => return,
    };
    let since = Instant::now();
    while database.text(others).await != "0" {
        assert!(since.elapsed() < LONGEST, "a connection lives on");
        tokio::task::yield_now().await;
    }
}

/// Machines that test are busy.
const LONGEST: Duration = Duration::from_secs(60);

pub(crate) fn row(values: &[&str]) -> Vec<Option<Vec<u8>>> {
    values
        .iter()
        .map(|value| Some(value.as_bytes().to_vec()))
        .collect()
}
