use super::*;

const ME: u128 = 7;

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn lease(epoch: u64, incarnation: u128, renew_seq: u64) -> LeaseView {
    LeaseView {
        cluster: 1,
        epoch: Epoch(epoch),
        incarnation,
        holder: "other".to_owned(),
        renew_seq,
    }
}

fn read(view: &LeaseView) -> LeaderInput {
    LeaderInput::LeaseRead(Ok(Some(view.clone())))
}

fn renewed(epoch: u64, sent_at: f64, result: Result<bool, StoreDown>) -> LeaderInput {
    LeaderInput::Renewed {
        epoch: Epoch(epoch),
        sent_at: at(sent_at),
        result,
    }
}

/// A leader that has led since second 0 under epoch 1.
fn active() -> Leader {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    leader.on(at(0.0), LeaderInput::LeaseRead(Ok(None)));
    let won = TakenOver {
        epoch: Epoch(1),
        seq: 1,
    };
    leader.on(at(0.0), LeaderInput::TookOver(Ok(Some(won))));
    leader.on(at(0.0), LeaderInput::Recovered { epoch: Epoch(1) });
    leader
}

#[test]
fn standby_takes_over_only_after_the_lease_stood_unchanged_for_its_time_to_live() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    let view = lease(3, 9, 5);
    for second in 0..6 {
        let now = at(f64::from(second));
        assert_eq!(
            leader.on(now, LeaderInput::Tick),
            [LeaderAction::ReadLease],
            "{second}"
        );
        assert_eq!(leader.on(now, read(&view)), [], "{second}");
    }
    leader.on(at(6.0), LeaderInput::Tick);
    let actions = leader.on(at(6.0), read(&view));
    assert_eq!(actions, [LeaderAction::TakeOver { seen: Some(view) }]);
}

#[test]
fn a_renewed_lease_starts_the_wait_anew() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    for (second, renew_seq) in [(0, 5), (5, 6), (10, 6)] {
        let now = at(f64::from(second));
        leader.on(now, LeaderInput::Tick);
        assert_eq!(leader.on(now, read(&lease(3, 9, renew_seq))), []);
    }
    leader.on(at(11.0), LeaderInput::Tick);
    assert_eq!(leader.on(at(11.0), read(&lease(3, 9, 6))).len(), 1);
}

#[test]
fn a_lease_given_back_is_taken_at_once() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    let mut view = lease(3, 9, 5);
    view.holder.clear();
    let actions = leader.on(at(0.0), read(&view));
    assert_eq!(actions, [LeaderAction::TakeOver { seen: Some(view) }]);
}

#[test]
fn an_unreachable_holder_is_replaced_at_the_next_look() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    leader.on(at(0.0), read(&lease(3, 9, 5)));
    let actions = leader.on(at(0.5), LeaderInput::HolderUnreachable);
    assert_eq!(actions, [LeaderAction::ReadLease]);
    assert_eq!(leader.on(at(0.5), read(&lease(3, 9, 6))).len(), 1);
}

#[test]
fn a_hint_about_an_earlier_holder_is_forgotten() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    leader.on(at(0.0), read(&lease(3, 9, 5)));
    leader.on(at(0.5), LeaderInput::HolderUnreachable);
    assert_eq!(leader.on(at(0.5), read(&lease(4, 8, 0))), []);
    leader.on(at(1.5), LeaderInput::Tick);
    assert_eq!(leader.on(at(1.5), read(&lease(4, 8, 0))), []);
}

#[test]
fn a_lost_race_goes_back_to_watching() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    leader.on(at(0.0), LeaderInput::LeaseRead(Ok(None)));
    assert_eq!(leader.on(at(0.1), LeaderInput::TookOver(Ok(None))), []);
    assert!(matches!(leader.state(), LeaderState::Standby { .. }));
    let deadline = leader.next_deadline().unwrap();
    assert_eq!(
        leader.on(deadline, LeaderInput::Tick),
        [LeaderAction::ReadLease]
    );
}

#[test]
fn a_take_over_whose_answer_was_lost_is_repeated_over_its_own_lease() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    leader.on(at(0.0), LeaderInput::LeaseRead(Ok(None)));
    leader.on(at(0.1), LeaderInput::TookOver(Err(StoreDown)));
    leader.on(at(0.4), LeaderInput::Tick);
    let mine = lease(1, ME, 0);
    let actions = leader.on(at(0.4), read(&mine));
    assert_eq!(actions, [LeaderAction::TakeOver { seen: Some(mine) }]);
}

#[test]
fn a_recovering_leader_renews_but_does_not_act() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    leader.on(at(0.0), LeaderInput::LeaseRead(Ok(None)));
    let won = TakenOver {
        epoch: Epoch(1),
        seq: 1,
    };
    leader.on(at(0.0), LeaderInput::TookOver(Ok(Some(won))));
    let renew = LeaderAction::Renew { epoch: Epoch(1) };
    assert_eq!(leader.on(at(1.0), LeaderInput::Tick), [renew]);
    leader.on(at(1.1), renewed(1, 1.0, Ok(true)));
    assert_eq!(leader.may_act(at(1.1)), None);
    leader.on(at(4.5), LeaderInput::Recovered { epoch: Epoch(1) });
    assert_eq!(leader.may_act(at(4.5)), Some(Epoch(1)));
}

#[test]
fn a_late_answer_of_an_earlier_recovery_does_not_make_a_leader() {
    let mut leader = active();
    leader.on(at(0.5), LeaderInput::Fenced);
    leader.on(at(1.0), LeaderInput::Tick);
    leader.on(at(1.0), read(&lease(1, ME, 0)));
    let won = TakenOver {
        epoch: Epoch(2),
        seq: 9,
    };
    leader.on(at(1.0), LeaderInput::TookOver(Ok(Some(won))));
    leader.on(at(1.0), LeaderInput::Recovered { epoch: Epoch(1) });
    assert_eq!(leader.may_act(at(1.0)), None);
    leader.on(at(1.0), renewed(1, 0.9, Ok(false)));
    leader.on(at(1.0), LeaderInput::Recovered { epoch: Epoch(2) });
    assert_eq!(leader.may_act(at(1.0)), Some(Epoch(2)));
}

#[test]
fn the_self_fence_counts_from_the_sending_of_the_last_confirmed_renewal() {
    let mut leader = active();
    leader.on(at(1.0), LeaderInput::Tick);
    leader.on(at(3.0), renewed(1, 1.0, Ok(true)));
    assert_eq!(leader.may_act(at(4.9)), Some(Epoch(1)));
    assert_eq!(leader.may_act(at(5.0)), None);
    let reason = DemoteReason::Unconfirmed;
    assert_eq!(
        leader.on(at(5.0), LeaderInput::Tick),
        [LeaderAction::Demote { reason }]
    );
}

#[test]
fn a_confirmation_that_comes_after_the_fence_does_not_revive_the_reign() {
    let mut leader = active();
    leader.on(at(1.0), LeaderInput::Tick);
    let actions = leader.on(at(4.5), renewed(1, 1.0, Ok(true)));
    let reason = DemoteReason::Unconfirmed;
    assert_eq!(actions, [LeaderAction::Demote { reason }]);
}

#[test]
fn a_failed_renewal_is_repeated_soon_and_one_runs_at_a_time() {
    let mut leader = active();
    assert_eq!(leader.on(at(1.0), LeaderInput::Tick).len(), 1);
    assert_eq!(leader.on(at(2.5), LeaderInput::Tick), []);
    leader.on(at(2.5), renewed(1, 1.0, Err(StoreDown)));
    assert_eq!(leader.next_deadline(), Some(at(2.75)));
    assert_eq!(leader.on(at(2.75), LeaderInput::Tick).len(), 1);
}

#[test]
fn a_lease_that_is_someone_elses_ends_the_reign() {
    let mut leader = active();
    leader.on(at(1.0), LeaderInput::Tick);
    let reason = DemoteReason::LeaseLost;
    assert_eq!(
        leader.on(at(1.1), renewed(1, 1.0, Ok(false))),
        [LeaderAction::Demote { reason }]
    );
    assert_eq!(leader.may_act(at(1.1)), None);
}

#[test]
fn a_fenced_leader_watches_again() {
    let mut leader = active();
    let reason = DemoteReason::Fenced;
    assert_eq!(
        leader.on(at(1.0), LeaderInput::Fenced),
        [LeaderAction::Demote { reason }]
    );
    let deadline = leader.next_deadline().unwrap();
    assert_eq!(
        leader.on(deadline, LeaderInput::Tick),
        [LeaderAction::ReadLease]
    );
    assert_eq!(leader.on(deadline, read(&lease(2, 9, 0))), []);
}

#[test]
fn a_leader_whose_database_came_back_leads_again_without_waiting() {
    let mut leader = active();
    leader.on(at(1.0), LeaderInput::Tick);
    leader.on(at(2.0), renewed(1, 1.0, Err(StoreDown)));
    leader.on(at(4.0), LeaderInput::Tick);
    assert_eq!(
        leader.state(),
        &LeaderState::Demoted(DemoteReason::Unconfirmed)
    );
    let mut now = at(4.0);
    for _ in 0..3 {
        now = leader.next_deadline().unwrap();
        assert_eq!(leader.on(now, LeaderInput::Tick), [LeaderAction::ReadLease]);
        leader.on(now, LeaderInput::LeaseRead(Err(StoreDown)));
    }
    now = leader.next_deadline().unwrap().max(now);
    leader.on(now, LeaderInput::Tick);
    assert_eq!(leader.on(now, read(&lease(1, ME, 0))).len(), 1);
}

#[test]
fn resigning_gives_the_lease_back_and_never_tries_again() {
    let mut leader = active();
    let reason = DemoteReason::Resigned;
    assert_eq!(
        leader.on(at(1.0), LeaderInput::Resign),
        [
            LeaderAction::Demote { reason },
            LeaderAction::Release { epoch: Epoch(1) }
        ]
    );
    assert_eq!(leader.next_deadline(), None);
    assert_eq!(leader.on(at(9.0), LeaderInput::Tick), []);
}

#[test]
fn a_lease_won_after_resigning_is_given_back() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    leader.on(at(0.0), LeaderInput::LeaseRead(Ok(None)));
    leader.on(at(0.1), LeaderInput::Resign);
    let won = TakenOver {
        epoch: Epoch(1),
        seq: 1,
    };
    assert_eq!(
        leader.on(at(0.2), LeaderInput::TookOver(Ok(Some(won)))),
        [LeaderAction::Release { epoch: Epoch(1) }]
    );
}

#[test]
fn a_failed_recovery_ends_the_reign() {
    let mut leader = Leader::new(LeaderOptions::default(), ME);
    leader.on(at(0.0), LeaderInput::Tick);
    leader.on(at(0.0), LeaderInput::LeaseRead(Ok(None)));
    let won = TakenOver {
        epoch: Epoch(1),
        seq: 1,
    };
    leader.on(at(0.0), LeaderInput::TookOver(Ok(Some(won))));
    let reason = DemoteReason::RecoveryFailed;
    assert_eq!(
        leader.on(at(0.5), LeaderInput::RecoveryFailed { epoch: Epoch(1) }),
        [LeaderAction::Demote { reason }]
    );
}
