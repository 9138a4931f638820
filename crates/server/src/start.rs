//! What every main does: flags, configuration, logging, the runtime, one printed chain of causes when it fails.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::config::{self, Config, Override};
use crate::roles::{self, Role};
use crate::shutdown;

/// akkaflow: a scheduler for ETL workflows / ETL工作流调度系统
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Flags {
    /// Configuration file (TOML) / 配置文件
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where this process keeps what must survive it / 数据目录
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Where the cluster keeps its facts: sqlite, or mysql://user:password@host:3306/database (better in the file or AKKAFLOW_STORE) / 元数据库
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Time zone of the cluster, e.g. Asia/Shanghai / 时区
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// error, warn, info, debug, or a tracing filter / 日志级别
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// Master: address to serve gRPC on / master的gRPC地址
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Master: watched directory of workflow files / 工作流目录
    #[arg(long, value_name = "DIR")]
    workflows: Option<String>,
    /// Master: file of the db-links, relative to the data directory / 数据库连接文件
    #[arg(long, value_name = "FILE")]
    links: Option<String>,
    /// Worker: endpoints of all masters, comma-separated / 所有master的地址
    #[arg(long, value_name = "HOST:PORT,...")]
    masters: Option<String>,
    /// Worker: attempts at once / 并发尝试数
    #[arg(long, value_name = "N")]
    slots: Option<String>,
    /// Worker: name that host= is compared with / 主机名
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// http-server: address to serve on / HTTP地址
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// Prints the default configuration file and ends / 打印默认配置文件
    #[arg(long)]
    print_config: bool,
}

impl Flags {
    fn overrides(self) -> Vec<Override> {
        [
            ("data-dir", self.data_dir),
            ("store", self.store),
            ("time-zone", self.time_zone),
            ("log", self.log),
            ("master.listen", self.listen),
            ("master.workflows", self.workflows),
            ("master.links", self.links),
            ("worker.masters", self.masters),
            ("worker.slots", self.slots),
            ("worker.host", self.host),
            ("http.listen", self.http),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| Override { key, value }))
        .collect()
    }
}

/// The whole of a main.
pub fn main_of(role: Role) -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(data_dir) = akkaflow_worker::supervisor::is_invocation(&arguments) {
        return exit_code(akkaflow_worker::supervisor::main(data_dir).map_err(Into::into));
    }
    hide_environment();
    exit_code(run(role))
}

/// Scripts run as the same user, who could read our environment: where it holds a secret nobody can but the system's own user. (Nor
/// can a debugger look at us then.)
fn hide_environment() {
    if SECRETS.iter().any(|name| std::env::var_os(name).is_some()) {
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Settings that hold secrets.
const SECRETS: [&str; 2] = ["AKKAFLOW_MAIL_PASSWORD", "AKKAFLOW_STORE"];

fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "the one place where a process says why it ends"
            )]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(role: Role) -> Result<()> {
    let flags = Flags::parse();
    if flags.print_config {
        print(config::DEFAULT);
        return Ok(());
    }
    let file = flags
        .config
        .clone()
        .or_else(|| std::env::var_os("AKKAFLOW_CONFIG").map(PathBuf::from));
    let config = config::load(
        file.as_deref(),
        |name| std::env::var(name).ok(),
        flags.overrides(),
        role.defaults(),
    )?;
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_new(&config.log)
                .context("`log` is no valid filter")?,
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for (name, nearest) in config::unknown_variables(names) {
        tracing::warn!(
            "the environment variable {name} means nothing{} / 环境变量{name}不起作用",
            nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
        );
    }
    // Two providers are linked into one program; without a choice rustls panics at the first connection.
    let _ = rustls::crypto::ring::default_provider().install_default();
    prepare_data_dir(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |cores| cores.get().min(4)))
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let outcome = runtime.block_on(async { roles::run(role, config, shutdown::listen()?).await });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}

fn prepare_data_dir(config: &Config) -> Result<()> {
    let directory = &config.data_dir;
    let probe = directory.join(".writable");
    std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(&probe, [0_u8; 4096]))
        .and_then(|()| std::fs::remove_file(&probe))
        .with_context(|| {
            format!(
                "cannot write to the data directory {}; free space or choose another one with --data-dir / 数据目录无法写入，请清理磁盘或用--data-dir更换",
                directory.display()
            )
        })
}

/// Prints to standard output.
#[expect(
    clippy::print_stdout,
    reason = "the start scripts and people wait for these lines"
)]
pub(crate) fn print(text: &str) {
    use std::io::Write as _;
    println!("{text}");
    // A closed standard output is no reason to end.
    let _ = std::io::stdout().flush();
}
