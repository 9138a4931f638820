//! Who leads: the lease for liveness, never for safety. Safety is the journal's primary key (see [`crate::pipeline`]).
//!
//! A standby watches the lease row. When it has stood unchanged for the time to live on the standby's own monotonic
//! clock, or is free, it takes over; the new leader recovers, then acts while its renewals are confirmed. Demoted, it
//! drops everything and watches again. No wall clock takes part.
//!
//! The caller executes [`LeaderAction`]s, answers each store call with exactly one input (a time-out is
//! [`StoreDown`]) and sends [`LeaderInput::Tick`] at [`Leader::next_deadline`].
//!
//! ```
//! use std::time::Duration;
//! use akkaflow_model::id::Epoch;
//! use akkaflow_protocol::leader::{Leader, LeaderAction, LeaderInput, LeaderOptions, TakenOver};
//!
//! let at = Duration::from_secs;
//! let mut leader = Leader::new(LeaderOptions::default(), 0xabc);
//! assert_eq!(leader.on(at(0), LeaderInput::Tick), [LeaderAction::ReadLease]);
//! // Nobody has ever led.
//! let actions = leader.on(at(0), LeaderInput::LeaseRead(Ok(None)));
//! assert_eq!(actions, [LeaderAction::TakeOver { seen: None }]);
//! let won = TakenOver { epoch: Epoch(1), seq: 1 };
//! let actions = leader.on(at(0), LeaderInput::TookOver(Ok(Some(won))));
//! assert_eq!(actions, [LeaderAction::Recover { epoch: Epoch(1), seq: 1 }]);
//! assert_eq!(leader.may_act(at(0)), None);
//! leader.on(at(1), LeaderInput::Recovered { epoch: Epoch(1) });
//! assert_eq!(leader.may_act(at(1)), Some(Epoch(1)));
//! ```

use std::time::Duration;

use akkaflow_model::id::Epoch;

/// Times of the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaderOptions {
    /// How often a leader proves its life, and a standby looks.
    pub renew_every: Duration,
    /// How soon a failed call to the store is repeated.
    pub retry_after: Duration,
    /// How long the lease must stand unchanged before a standby takes it.
    pub ttl: Duration,
    /// How long after the *sending* of its last confirmed renewal a leader still acts. Well below `ttl`.
    pub self_fence: Duration,
}

impl Default for LeaderOptions {
    fn default() -> Self {
        Self {
            renew_every: Duration::from_secs(1),
            retry_after: Duration::from_millis(250),
            ttl: Duration::from_secs(6),
            self_fence: Duration::from_secs(4),
        }
    }
}

/// The lease row, as far as it decides who may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// Names the cluster.
    pub cluster: u128,
    /// How many masters have led.
    pub epoch: Epoch,
    /// One start of the leading process.
    pub incarnation: u128,
    /// Name of that process; empty when it has given the lease back.
    pub holder: String,
    /// Grows with each renewal.
    pub renew_seq: u64,
}

/// The store did not answer in time, or not at all. Whether it did what was asked is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreDown;

/// A take-over that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenOver {
    /// The new epoch.
    pub epoch: Epoch,
    /// The journal position of its EPOCH_START.
    pub seq: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaderInput {
    /// Time has passed.
    Tick,
    /// Answer to [`LeaderAction::ReadLease`]; `None` before the first master has led.
    LeaseRead(Result<Option<LeaseView>, StoreDown>),
    /// Answer to [`LeaderAction::TakeOver`]; `None` when somebody else was faster.
    TookOver(Result<Option<TakenOver>, StoreDown>),
    /// The engine stands again; [`LeaderAction::Recover`] is done.
    Recovered {
        /// As in the action.
        epoch: Epoch,
    },
    /// It could not be done.
    RecoveryFailed {
        /// As in the action.
        epoch: Epoch,
    },
    /// Answer to [`LeaderAction::Renew`].
    Renewed {
        /// As in the action.
        epoch: Epoch,
        /// When the statement was sent; not when its answer came.
        sent_at: Duration,
        /// `Ok(false)`: the lease is someone else's.
        result: Result<bool, StoreDown>,
    },
    /// The journal or a worker has seen a later epoch.
    Fenced,
    /// The leader's port refuses connections (twice, half a second apart), or is our own by now: a hint to take over without waiting.
    HolderUnreachable,
    /// This process is about to end.
    Resign,
}

/// What the caller must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaderAction {
    /// Read the lease row.
    ReadLease,
    /// Cut the old holder's database connections, then take the lease if its row still is `seen`.
    TakeOver {
        /// The row to replace; `None` founds the cluster.
        seen: Option<LeaseView>,
    },
    /// Load the state, build engine and pipeline.
    Recover {
        /// The new epoch.
        epoch: Epoch,
        /// The journal position of its EPOCH_START.
        seq: u64,
    },
    /// Prove life.
    Renew {
        /// The epoch to prove it for.
        epoch: Epoch,
    },
    /// At once: drop the engine, the pipeline, what they were about to send, and the workers' connections.
    Demote {
        /// Why.
        reason: DemoteReason,
    },
    /// Give the lease back, so that a successor need not wait.
    Release {
        /// The epoch to give back.
        epoch: Epoch,
    },
}

/// Why a reign ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoteReason {
    /// Another master has appended to the journal.
    Fenced,
    /// The lease is someone else's.
    LeaseLost,
    /// Renewals were not confirmed for [`LeaderOptions::self_fence`].
    Unconfirmed,
    /// The state could not be loaded.
    RecoveryFailed,
    /// The process ends; it does not try again.
    Resigned,
}

/// Where a master stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaderState {
    /// Watches the lease.
    Standby {
        /// The lease row as last read.
        seen: Option<LeaseView>,
        /// Since when it stands so, on our clock.
        unchanged_since: Duration,
    },
    /// Has asked for the lease.
    TakingOver {
        /// When it asked: the lease counts as renewed then.
        asked_at: Duration,
    },
    /// Has the lease and loads the state.
    Recovering {
        /// Its epoch.
        epoch: Epoch,
        /// When the last confirmed renewal was sent.
        confirmed: Duration,
    },
    /// Leads.
    Active {
        /// Its epoch.
        epoch: Epoch,
        /// When the last confirmed renewal was sent.
        confirmed: Duration,
    },
    /// Has stopped leading; watches again from the next tick on, unless it has resigned.
    Demoted(DemoteReason),
}

/// The state machine of one master process.
#[derive(Debug)]
pub struct Leader {
    options: LeaderOptions,
    incarnation: u128,
    state: LeaderState,
    /// A read or a renewal is under way.
    is_calling: bool,
    next_call: Duration,
    /// Somebody has told us that the holder is gone.
    is_hinted: bool,
}

impl Leader {
    /// A standby. `incarnation` is drawn anew at each start of the process.
    pub fn new(options: LeaderOptions, incarnation: u128) -> Self {
        Self {
            options,
            incarnation,
            state: LeaderState::Standby {
                seen: None,
                unchanged_since: Duration::ZERO,
            },
            is_calling: false,
            next_call: Duration::ZERO,
            is_hinted: false,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> &LeaderState {
        &self.state
    }

    /// The epoch under which effects may be released at `now`; `None`: release nothing, acknowledge nothing.
    pub fn may_act(&self, now: Duration) -> Option<Epoch> {
        match self.state {
            LeaderState::Active { epoch, confirmed } if now < self.fence_at(confirmed) => {
                Some(epoch)
            }
            _ => None,
        }
    }

    /// When [`LeaderInput::Tick`] is due; `None`: only an answer moves it on.
    pub fn next_deadline(&self) -> Option<Duration> {
        let call = (!self.is_calling).then_some(self.next_call);
        match &self.state {
            LeaderState::Standby { .. } => call,
            LeaderState::TakingOver { .. } => None,
            LeaderState::Recovering { confirmed, .. } | LeaderState::Active { confirmed, .. } => {
                let fence = self.fence_at(*confirmed);
                Some(call.map_or(fence, |at| at.min(fence)))
            }
            LeaderState::Demoted(DemoteReason::Resigned) => None,
            LeaderState::Demoted(_) => Some(self.next_call),
        }
    }

    /// Advances by one input at `now` of the monotonic clock that goes on while the machine sleeps.
    pub fn on(&mut self, now: Duration, input: LeaderInput) -> Vec<LeaderAction> {
        match input {
            LeaderInput::Tick => self.on_tick(now),
            LeaderInput::LeaseRead(result) => self.on_lease_read(now, result),
            LeaderInput::TookOver(result) => self.on_took_over(now, result),
            LeaderInput::Recovered { epoch } => self.on_recovered(now, epoch),
            LeaderInput::RecoveryFailed { epoch } if self.reign() == Some(epoch) => {
                self.demote(now, DemoteReason::RecoveryFailed)
            }
            LeaderInput::RecoveryFailed { .. } => Vec::new(),
            LeaderInput::Renewed {
                epoch,
                sent_at,
                result,
            } => self.on_renewed(now, epoch, sent_at, result),
            LeaderInput::Fenced if self.reign().is_some() => self.demote(now, DemoteReason::Fenced),
            LeaderInput::Fenced => Vec::new(),
            LeaderInput::HolderUnreachable => self.on_holder_unreachable(now),
            LeaderInput::Resign => self.on_resign(),
        }
    }

    fn on_tick(&mut self, now: Duration) -> Vec<LeaderAction> {
        match self.state {
            LeaderState::Demoted(DemoteReason::Resigned) | LeaderState::TakingOver { .. } => {
                Vec::new()
            }
            LeaderState::Demoted(_) if now < self.next_call => Vec::new(),
            LeaderState::Demoted(_) => {
                self.watch(now);
                self.call(now, LeaderAction::ReadLease)
            }
            LeaderState::Standby { .. } => self.call(now, LeaderAction::ReadLease),
            LeaderState::Recovering { epoch, confirmed }
            | LeaderState::Active { epoch, confirmed } => {
                if now >= self.fence_at(confirmed) {
                    self.demote(now, DemoteReason::Unconfirmed)
                } else {
                    self.call(now, LeaderAction::Renew { epoch })
                }
            }
        }
    }

    fn on_lease_read(
        &mut self,
        now: Duration,
        result: Result<Option<LeaseView>, StoreDown>,
    ) -> Vec<LeaderAction> {
        self.is_calling = false;
        let LeaderState::Standby {
            seen,
            unchanged_since,
        } = &mut self.state
        else {
            return Vec::new();
        };
        let Ok(read) = result else {
            self.next_call = now + self.options.retry_after;
            return Vec::new();
        };
        self.next_call = now + self.options.renew_every;
        let is_hinted = std::mem::take(&mut self.is_hinted) && is_same_reign(seen, &read);
        if *seen != read {
            *seen = read.clone();
            *unchanged_since = now;
        }
        let has_stood = now.saturating_sub(*unchanged_since) >= self.options.ttl;
        let is_free = read
            .as_ref()
            .is_none_or(|lease| lease.holder.is_empty() || lease.incarnation == self.incarnation);
        if !(is_free || has_stood || is_hinted) {
            return Vec::new();
        }
        self.state = LeaderState::TakingOver { asked_at: now };
        vec![LeaderAction::TakeOver { seen: read }]
    }

    fn on_took_over(
        &mut self,
        now: Duration,
        result: Result<Option<TakenOver>, StoreDown>,
    ) -> Vec<LeaderAction> {
        let asked_at = match self.state {
            LeaderState::TakingOver { asked_at } => asked_at,
            // It resigned while the take-over was under way.
            LeaderState::Demoted(_) => {
                return match result {
                    Ok(Some(TakenOver { epoch, .. })) => vec![LeaderAction::Release { epoch }],
                    _ => Vec::new(),
                };
            }
            _ => return Vec::new(),
        };
        let Ok(Some(TakenOver { epoch, seq })) = result else {
            // Lost the race, or it may have won without knowing: the row will tell, and its own name in it is free.
            self.watch(now);
            self.next_call = now + self.options.retry_after;
            return Vec::new();
        };
        self.state = LeaderState::Recovering {
            epoch,
            confirmed: asked_at,
        };
        self.is_calling = false;
        self.next_call = asked_at + self.options.renew_every;
        vec![LeaderAction::Recover { epoch, seq }]
    }

    fn on_recovered(&mut self, now: Duration, done: Epoch) -> Vec<LeaderAction> {
        let LeaderState::Recovering { epoch, confirmed } = self.state else {
            return Vec::new();
        };
        if epoch != done {
            return Vec::new();
        }
        if now >= self.fence_at(confirmed) {
            return self.demote(now, DemoteReason::Unconfirmed);
        }
        self.state = LeaderState::Active { epoch, confirmed };
        Vec::new()
    }

    fn on_renewed(
        &mut self,
        now: Duration,
        of: Epoch,
        sent_at: Duration,
        result: Result<bool, StoreDown>,
    ) -> Vec<LeaderAction> {
        if self.reign() != Some(of) {
            return Vec::new();
        }
        self.is_calling = false;
        let fence = match &self.state {
            LeaderState::Recovering { confirmed, .. } | LeaderState::Active { confirmed, .. } => {
                self.fence_at(*confirmed)
            }
            _ => return Vec::new(),
        };
        match result {
            Ok(false) => self.demote(now, DemoteReason::LeaseLost),
            // The fence has passed before the answer came: others may rely on it, so it holds.
            _ if now >= fence => self.demote(now, DemoteReason::Unconfirmed),
            Ok(true) => {
                if let LeaderState::Recovering { confirmed, .. }
                | LeaderState::Active { confirmed, .. } = &mut self.state
                {
                    *confirmed = (*confirmed).max(sent_at);
                }
                self.next_call = now.max(sent_at + self.options.renew_every);
                Vec::new()
            }
            Err(StoreDown) => {
                self.next_call = now + self.options.retry_after;
                Vec::new()
            }
        }
    }

    fn on_holder_unreachable(&mut self, now: Duration) -> Vec<LeaderAction> {
        if !matches!(self.state, LeaderState::Standby { seen: Some(_), .. }) {
            return Vec::new();
        }
        self.is_hinted = true;
        self.next_call = now;
        self.call(now, LeaderAction::ReadLease)
    }

    fn on_resign(&mut self) -> Vec<LeaderAction> {
        let reign = self.reign();
        let reason = DemoteReason::Resigned;
        self.state = LeaderState::Demoted(reason);
        match reign {
            Some(epoch) => vec![
                LeaderAction::Demote { reason },
                LeaderAction::Release { epoch },
            ],
            None => Vec::new(),
        }
    }

    fn demote(&mut self, now: Duration, reason: DemoteReason) -> Vec<LeaderAction> {
        self.state = LeaderState::Demoted(reason);
        self.is_calling = false;
        self.next_call = now + self.options.retry_after;
        vec![LeaderAction::Demote { reason }]
    }

    fn watch(&mut self, now: Duration) {
        self.state = LeaderState::Standby {
            seen: None,
            unchanged_since: now,
        };
        self.is_calling = false;
        self.is_hinted = false;
    }

    fn call(&mut self, now: Duration, action: LeaderAction) -> Vec<LeaderAction> {
        if self.is_calling || now < self.next_call {
            return Vec::new();
        }
        self.is_calling = true;
        vec![action]
    }

    fn reign(&self) -> Option<Epoch> {
        match self.state {
            LeaderState::Recovering { epoch, .. } | LeaderState::Active { epoch, .. } => {
                Some(epoch)
            }
            _ => None,
        }
    }

    fn fence_at(&self, confirmed: Duration) -> Duration {
        confirmed + self.options.self_fence
    }
}

fn is_same_reign(seen: &Option<LeaseView>, read: &Option<LeaseView>) -> bool {
    matches!((seen, read), (Some(a), Some(b)) if a.epoch == b.epoch && a.incarnation == b.incarnation)
}

#[cfg(test)]
mod tests;
