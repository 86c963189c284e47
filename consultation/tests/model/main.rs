//! One outbox row, three relays, a finance whose messages get lost: every order in which things can happen.
//!
//! The model is checked exhaustively for a bounded number of faults. It is itself tested: models with a
//! known flaw must be refuted, each by the property that the flaw breaks.

mod row;

use rstest::rstest;
use stateright::{Checker, CheckerBuilder, HasDiscoveries, Model};

use row::{FENCE, Flaw, ONE_LEASE, Outbox, STAYS};

/// Lost, doubled and slow messages, outages, pauses beyond the lease and crashes, in any mixture.
const FAULTS: u8 = 4;

fn model(flaw: Option<Flaw>) -> CheckerBuilder<Outbox> {
    Outbox { flaw, faults: FAULTS }.checker().threads(2)
}

#[test]
fn a_payment_is_recorded_once_and_its_row_finished_whatever_happens() {
    let checker = model(None).spawn_bfs().join();
    checker.assert_properties();
    // So that a model in which little can happen does not pass for one that holds.
    println!("{} states", checker.unique_state_count());
    assert!(checker.unique_state_count() > 100_000);
}

#[rstest]
#[case::without_a_fence(Flaw::NoFence, FENCE)]
#[case::whose_claims_ignore_leases(Flaw::ClaimIgnoresLease, ONE_LEASE)]
#[case::that_finishes_before_finance_confirms(Flaw::FinishBeforeConfirm, "what is finished is paid")]
#[case::whose_failures_override_successes(Flaw::FailureOverridesSuccess, STAYS)]
#[case::without_a_unique_key_in_finance(Flaw::NoUniqueKey, "at most one payment")]
#[case::that_gives_up_after_two_tries(Flaw::GiveUp, "at rest it is finished")]
fn a_model_is_refuted(#[case] flaw: Flaw, #[case] property: &'static str) {
    let found = HasDiscoveries::AllOf([property].into());
    let checker = model(Some(flaw)).finish_when(found).spawn_bfs().join();
    assert!(checker.discovery(property).is_some(), "{flaw:?} passes for correct");
}
