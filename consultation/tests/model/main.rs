//! Models of one outbox row: every order of steps, with relays and lost messages (`row`), with a database clock that is
//! set (`clock`), with a standby (`replication`), and with operators who settle and send again (`remedies`). They are
//! separate, since together they would have too many states.
//!
//! Each model is checked exhaustively for a bounded number of faults. It is itself tested: models with a
//! known flaw must be refuted, each by the property that the flaw breaks.

mod clock;
mod remedies;
mod replication;
mod row;

use rstest::rstest;
use stateright::{Checker, CheckerBuilder, HasDiscoveries, Model};

use clock::{Clocked, IN_TIME, KEEPS_LEASE};
use remedies::{AGREE, DELIVERED, NEEDED, OWN, Remedied, STANDS};
use replication::{Replicated, STAYS_PAID};
use row::{FENCE, FREE, Flaw, ONE_END, ONE_LEASE, Outbox, STAYS};

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
#[case::whose_finish_ignores_a_cancellation(Flaw::FinishIgnoresCancel, FREE)]
#[case::whose_cancellation_ignores_a_finish(Flaw::CancelIgnoresFinish, FREE)]
#[case::in_which_a_consultation_ends_twice(Flaw::FinishIgnoresCancel, ONE_END)]
fn a_model_is_refuted(#[case] flaw: Flaw, #[case] property: &'static str) {
    let found = HasDiscoveries::AllOf([property].into());
    let checker = model(Some(flaw)).finish_when(found).spawn_bfs().join();
    assert!(checker.discovery(property).is_some(), "{flaw:?} passes for correct");
}

fn clocked(flaw: Option<clock::Flaw>) -> CheckerBuilder<Clocked> {
    Clocked { flaw, faults: FAULTS }.checker().threads(2)
}

#[test]
fn a_row_is_delivered_soon_however_the_databases_clock_is_set() {
    let checker = clocked(None).spawn_bfs().join();
    checker.assert_properties();
    println!("{} states", checker.unique_state_count());
    assert!(checker.unique_state_count() > 1_000);
}

#[rstest]
#[case::without_a_rescue(clock::Flaw::NoRescue, IN_TIME)]
#[case::that_honours_impossible_leases(clock::Flaw::HonoursImpossibleLeases, IN_TIME)]
#[case::that_takes_every_long_lease_for_impossible(clock::Flaw::NoSlack, KEEPS_LEASE)]
fn a_model_with_clocks_is_refuted(#[case] flaw: clock::Flaw, #[case] property: &'static str) {
    let found = HasDiscoveries::AllOf([property].into());
    let checker = clocked(Some(flaw)).finish_when(found).spawn_bfs().join();
    assert!(checker.discovery(property).is_some(), "{flaw:?} passes for correct");
}

fn remedied(flaw: Option<remedies::Flaw>) -> CheckerBuilder<Remedied> {
    Remedied { flaw, faults: FAULTS }.checker().threads(2)
}

#[test]
fn settlements_and_redeliveries_end_with_both_sides_equal() {
    let checker = remedied(None).spawn_bfs().join();
    checker.assert_properties();
    println!("{} states", checker.unique_state_count());
    assert!(checker.unique_state_count() > 1_000);
}

#[rstest]
#[case::that_settles_what_finance_has_not_refused(remedies::Flaw::SettlesWhatIsNotRefused, DELIVERED)]
#[case::whose_refusals_override_settlements(remedies::Flaw::RefusalOverridesSettlement, remedies::STAYS)]
#[case::that_sends_the_price_of_what_was_settled(remedies::Flaw::SendsThePriceAgain, STANDS)]
#[case::that_sends_again_without_comparing(remedies::Flaw::SendsAgainWithoutComparing, NEEDED)]
#[case::that_compares_finances_amount_with_the_price(remedies::Flaw::SettlesByThePrice, AGREE)]
#[case::whose_confirmations_finish_any_delivery(remedies::Flaw::ConfirmsAnyDelivery, OWN)]
fn a_model_with_operators_is_refuted(#[case] flaw: remedies::Flaw, #[case] property: &'static str) {
    let found = HasDiscoveries::AllOf([property].into());
    let checker = remedied(Some(flaw)).finish_when(found).spawn_bfs().join();
    assert!(checker.discovery(property).is_some(), "{flaw:?} passes for correct");
}

#[test]
fn what_is_finished_is_paid_after_a_failover_if_repetitions_wait_for_the_standby() {
    let checker = Replicated { repetitions_wait: true, faults: FAULTS }.checker().spawn_bfs().join();
    checker.assert_properties();
    println!("{} states", checker.unique_state_count());
}

#[test]
fn a_finance_that_answers_repetitions_from_what_is_not_replicated_is_refuted() {
    let checker = Replicated { repetitions_wait: false, faults: FAULTS }.checker().spawn_bfs().join();
    assert!(checker.discovery(STAYS_PAID).is_some());
}
