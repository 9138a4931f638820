//! Sends the mails that are owed, beside the core loop: what becomes of each is an order to the core, so that it is fenced as
//! every change. A master that dies in between leaves the mail to the next one, under the same Message-ID.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use akkaflow_alert::judge::{Tried, judge, missing};
use akkaflow_alert::letter::{LogExcerpt, letter};
use akkaflow_alert::smtp::Session;
use akkaflow_engine::Order;
use akkaflow_log::Stored;
use akkaflow_model::mail::{DeliveryRow, DeliveryState, MailFacts, MailRow, StoredMail};
use akkaflow_model::read::read_unlinted;
use akkaflow_model::text::Text;
use chrono_tz::Tz;
use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use crate::core::{CoreHandle, Gone};
use crate::options::Mails;
use crate::outage::Call;
use crate::shared::Shared;

/// Mails read at a time.
const AT_ONCE: u32 = 100;
/// Connections to the mail server at a time.
const SESSIONS: usize = 4;
/// Between two looks when nothing calls.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
/// Pause before the store is asked again that did not answer.
const AGAIN: Duration = Duration::from_secs(5);

/// Sends the mails of one term of leadership.
pub(crate) struct Postman {
    pub(crate) mails: Mails,
    pub(crate) shared: Arc<Shared>,
    pub(crate) core: CoreHandle,
    pub(crate) zone: Tz,
}

impl Postman {
    /// Works until the term is over.
    pub(crate) async fn run(self, over: CancellationToken) {
        tokio::select! {
            () = over.cancelled() => {}
            _ = self.deliver() => {}
        }
    }

    async fn deliver(&self) -> Result<(), Gone> {
        loop {
            let pause = match self.shared.store.owed_mails(AT_ONCE).await {
                Ok(owed) => self.round(owed).await?,
                Err(error) => {
                    self.shared.outage.on_failure(Call::Read, &error);
                    AGAIN
                }
            };
            tokio::select! {
                () = self.shared.mail_owed.notified(), if !pause.is_zero() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due; returns how long to wait for what is not.
    async fn round(&self, owed: Vec<StoredMail>) -> Result<Duration, Gone> {
        let now = self.shared.clock.now();
        let is_more = owed.len() == AT_ONCE as usize;
        let (due, later): (Vec<_>, Vec<_>) =
            owed.into_iter().partition(|it| it.delivery.next_at <= now);
        let next = later.iter().map(|it| it.delivery.next_at.since(now)).min();
        if due.is_empty() {
            return Ok(next.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN));
        }
        // One that takes long holds up a part of the others only.
        let sessions = due.len().min(SESSIONS);
        let due = Mutex::new(due.into_iter());
        try_join_all((0..sessions).map(|_| self.send_all(&due))).await?;
        let next = if is_more { None } else { next };
        Ok(next.unwrap_or_default())
    }

    /// Sends what is due until nothing is left, over as many connections as it takes.
    async fn send_all(&self, due: &Due) -> Result<(), Gone> {
        while let Some(first) = next_of(due) {
            match self.mails.smtp.connect().await {
                Ok(session) => self.send_over(session, first, due).await?,
                Err(error) => {
                    // Who cannot be reached for one cannot be for the others.
                    let mut next = Some(first);
                    while let Some(stored) = next {
                        self.note(stored, Tried::failed(error.clone())).await?;
                        next = next_of(due);
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends mails as long as the connection serves.
    async fn send_over(
        &self,
        mut session: Session<'_>,
        first: StoredMail,
        due: &Due,
    ) -> Result<(), Gone> {
        let mut next = Some(first);
        while let Some(stored) = next {
            let tried = match self.log_of(&stored.mail).await {
                Ok(log) => {
                    let letter = letter(&stored.mail, log.as_ref(), self.mails.lang, self.zone);
                    let to = missing(&stored.mail, &stored.delivery);
                    session.send(&letter, &stored.mail, &to).await
                }
                Err(error) => Tried::failed(error.text()),
            };
            let has_failed = tried.error.is_some();
            self.note(stored, tried).await?;
            if has_failed {
                break;
            }
            next = next_of(due);
        }
        session.close().await;
        Ok(())
    }

    async fn note(&self, stored: StoredMail, tried: Tried) -> Result<(), Gone> {
        let StoredMail { mail, delivery } = stored;
        let row = judge(&mail, delivery, tried, self.shared.clock.now());
        match row.state {
            DeliveryState::Sent => tracing::info!(mail = %row.key, "mail sent"),
            DeliveryState::Waiting if row.tries > 1 => {
                let why = why(&row);
                tracing::debug!(mail = %row.key, "the mail is tried again: {}", why.en);
            }
            DeliveryState::Waiting => {
                let why = why(&row);
                tracing::warn!(
                    mail = %row.key,
                    "the mail is tried again, see `akka mail`: {} / 邮件稍后重试，见akka mail：{}",
                    why.en,
                    why.zh
                );
            }
            DeliveryState::Dead => {
                let why = why(&row);
                tracing::warn!(
                    mail = %row.key,
                    "mail given up, see `akka mail`: {} / 邮件未能送达，见akka mail：{}",
                    why.en,
                    why.zh
                );
            }
        }
        let delivery = Box::new(row);
        // An order about the sending is never rejected.
        let _ = self.core.order(Order::MailTried { delivery }).await?;
        Ok(())
    }

    /// The log that a mail about an end shows.
    async fn log_of(&self, mail: &MailRow) -> Result<Option<LogExcerpt>, akkaflow_store::Error> {
        if !matches!(mail.facts, MailFacts::Ended(_)) {
            return Ok(None);
        }
        let (store, id) = (&*self.shared.store, mail.key.instance);
        let Some(stored) = Stored::read(store, id).await? else {
            return Ok(None);
        };
        let version = &stored.instance.version;
        let row = store.version(&version.0).await?;
        let definition = row.and_then(|row| {
            let (xml, registry) = (row.xml.as_bytes(), &*self.shared.registry);
            read_unlinted(xml, Some(version), registry)
        });
        let rows = stored.rows(definition.as_ref(), self.zone);
        let mut excerpt = LogExcerpt::default();
        let now = self.shared.clock.now();
        let push = |line| excerpt.push(line);
        akkaflow_log::for_each_line(store, &rows, self.mails.lang, now, push).await?;
        Ok(Some(excerpt))
    }
}

/// Why a mail has not reached everybody, on one line: addresses are whatever somebody wrote.
fn why(row: &DeliveryRow) -> Text {
    let refusals = || {
        let refused = row.refused.iter();
        let words: Vec<String> = refused
            .map(|it| format!("{}: {}", it.receiver, it.answer))
            .collect();
        Text::verbatim(words.join("; "))
    };
    let on_one_line = |text: &str| text.replace(char::is_control, " ");
    let why = row.error.clone().unwrap_or_else(refusals);
    Text::new(on_one_line(&why.zh), on_one_line(&why.en))
}

/// The mails of a round that nobody has taken yet.
type Due = Mutex<std::vec::IntoIter<StoredMail>>;

fn next_of(due: &Due) -> Option<StoredMail> {
    due.lock().expect("no panic while held").next()
}
