//! What an http-server is told once.

use std::time::Duration;

use akkaflow_model::text::Lang;

/// What an http-server is told once.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to serve on, `127.0.0.1:8090`. Port 0 takes any free one. Only loopback addresses are accepted.
    pub listen: String,
    /// Where masters may be found when the store cannot say who leads.
    pub masters: Vec<String>,
    /// Names under which it may be called, besides those of loopback and of the address it serves on.
    pub allowed_hosts: Vec<String>,
    /// Language of the `/akkaflow` answers.
    pub legacy_lang: Lang,
    /// How long a command may take, the search for a master included.
    pub command_timeout: Duration,
    /// How long a command looks for a master that takes it.
    pub master_patience: Duration,
    /// How long everything else may take.
    pub read_timeout: Duration,
    /// Largest body of a request, bytes.
    pub max_body_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8090".to_owned(),
            masters: Vec::new(),
            allowed_hosts: Vec::new(),
            legacy_lang: Lang::Zh,
            // akkaflow's own limit for an answer of the master.
            command_timeout: Duration::from_secs(20),
            // A standby takes over within seconds; a person would not wait longer.
            master_patience: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            // A definition of 1 MiB, percent-encoded in a form at worst.
            max_body_bytes: 4 << 20,
        }
    }
}
