//! The ledger of dependencies: each success of an upstream is a token for each of its dependants.

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{Record, TokenRow};
use akkaflow_model::time::Timestamp;

use crate::Engine;
use crate::workflows::Entry;

/// Unconsumed tokens kept per edge. A dependant that never fires would otherwise grow for ever; since a fire takes all
/// of them and needs one, the oldest can go.
const MAX_TOKENS_PER_EDGE: usize = 1000;

/// Stands where a consumer would for a token that nobody consumed: cleared by a reset, a deletion, a changed definition.
pub(crate) fn cleared() -> InstanceId {
    InstanceId::from_u128(0)
}

impl Engine {
    /// An instance that counts has succeeded: one token for each dependant of its workflow.
    pub(crate) fn give_tokens(
        &mut self,
        instance: InstanceId,
        upstream: &str,
        business_at: Timestamp,
    ) {
        for dependant in self.dependants.of(upstream) {
            let Some(entry) = self.workflows.get_mut(dependant) else {
                continue;
            };
            let row = TokenRow {
                upstream_instance: instance,
                upstream: upstream.to_owned(),
                dependant: dependant.to_owned(),
                business_at,
                given_at: self.now,
                consumed_by: None,
            };
            self.out.record(Record::Token(row.clone()));
            let tokens = entry.tokens.entry(upstream.to_owned()).or_default();
            tokens.insert(instance, row);
            if tokens.len() > MAX_TOKENS_PER_EDGE
                && let Some((_, row)) = tokens.pop_first()
            {
                self.out.record(Record::Token(TokenRow {
                    consumed_by: Some(cleared()),
                    ..row
                }));
            }
            self.consider.join(dependant);
        }
    }

    /// A fire takes all tokens that are there.
    pub(crate) fn consume_tokens(&mut self, dependant: &str, consumer: InstanceId) {
        self.take_tokens(dependant, consumer, |_| true);
    }

    /// Clears the tokens of the upstreams that `is_cleared` names.
    pub(crate) fn clear_tokens(&mut self, dependant: &str, is_cleared: impl Fn(&String) -> bool) {
        self.take_tokens(dependant, cleared(), is_cleared);
    }

    fn take_tokens(
        &mut self,
        dependant: &str,
        consumer: InstanceId,
        takes: impl Fn(&String) -> bool,
    ) {
        let Some(entry) = self.workflows.get_mut(dependant) else {
            return;
        };
        let out = &mut self.out;
        entry.tokens.retain(|upstream, tokens| {
            if !takes(upstream) {
                return true;
            }
            for row in std::mem::take(tokens).into_values() {
                out.record(Record::Token(TokenRow {
                    consumed_by: Some(consumer),
                    ..row
                }));
            }
            false
        });
    }
}

impl Entry {
    /// Whether each upstream has an unconsumed success.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.depends()
            .iter()
            .all(|upstream| self.tokens_of(upstream) > 0)
    }

    pub(crate) fn tokens_of(&self, upstream: &str) -> usize {
        self.tokens.get(upstream).map_or(0, |tokens| tokens.len())
    }

    /// The token given last: it names a fire that has no cron slot.
    pub(crate) fn newest_token(&self) -> Option<&TokenRow> {
        self.tokens
            .values()
            .flat_map(|tokens| tokens.values())
            .max_by_key(|token| (token.given_at, token.upstream_instance))
    }
}
