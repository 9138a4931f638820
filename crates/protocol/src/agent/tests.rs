use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, InstanceId};
use akkaflow_model::outcome::{Outcome, OutcomeKind};

use super::{Agent, Entry, Event, Input, Output, Refusal};

const CLUSTER: u128 = 7;
const LIMIT: Duration = Duration::from_secs(1800);
const US: Incarnation = Incarnation(1);

fn key(attempt: u32) -> AttemptKey {
    AttemptKey {
        instance: InstanceId::from_u128(1),
        node: "a".into(),
        run: 1,
        attempt,
    }
}

fn outcome(kind: OutcomeKind) -> Outcome {
    Outcome {
        exit_code: Some(0),
        log_length: 3,
        ..Outcome::new(kind)
    }
}

fn start(attempt: u32, epoch: u64) -> Input {
    Input::Start {
        key: key(attempt),
        epoch: Epoch(epoch),
        incarnation: US,
    }
}

/// An agent and its ledger, of which only the flushed part survives a crash.
struct Host {
    agent: Agent,
    flushed: Vec<Entry>,
    unflushed: Vec<Entry>,
    now: Duration,
}

impl Host {
    fn connected() -> Self {
        let mut host = Self {
            agent: Agent::new(US, Duration::ZERO),
            flushed: Vec::new(),
            unflushed: Vec::new(),
            now: Duration::ZERO,
        };
        host.connect(1);
        host.flush();
        host
    }

    fn on(&mut self, input: Input) -> Vec<Output> {
        let outputs = self.agent.step(self.now, input);
        self.agent.check_invariants().unwrap();
        self.unflushed
            .extend(outputs.iter().filter_map(|output| match output {
                Output::Persist(entry) => Some(entry.clone()),
                _ => None,
            }));
        outputs
            .into_iter()
            .filter(|output| !matches!(output, Output::Persist(_)))
            .collect()
    }

    fn connect(&mut self, epoch: u64) -> Vec<Output> {
        self.on(Input::Connected {
            cluster: CLUSTER,
            epoch: Epoch(epoch),
            stop_after: LIMIT,
        })
    }

    fn flush(&mut self) -> Vec<Output> {
        let entries = self.unflushed.len();
        self.flushed.append(&mut self.unflushed);
        self.on(Input::Persisted { entries })
    }

    fn crash(&mut self, incarnation: u64) {
        self.unflushed.clear();
        self.agent = Agent::restore(Incarnation(incarnation), self.now, self.flushed.clone());
    }

    fn run(&mut self, attempt: u32) {
        assert_eq!(self.on(start(attempt, 1)), []);
        assert_eq!(
            self.flush(),
            [accepted(attempt), Output::Exec { key: key(attempt) }]
        );
    }
}

fn accepted(attempt: u32) -> Output {
    Output::Send(Event::Accepted(key(attempt)))
}

fn finished(attempt: u32, kind: OutcomeKind) -> Output {
    Output::Send(Event::Finished(key(attempt), outcome(kind)))
}

fn tombstoned(attempt: u32) -> Output {
    Output::Send(Event::Tombstoned(key(attempt)))
}

fn exited(attempt: u32, kind: OutcomeKind) -> Input {
    Input::Exited {
        key: key(attempt),
        outcome: outcome(kind),
    }
}

#[test]
fn nothing_is_executed_before_its_acceptance_is_durable() {
    let mut host = Host::connected();
    assert_eq!(host.on(start(1, 1)), []);
    host.crash(2);
    assert_eq!(host.agent.attach().holds, []);
    assert_eq!(host.connect(1), []);
}

#[test]
fn a_repeated_start_executes_once_and_repeats_the_state() {
    let mut host = Host::connected();
    host.run(1);
    assert_eq!(host.on(start(1, 1)), [accepted(1)]);
    assert_eq!(
        host.on(exited(1, OutcomeKind::Succeeded)),
        [finished(1, OutcomeKind::Succeeded)]
    );
    assert_eq!(host.on(start(1, 1)), [finished(1, OutcomeKind::Succeeded)]);
    assert_eq!(
        host.on(Input::Acknowledge { key: key(1) }),
        [Output::Forget { key: key(1) }]
    );
    assert_eq!(
        host.on(start(1, 1)),
        [finished(1, OutcomeKind::Succeeded)],
        "even after the acknowledgement"
    );
}

#[test]
fn an_older_epoch_and_another_incarnation_start_nothing() {
    let mut host = Host::connected();
    host.connect(5);
    host.flush();
    host.on(start(1, 4));
    host.on(Input::Start {
        key: key(2),
        epoch: Epoch(5),
        incarnation: Incarnation(99),
    });
    assert_eq!(host.flush(), []);
    assert_eq!(host.agent.held(), 0);
}

#[test]
fn a_superseded_master_and_a_foreign_cluster_are_hung_up_on() {
    let mut host = Host::connected();
    host.connect(5);
    host.flush();
    host.on(Input::Disconnected);
    host.crash(2);
    let stale = Refusal::StaleEpoch {
        epoch: Epoch(4),
        seen: Epoch(5),
    };
    assert_eq!(host.connect(4), [Output::HangUp(stale)]);
    let foreign = Input::Connected {
        cluster: 8,
        epoch: Epoch(9),
        stop_after: LIMIT,
    };
    let refusal = Refusal::OtherCluster {
        cluster: 8,
        ours: CLUSTER,
    };
    assert_eq!(host.on(foreign), [Output::HangUp(refusal)]);
}

#[test]
fn a_tombstone_is_promised_once_durable_and_then_nothing_starts() {
    let mut host = Host::connected();
    let request = Input::TombstoneRequest { key: key(1) };
    assert_eq!(host.on(request.clone()), []);
    assert_eq!(host.on(start(1, 1)), [], "the promise is being flushed");
    assert_eq!(host.flush(), [tombstoned(1)]);
    assert_eq!(host.on(start(1, 1)), [tombstoned(1)]);
    assert_eq!(host.on(request), [tombstoned(1)]);
}

#[test]
fn a_tombstone_request_for_an_accepted_attempt_hears_its_state() {
    let mut host = Host::connected();
    let request = Input::TombstoneRequest { key: key(1) };
    host.on(start(1, 1));
    assert_eq!(host.on(request.clone()), []);
    assert_eq!(
        host.flush(),
        [accepted(1), Output::Exec { key: key(1) }],
        "a start that came first wins"
    );
    assert_eq!(host.on(request.clone()), [accepted(1)]);
    host.on(exited(1, OutcomeKind::Failed));
    assert_eq!(host.on(request), [finished(1, OutcomeKind::Failed)]);
}

#[test]
fn an_outcome_is_reported_until_it_is_acknowledged() {
    let mut host = Host::connected();
    host.run(1);
    host.on(Input::Disconnected);
    host.on(exited(1, OutcomeKind::Succeeded));
    assert_eq!(host.flush(), []);
    host.crash(2);
    assert_eq!(host.agent.attach().holds, [key(1)]);
    assert_eq!(host.connect(1), [finished(1, OutcomeKind::Succeeded)]);
    host.on(Input::Acknowledge { key: key(1) });
    host.flush();
    host.crash(3);
    assert_eq!(host.agent.attach().holds, []);
}

#[test]
fn the_first_outcome_wins() {
    let mut host = Host::connected();
    host.run(1);
    assert_eq!(
        host.on(exited(1, OutcomeKind::Succeeded)),
        [finished(1, OutcomeKind::Succeeded)]
    );
    assert_eq!(host.on(exited(1, OutcomeKind::Failed)), []);
    host.flush();
    host.crash(2);
    assert_eq!(host.connect(1), [finished(1, OutcomeKind::Succeeded)]);
}

#[test]
fn a_restart_adopts_what_was_accepted() {
    let mut host = Host::connected();
    host.run(1);
    host.crash(2);
    assert_eq!(host.agent.running().collect::<Vec<_>>(), [&key(1)]);
    assert_eq!(host.connect(1), [accepted(1)]);
    assert_eq!(
        host.on(Input::Cancel { key: key(1) }),
        [Output::Stop { key: key(1) }]
    );
}

#[test]
fn a_cancel_before_the_acceptance_is_durable_prevents_the_execution() {
    let mut host = Host::connected();
    host.on(start(1, 1));
    assert_eq!(host.on(Input::Cancel { key: key(1) }), []);
    let outputs = host.flush();
    assert!(
        matches!(&outputs[..], [a, Output::Send(Event::Finished(k, o))]
            if *a == accepted(1) && *k == key(1) && o.kind == OutcomeKind::Cancelled)
    );
}

#[test]
fn an_attempt_stopped_without_the_masters_order_is_lost() {
    let mut host = Host::connected();
    host.run(1);
    let outputs = host.on(exited(1, OutcomeKind::Cancelled));
    assert_eq!(outputs, [finished(1, OutcomeKind::Lost)]);
}

#[test]
fn an_outcome_that_a_crash_forgot_leaves_the_attempt_to_be_told_of_again() {
    let mut host = Host::connected();
    host.run(1);
    host.on(exited(1, OutcomeKind::Succeeded));
    host.crash(2);
    assert_eq!(host.agent.running().count(), 1);
    host.connect(1);
    assert_eq!(
        host.on(exited(1, OutcomeKind::Lost)),
        [finished(1, OutcomeKind::Lost)]
    );
}

#[test]
fn without_contact_for_the_limit_everything_is_stopped_and_counts_as_lost() {
    let mut host = Host::connected();
    host.run(1);
    assert_eq!(host.agent.next_deadline(), None);
    host.now = Duration::from_secs(10);
    host.on(Input::Disconnected);
    assert_eq!(host.agent.next_deadline(), Some(host.now + LIMIT));
    host.now += LIMIT - Duration::from_millis(1);
    assert_eq!(host.on(Input::Tick), []);
    host.now += Duration::from_millis(1);
    assert_eq!(host.on(Input::Tick), [Output::Stop { key: key(1) }]);
    assert_eq!(host.agent.next_deadline(), None);
    host.on(exited(1, OutcomeKind::Cancelled));
    host.flush();
    let outputs = host.connect(1);
    assert!(
        matches!(&outputs[..], [Output::Send(Event::Finished(_, o))] if o.kind == OutcomeKind::Lost)
    );
}

#[test]
fn a_snapshot_restores_the_same_agent() {
    let mut host = Host::connected();
    host.run(1);
    host.run(2);
    host.on(exited(2, OutcomeKind::Failed));
    host.on(Input::TombstoneRequest { key: key(3) });
    host.flush();
    assert!(host.agent.is_settled());
    let restored = Agent::restore(US, host.now, host.agent.snapshot());
    assert_eq!(restored.snapshot(), host.agent.snapshot());
    assert_eq!(restored.attach(), host.agent.attach());
}

#[test]
fn an_acknowledgement_of_a_running_attempt_changes_nothing() {
    let mut host = Host::connected();
    host.run(1);
    assert_eq!(host.on(Input::Acknowledge { key: key(1) }), []);
    assert_eq!(host.agent.held(), 1);
}

#[test]
fn a_new_worker_has_seen_no_master_and_keeps_to_the_cluster_of_its_first() {
    let attach = Agent::new(US, Duration::ZERO).attach();
    assert_eq!((attach.cluster, attach.max_epoch), (None, Epoch(0)));
    let mut host = Host::connected();
    let foreign = Input::Connected {
        cluster: 8,
        epoch: Epoch(9),
        stop_after: LIMIT,
    };
    let refusal = Refusal::OtherCluster {
        cluster: 8,
        ours: CLUSTER,
    };
    assert_eq!(host.on(foreign), [Output::HangUp(refusal)]);
}

#[test]
fn the_last_acknowledged_outcomes_are_remembered() {
    let mut host = Host::connected();
    let last = u32::try_from(super::REMEMBERED_OUTCOMES).unwrap() + 1;
    for attempt in 1..=last {
        host.run(attempt);
        host.on(exited(attempt, OutcomeKind::Succeeded));
        host.on(Input::Acknowledge { key: key(attempt) });
        host.flush();
    }
    for attempt in [2, last] {
        assert_eq!(
            host.on(start(attempt, 1)),
            [finished(attempt, OutcomeKind::Succeeded)]
        );
    }
    assert_eq!(host.on(start(1, 1)), [], "the oldest is forgotten");
    assert_eq!(host.agent.held(), 1);
}

#[test]
fn only_what_somebody_waits_for_is_urgent() {
    let urgent: Vec<bool> = [
        Entry::contact(CLUSTER, Epoch(1), LIMIT),
        Entry::Accepted {
            key: key(1),
            epoch: Epoch(1),
            incarnation: US,
        },
        Entry::Tombstone {
            key: key(1),
            incarnation: US,
        },
        Entry::Finished {
            key: key(1),
            outcome: outcome(OutcomeKind::Succeeded),
        },
        Entry::Forgotten { key: key(1) },
    ]
    .iter()
    .map(Entry::is_urgent)
    .collect();
    assert_eq!(urgent, [true, true, true, false, false]);
}

fn leaving(holds: &[u32]) -> Output {
    Output::Send(Event::Leaving {
        holds: holds.iter().copied().map(key).collect(),
    })
}

#[test]
fn a_worker_that_leaves_says_what_it_holds_and_accepts_nothing_more() {
    let mut host = Host::connected();
    host.run(1);
    host.on(start(2, 1));
    assert_eq!(
        host.on(Input::Leave),
        [leaving(&[1, 2])],
        "an acceptance that may still become durable counts"
    );
    assert_eq!(host.on(start(3, 1)), []);
    assert_eq!(
        host.flush(),
        [accepted(2), Output::Exec { key: key(2) }],
        "what was accepted before goes its way"
    );
    assert_eq!(
        host.on(exited(1, OutcomeKind::Cancelled)),
        [finished(1, OutcomeKind::Lost)]
    );
}

#[test]
fn a_worker_that_leaves_tells_the_next_master_first() {
    let mut host = Host::connected();
    host.run(1);
    host.on(Input::Disconnected);
    assert_eq!(host.on(Input::Leave), []);
    assert_eq!(host.connect(2), [leaving(&[1]), accepted(1)]);
    host.crash(2);
    host.connect(2);
    assert!(!host.agent.is_leaving(), "its next start takes new work");
}
