//! Mails and their sending.

use std::cmp::Reverse;

use akkaflow_model::mail::{DeliveryState, MailKey, StoredMail};

use super::Tables;
use crate::query::MailQuery;
use crate::trim::Trim;

impl Tables {
    fn stored_mails(&self) -> impl Iterator<Item = StoredMail> {
        self.mails.keys().filter_map(|key| self.stored_mail(key))
    }

    /// See [`crate::Queries::mail`].
    pub(crate) fn stored_mail(&self, key: &MailKey) -> Option<StoredMail> {
        Some(StoredMail {
            mail: self.mails.get(key)?.clone(),
            delivery: self.deliveries.get(key)?.clone(),
        })
    }

    /// See [`crate::Queries::mails`].
    pub(crate) fn newest_mails(&self, query: &MailQuery) -> Vec<StoredMail> {
        let is_wanted = |it: &StoredMail| {
            query.instance.is_none_or(|id| it.mail.key.instance == id)
                && (query.states.is_empty() || query.states.contains(&it.delivery.state))
        };
        let mut found: Vec<StoredMail> = self.stored_mails().filter(is_wanted).collect();
        found.sort_by_cached_key(|it| {
            let key = &it.mail.key;
            let place = (key.kind, key.node.clone(), key.attempt);
            (Reverse((it.mail.born_at, key.instance, key.run)), place)
        });
        found.truncate(query.effective_limit() as usize);
        found
    }

    /// See [`crate::Queries::owed_mails`].
    pub(crate) fn owed_mails(&self, limit: u32) -> Vec<StoredMail> {
        let is_owed = |it: &StoredMail| it.delivery.state == DeliveryState::Waiting;
        let mut found: Vec<StoredMail> = self.stored_mails().filter(is_owed).collect();
        found.sort_by_key(|it| it.delivery.next_at);
        found.truncate(limit as usize);
        found
    }

    /// Removes old mails; returns how many.
    pub(super) fn trim_mails(&mut self, trim: &Trim) -> u64 {
        let old = self
            .mails
            .values()
            .filter(|row| row.born_at < trim.mails_before);
        let mut old: Vec<_> = old.map(|row| (row.born_at, row.key.clone())).collect();
        old.sort_unstable();
        old.truncate(trim.limit as usize);
        for (_, key) in &old {
            self.mails.remove(key);
            self.deliveries.remove(key);
        }
        old.len() as u64
    }
}
