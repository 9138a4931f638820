//! What a master is told once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_alert::smtp::Smtp;
use akkaflow_model::text::Lang;
use chrono_tz::Tz;

use crate::retention::Retention;

/// What a master is told once.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to serve gRPC on, `127.0.0.1:2751`. Port 0 takes any free one.
    pub listen: String,
    /// Watched directory of workflow files.
    pub workflows: PathBuf,
    /// The db-links file; a missing one means no links.
    pub links: PathBuf,
    /// The file of the key of the links in the store; empty for one beside the db-links file.
    pub key_file: PathBuf,
    /// The configuration file of the process, which is not handed on; empty for none.
    pub config_file: PathBuf,
    /// Whether this master makes that key when there is none: where no other master would make another.
    pub makes_key: bool,
    /// The cluster's time zone as configured; `None` accepts what the cluster keeps.
    pub zone: Option<Tz>,
    /// The zone of a cluster that is founded now.
    pub default_zone: Tz,
    /// How long a worker out of reach keeps its attempts.
    pub lost_after: Duration,
    /// After so many failed retries of a node people are told.
    pub retry_fail_times: u32,
    /// How mails are sent; `None` keeps them.
    pub mails: Option<Mails>,
    /// How long ended instances and the journal are kept.
    pub retention: Retention,
    /// Name of this process in the lease row.
    pub holder: String,
}

/// How mails are sent.
#[derive(Debug, Clone)]
pub struct Mails {
    /// The mail server.
    pub smtp: Arc<Smtp>,
    /// In which language.
    pub lang: Lang,
}

impl Options {
    /// When a worker without contact ends its attempts by itself: so much earlier than `lost_after` that they are gone
    /// before anybody else gets them, clocks differing by 1% and processes dying within 30 s.
    pub(crate) fn stop_after(&self) -> Duration {
        const DYING: Duration = Duration::from_secs(30);
        self.lost_after
            .saturating_sub(DYING)
            .mul_f64(1.0 / 1.01)
            .max(self.lost_after / 4)
    }
}
