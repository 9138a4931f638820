//! Sessions that wait for their next user: small pieces of work that come again and again need not log in each time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use akkaflow_model::db_links::DbLink;
use akkaflow_model::text::Text;
use tokio::time::Instant;

use crate::connect::{Connected, Options, connect};
use crate::error::Error;

/// So many sessions of a link wait at most: what comes at once and seldom does not hold the server's connections.
const MOST_IDLE: usize = 4;

/// How long a server may take to answer in a session that waits or shall wait. Longer is not waited: a new one is opened.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Waiting sessions by link. Clones share them; they are closed with the last clone.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<Vec<Idle>>>);

struct Idle {
    link: DbLink,
    connected: Connected,
    until: Instant,
}

impl Pool {
    /// A session on the database of `link`, as new: one that waited and still answers, else one that is opened.
    ///
    /// # Errors
    /// Those of [`connect`].
    pub async fn open(&self, link: &DbLink, options: &Options) -> Result<Connected, Error> {
        while let Some(mut waiting) = self.take(link) {
            // The server or a firewall may have closed it.
            let answer = waiting.session.execute("select 1");
            if let Ok(Ok(_)) = tokio::time::timeout(ANSWER_LIMIT, answer).await {
                return Ok(waiting);
            }
        }
        connect(link, options).await
    }

    /// Keeps a session whose work has ended well for the next user of its link, without anything that the work left in it: transactions, locks,
    /// temporary tables, variables, settings. A session that cannot be made like new is closed.
    pub async fn give_back(&self, link: &DbLink, mut connected: Connected) {
        // Whoever connects says what is wrong with it.
        let Ok(idle) = link.idle_timeout() else {
            return;
        };
        if idle.is_zero() {
            return;
        }
        let renewed = tokio::time::timeout(ANSWER_LIMIT, connected.session.renew()).await;
        if !matches!(renewed, Ok(Ok(true))) {
            return;
        }
        let until = Instant::now() + idle;
        self.keep(Idle {
            link: link.clone(),
            connected,
            until,
        });
        let waiting = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep_until(until).await;
            if let Some(waiting) = waiting.upgrade() {
                Self(waiting).close_expired();
            }
        });
    }

    fn take(&self, link: &DbLink) -> Option<Connected> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The one that came last: those that nobody needs go.
        let at = waiting.iter().rposition(|idle| idle.link == *link)?;
        Some(waiting.remove(at).connected)
    }

    fn keep(&self, idle: Idle) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.iter().filter(|it| it.link == idle.link).count();
        if count < MOST_IDLE {
            waiting.push(idle);
        }
    }

    fn close_expired(&self) {
        let now = Instant::now();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|idle| idle.until > now);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let links = waiting.iter().map(|idle| &idle.link.name);
        formatter.debug_list().entries(links).finish()
    }
}

/// What is wrong with a limit of a link.
pub(crate) fn check(link: &DbLink) -> Result<(), Text> {
    link.max_attempts()?;
    link.idle_timeout().map(drop)
}
