//! The roles, each wired from its parts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_actions::Registry;
use akkaflow_model::text::Lang;
use akkaflow_store::{MysqlOptions, Store, StoreOptions};
use anyhow::{Context as _, Result, anyhow, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, Override};
use crate::shutdown::Shutdown;
use crate::start::print;
use crate::time_zone;

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Schedules, or waits to.
    Master,
    /// The same, on the standby's port.
    Standby,
    /// Runs actions.
    Worker,
    /// Serves the API.
    HttpServer,
    /// All of it.
    Standalone,
}

impl Role {
    /// Defaults that differ from the file's.
    pub(crate) fn defaults(self) -> Vec<Override> {
        let value = |key, value: &str| Override {
            key,
            value: value.to_owned(),
        };
        match self {
            Self::Master | Self::Worker | Self::HttpServer => Vec::new(),
            Self::Standby => vec![value("master.listen", "127.0.0.1:2752")],
            // Its master serves its own worker only; a free port keeps two of them apart.
            Self::Standalone => vec![value("master.listen", "127.0.0.1:0")],
        }
    }
}

/// Runs a role until it is told to stop.
pub(crate) async fn run(role: Role, config: Config, shutdown: Shutdown) -> Result<()> {
    match role {
        Role::Master | Role::Standby => run_master(&config, shutdown).await,
        Role::Worker => {
            print("ready");
            worker(
                &config,
                config.data_dir.clone(),
                config.worker.masters.clone(),
                &shutdown,
            )
            .run(shutdown.stop)
            .await
            .context("the worker ended")
        }
        Role::HttpServer => {
            let store = open_store(&config).await?;
            let http = http(&config, store).await?;
            print(&format!("ready http://{}", http.address()));
            http.run(shutdown.stop)
                .await
                .context("the http-server ended")
        }
        Role::Standalone => run_standalone(&config, shutdown).await,
    }
}

async fn run_master(config: &Config, shutdown: Shutdown) -> Result<()> {
    let store = open_store(config).await?;
    let master = master(config, store, false).await?;
    print(&format!("ready {}", master.endpoint()));
    Ok(master.run(shutdown.stop).await?)
}

async fn run_standalone(config: &Config, shutdown: Shutdown) -> Result<()> {
    write_local_link(config)?;
    let store = open_store(config).await?;
    let master = master(config, Arc::clone(&store), true).await?;
    let http = http(config, store).await?;
    let worker = worker(
        config,
        config.data_dir.join("worker"),
        vec![master.endpoint().to_owned()],
        &shutdown,
    );
    let address = http.address();
    // The parts end in the order in which work flows: callers first, the master last.
    let [http_stop, worker_stop, master_stop] = std::array::from_fn(|_| CancellationToken::new());
    let mut http_task = tokio::spawn(http.run(http_stop.clone()));
    let mut worker_task = tokio::spawn(worker.run(worker_stop.clone()));
    let mut master_task = tokio::spawn(master.run(master_stop.clone()));
    let ready = tokio::spawn(async move {
        wait_until_ready(address).await;
        print(&format!("ready http://{address}"));
    });
    let early = tokio::select! {
        () = shutdown.stop.cancelled() => None,
        ended = &mut http_task => Some(ended?.context("the http-server ended")),
        ended = &mut worker_task => Some(ended?.context("the worker ended")),
        ended = &mut master_task => Some(ended?.context("the master ended")),
    };
    ready.abort();
    if let Some(outcome) = early {
        return outcome;
    }
    tracing::info!("stopping");
    http_stop.cancel();
    http_task.await?.context("the http-server ended")?;
    worker_stop.cancel();
    worker_task.await?.context("the worker ended")?;
    master_stop.cancel();
    Ok(master_task.await??)
}

async fn open_store(config: &Config) -> Result<Arc<dyn Store>> {
    let store = akkaflow_store::connect(&store_options(config)?).await;
    store.map_err(|error| {
        let text = error.text();
        anyhow!("{}\n{}", text.en, text.zh)
    })
}

fn store_options(config: &Config) -> Result<StoreOptions> {
    let url = config.store.0.as_str();
    if url == "sqlite" {
        return Ok(StoreOptions::Sqlite {
            path: config.data_dir.join("akkaflow.db"),
        });
    }
    let mut options = MysqlOptions::from_url(url).context(
        "`store` must be sqlite or mysql://user:password@host:3306/database / store只能是sqlite或mysql://...",
    )?;
    options.allow_unsafe_durability = config.allow_unsafe_durability;
    Ok(StoreOptions::Mysql(options))
}

/// Makes sure that there is a directory to watch. Only the default one is made: any other that is not there is a mistake.
fn prepare_workflows(config: &Config) -> Result<PathBuf> {
    // File events name files by their absolute paths.
    let directory = std::path::absolute(&config.master.workflows)?;
    let failed = || {
        format!(
            "cannot use the workflow directory {} / 无法使用工作流目录",
            directory.display()
        )
    };
    if directory.is_dir() {
        return Ok(directory);
    }
    if directory.exists() {
        bail!(
            "the workflow directory {} is not a directory; correct --workflows (key master.workflows) / 工作流目录不是目录，请修改--workflows",
            directory.display()
        );
    }
    if config.master.workflows != config::default_workflows() {
        bail!(
            "the workflow directory {} does not exist; correct --workflows (key master.workflows) or create it first / 工作流目录不存在，请修改--workflows或先创建该目录",
            directory.display()
        );
    }
    std::fs::create_dir_all(&directory).with_context(failed)?;
    Ok(directory)
}

async fn master(
    config: &Config,
    store: Arc<dyn Store>,
    is_alone: bool,
) -> Result<akkaflow_master::Service> {
    let workflows = prepare_workflows(config)?;
    let default_zone = time_zone::choose(&config.time_zone)?;
    let options = akkaflow_master::Options {
        listen: config.master.listen.clone(),
        workflows,
        links: config.data_dir.join(&config.master.links),
        key_file: config.key_file.clone(),
        config_file: config.file.clone(),
        makes_key: is_alone,
        zone: (!config.time_zone.is_empty()).then_some(default_zone),
        default_zone,
        lost_after: config.master.lost_after,
        retry_fail_times: config.mail.node_retry_fail_times,
        mails: mails(config)?,
        retention: akkaflow_master::Retention {
            keep_days: config.master.keep_days,
            keep_instances: config.master.keep_instances,
            keep_journal_days: config.master.keep_journal_days,
        },
        holder: format!("{}:{}", host_name(), std::process::id()),
    };
    Ok(akkaflow_master::Service::bind(options, store, Arc::new(Registry::builtin())).await?)
}

/// How mails are sent, where a mail server is named.
fn mails(config: &Config) -> Result<Option<akkaflow_master::Mails>> {
    let mail = &config.mail;
    if mail.host.is_empty() {
        return Ok(None);
    }
    let options = akkaflow_alert::smtp::Options {
        host: mail.host.clone(),
        port: mail.port,
        security: mail.security,
        username: mail.username.clone(),
        password: mail.password.0.clone(),
        from: mail.from.clone(),
        ca_file: (!mail.ca_file.as_os_str().is_empty()).then(|| mail.ca_file.clone()),
        time_limit: mail.time_limit,
    };
    Ok(Some(akkaflow_master::Mails {
        smtp: Arc::new(akkaflow_alert::smtp::Smtp::new(options)?),
        lang: mail.language,
    }))
}

fn worker(
    config: &Config,
    data_dir: PathBuf,
    masters: Vec<String>,
    shutdown: &Shutdown,
) -> akkaflow_worker::Service {
    let worker = &config.worker;
    let mut options = akkaflow_worker::Options::new(data_dir, masters);
    options.host = (!worker.host.is_empty()).then(|| worker.host.clone());
    options.slots = (worker.slots > 0).then_some(worker.slots);
    options.labels = worker.labels.clone();
    options.kill_grace = worker.kill_grace;
    options.log_quota = worker.log_quota;
    options.kill_on_shutdown = shutdown.kill.clone();
    options.on_stop = Some(shutdown.on_stop());
    akkaflow_worker::Service::new(options)
}

async fn http(config: &Config, store: Arc<dyn Store>) -> Result<akkaflow_http::Service> {
    let options = akkaflow_http::Options {
        listen: config.http.listen.clone(),
        masters: config.worker.masters.clone(),
        legacy_lang: legacy_lang(),
        ..akkaflow_http::Options::default()
    };
    Ok(akkaflow_http::Service::bind(options, store, Arc::new(Registry::builtin())).await?)
}

/// Scripts of akkaflow 2.12's users look for Chinese words in the answers of its endpoints.
fn legacy_lang() -> Lang {
    match std::env::var("AKKAFLOW_LANG") {
        Ok(lang) if lang == "en" => Lang::En,
        _ => Lang::Zh,
    }
}

/// A newcomer's first db-link: an SQLite file in the data directory, under the name that the examples use.
fn write_local_link(config: &Config) -> Result<()> {
    let file: PathBuf = config.data_dir.join(&config.master.links);
    if file.exists() {
        return Ok(());
    }
    let database = std::path::absolute(config.data_dir.join("local.db"))?;
    let database = database
        .display()
        .to_string()
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;");
    let text = format!(
        "<!-- The databases that workflows name by db-link. Read again whenever it changes. -->\n<!-- 工作流中db-link所用的数据库连接，修改后自动生效。 -->\n<db-links>\n  <link name=\"local\" type=\"SQLITE\" jdbc-url=\"jdbc:sqlite:{database}\" desc=\"an SQLite file\"/>\n  <!-- <link name=\"dw\" type=\"MYSQL\" jdbc-url=\"jdbc:mysql://127.0.0.1:3306/dw\" username=\"\" password=\"\"/> -->\n</db-links>\n"
    );
    std::fs::create_dir_all(file.parent().unwrap_or(&config.data_dir))
        .and_then(|()| write_private(&file, &text))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// The file holds passwords sooner or later: nobody else may read it.
fn write_private(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(file)?
        .write_all(text.as_bytes())
}

async fn wait_until_ready(address: std::net::SocketAddr) {
    const PAUSE: Duration = Duration::from_millis(5);
    while !is_ready(address).await.unwrap_or(false) {
        tokio::time::sleep(PAUSE).await;
    }
}

async fn is_ready(address: std::net::SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}
