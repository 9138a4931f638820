//! The servers of one measurement: started on free loopback ports with empty private data, stopped when dropped.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::Client;
use super::{Bench, On, moment, processes};

/// Time to become ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often readiness is looked for: well below the cold start that is measured with it.
const LOOK: Duration = Duration::from_millis(2);

/// Makes the directories of one benchmark different.
static NUMBER: AtomicU32 = AtomicU32::new(1);

/// Servers that run.
pub(crate) struct Servers<'a> {
    bench: &'a Bench,
    on: On,
    directory: PathBuf,
    workflows: PathBuf,
    database: Option<String>,
    base: String,
    programs: Vec<Program>,
    /// Wall clock before the first process was started.
    pub(crate) started_ms: f64,
    /// Wall clock when `/readyz` said yes.
    pub(crate) ready_ms: f64,
}

struct Program {
    name: String,
    program: String,
    data: PathBuf,
    arguments: Vec<String>,
    child: Child,
    lines: Receiver<String>,
    errors: PathBuf,
}

impl<'a> Servers<'a> {
    /// Starts them on empty state and waits until work is accepted. `links` is the inside of `db_links.xml`.
    pub(crate) fn start(bench: &'a Bench, on: On, links: &str) -> Result<Self> {
        Self::start_with(bench, on, links, |_| Ok(()))
    }

    /// The same with workflow files that `fill` writes into the watched directory before the start.
    pub(crate) fn start_with(
        bench: &'a Bench,
        on: On,
        links: &str,
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = bench.root.join(format!("servers-{number}"));
        let workflows = directory.join("workflows");
        fs::create_dir_all(&workflows)?;
        fill(&workflows)?;
        let port = free_port()?;
        let mut servers = Self {
            bench,
            on,
            directory,
            workflows,
            database: None,
            base: format!("http://127.0.0.1:{port}"),
            programs: Vec::new(),
            started_ms: 0.0,
            ready_ms: 0.0,
        };
        match on {
            On::Standalone => servers.start_standalone(port, links)?,
            On::Cluster => servers.start_cluster(number, port, links)?,
        }
        servers.await_ready()?;
        Ok(servers)
    }

    /// A connection to the front door.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// The watched directory.
    pub(crate) fn workflow_directory(&self) -> &Path {
        &self.workflows
    }

    /// Every process that belongs to them.
    pub(crate) fn family(&self) -> BTreeSet<u32> {
        let roots: Vec<u32> = self
            .programs
            .iter()
            .map(|program| program.child.id())
            .collect();
        processes::family(&roots, &self.directory)
    }

    /// How many slots each worker has.
    fn slots_each(&self) -> u32 {
        match self.on {
            On::Standalone => self.bench.slots,
            On::Cluster => self.bench.slots.div_ceil(2),
        }
    }

    fn start_standalone(&mut self, port: u16, links: &str) -> Result<()> {
        let data = self.data("standalone", links)?;
        self.started_ms = moment::now_ms();
        let workflows = self.workflows();
        let http = format!("127.0.0.1:{port}");
        self.spawn(
            "akkaflow-standalone",
            "standalone",
            &data,
            &["--http", &http, "--workflows", &workflows],
        )
    }

    fn start_cluster(&mut self, number: u32, port: u16, links: &str) -> Result<()> {
        let database = format!("akkaflow_bench_{}_{number}", std::process::id());
        let mariadb = self.bench.mariadb()?;
        self.bench.guard.database(&database)?;
        mariadb.create_database(&database)?;
        self.database = Some(database.clone());
        let store = mariadb.url(&database);
        let master = format!("127.0.0.1:{}", free_port()?);
        let http = format!("127.0.0.1:{port}");
        let workflows = self.workflows();
        let names = ["master", "worker-1", "worker-2", "http"];
        let data = names
            .iter()
            .map(|name| self.data(name, links))
            .collect::<Result<Vec<_>>>()?;
        self.started_ms = moment::now_ms();
        let arguments = [
            "--store",
            &store,
            "--listen",
            &master,
            "--workflows",
            &workflows,
        ];
        self.spawn("akkaflow-master", names[0], &data[0], &arguments)?;
        self.spawn(
            "akkaflow-worker",
            names[1],
            &data[1],
            &["--masters", &master],
        )?;
        self.spawn(
            "akkaflow-worker",
            names[2],
            &data[2],
            &["--masters", &master],
        )?;
        self.spawn(
            "akkaflow-http-server",
            names[3],
            &data[3],
            &["--store", &store, "--http", &http],
        )
    }

    fn workflows(&self) -> String {
        self.workflows.display().to_string()
    }

    fn data(&self, name: &str, links: &str) -> Result<PathBuf> {
        let data = self.directory.join(name);
        fs::create_dir_all(data.join("config"))?;
        fs::write(
            data.join("config/db_links.xml"),
            format!("<db-links>\n{links}</db-links>\n"),
        )?;
        Ok(data)
    }

    fn spawn(&mut self, program: &str, name: &str, data: &Path, arguments: &[&str]) -> Result<()> {
        let errors = self.directory.join(format!("{name}.stderr"));
        let mut command = Command::new(self.bench.programs.path(program)?);
        command.arg("--data-dir").arg(data).args(arguments);
        command.env("AKKAFLOW_WORKER_SLOTS", self.slots_each().to_string());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors)?)
            .process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("start {program}"))?;
        self.bench.guard.watch(child.id())?;
        let output = child.stdout.take().context("the program has an output")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // Reads on when nobody listens, so that the program never waits for us.
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(sender.send(line)));
        });
        self.programs.push(Program {
            name: name.to_owned(),
            program: program.to_owned(),
            data: data.to_owned(),
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
            child,
            lines,
            errors,
        });
        Ok(())
    }

    fn await_ready(&mut self) -> Result<()> {
        let client = self.client();
        let since = Instant::now();
        while !client.is_ready() {
            self.check_alive()?;
            if since.elapsed() > PATIENCE {
                bail!("not ready within {PATIENCE:?}\n{}", self.errors());
            }
            std::thread::sleep(LOOK);
        }
        self.ready_ms = moment::now_ms();
        self.programs.iter().try_for_each(Program::await_ready_line)
    }

    /// Ends the process that leads, which is the first one, starts it again on its data and waits until work is accepted.
    pub(crate) fn restart_leader(&mut self) -> Result<()> {
        let mut leader = self.programs.remove(0);
        processes::end(&BTreeSet::from([leader.child.id()]));
        leader.child.wait()?;
        self.bench.guard.forget(leader.child.id())?;
        let arguments: Vec<&str> = leader.arguments.iter().map(String::as_str).collect();
        self.started_ms = moment::now_ms();
        self.spawn(&leader.program, &leader.name, &leader.data, &arguments)?;
        self.programs.rotate_right(1);
        self.await_ready()
    }

    fn check_alive(&mut self) -> Result<()> {
        for program in &mut self.programs {
            if let Some(status) = program.child.try_wait()? {
                bail!(
                    "{} has ended with {status}\n{}",
                    program.name,
                    program.last_errors()
                );
            }
        }
        Ok(())
    }

    /// What the programs said last, for a person who looks for the cause.
    pub(crate) fn errors(&self) -> String {
        self.programs
            .iter()
            .map(|program| format!("{}:\n{}\n", program.name, program.last_errors()))
            .collect()
    }
}

impl Program {
    fn await_ready_line(&self) -> Result<()> {
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .with_context(|| format!("{} prints no `ready`", self.name))?;
            if line.starts_with("ready") {
                return Ok(());
            }
        }
    }

    fn last_errors(&self) -> String {
        let text = fs::read_to_string(&self.errors).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Servers<'_> {
    fn drop(&mut self) {
        let children: BTreeSet<u32> = self
            .programs
            .iter()
            .map(|program| program.child.id())
            .collect();
        let family = self.family();
        // Those that nobody keeps for us end last: a worker may still talk to them while it stops.
        for program in self.programs.iter_mut().rev() {
            processes::end(&BTreeSet::from([program.child.id()]));
            let _it_is_gone = program.child.wait();
        }
        processes::end(&family.difference(&children).copied().collect());
        children
            .iter()
            .for_each(|pid| drop(self.bench.guard.forget(*pid)));
        drop(fs::remove_dir_all(&self.directory));
        if let (Some(database), Some(mariadb)) = (&self.database, &self.bench.mariadb) {
            drop(mariadb.drop_database(database));
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
