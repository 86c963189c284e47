//! The mistakes, each with the faults under which it shows and the invariants that it breaks.

use super::{Change, Mistake, statements};
use crate::{
    faults::{Fault, Incident, named::TWO_HOURS},
    invariants::names::{
        ACKNOWLEDGED, BOTH_OR_NEITHER, CALLS, CANCELLED, CONFIRMED, CONFLICT, DURATION, ENDS_ONCE, FINISHED,
        NOT_BEFORE_RECORDED, ONE_LEASE, OWN_LEASE, PAID_ONCE, REFUSED, SAME_AMOUNT, SILENCE,
    },
    proxy::Lane,
    stack::Backend,
};

pub(super) const MISTAKES: [Mistake; 14] = [
    Mistake {
        faults: &[Fault::Kills(3), Fault::Cuts(8), Fault::DroppedAnswers(5), Fault::Hostile(5)],
        ..mistake("none", Change::None, 300, &[])
    },
    Mistake {
        faults: &[Fault::Stopped],
        ..mistake("no-fence", Change::Statements(statements::NO_FENCE), 400, &[OWN_LEASE])
    },
    Mistake {
        faults: &[Fault::Calm(5), Fault::DroppedAnswers(10)],
        ..mistake("no-skip-locked", Change::Statements(statements::NO_SKIP_LOCKED), 1_500, &[ONE_LEASE])
    },
    Mistake {
        faults: &[Fault::DroppedAnswers(5), Fault::Hostile(5)],
        ..mistake(
            "finish-before-confirm",
            Change::Statements(statements::FINISH_BEFORE_CONFIRM),
            200,
            &[NOT_BEFORE_RECORDED, PAID_ONCE],
        )
    },
    Mistake {
        faults: &[Fault::Cuts(12), Fault::Kills(4)],
        ..mistake(
            "outbox-outside-transaction",
            Change::Statements(statements::OUTBOX_OUTSIDE_TRANSACTION),
            500,
            &[BOTH_OR_NEITHER],
        )
    },
    Mistake {
        faults: &[Fault::Calm(12)],
        unguard: Some(("finance", "DROP TRIGGER payment_stay ON payment")),
        ..mistake("upsert", Change::Statements(statements::UPSERT), 150, &[CONFLICT, SAME_AMOUNT])
    },
    Mistake {
        // Some calls fail and some succeed, so that the breaker stays closed and some rows fail twice.
        faults: &[Fault::DroppedAnswers(20)],
        ..mistake("give-up", Change::Statements(statements::GIVE_UP), 400, &[FINISHED, PAID_ONCE])
    },
    Mistake {
        faults: &[Fault::Calm(8)],
        unguard: Some((
            "consultation",
            "DROP TRIGGER IF EXISTS consultation_cancellation_stays ON consultation;
             ALTER TABLE consultation DROP CONSTRAINT IF EXISTS consultation_end",
        )),
        ..mistake(
            "cancel-ignores-end",
            Change::Statements(statements::CANCEL_IGNORES_END),
            300,
            &[CANCELLED, ENDS_ONCE],
        )
    },
    // The services made these once.
    Mistake {
        backend: Backend::Sqlite,
        faults: &[Fault::Calm(2), Fault::DiskFull(2)],
        ..mistake("keep-broken-connection", Change::BrokenConnections, 300, &[ACKNOWLEDGED, PAID_ONCE])
    },
    Mistake {
        backend: Backend::Failover,
        faults: &[Fault::Calm(2), Fault::StandbyLost(false), Fault::StandbyLost(true), Fault::StandbyLost(false)],
        ..mistake(
            "unsynced-repeat",
            Change::Statements(statements::UNSYNCED_REPEAT),
            300,
            &[ACKNOWLEDGED, REFUSED, CONFIRMED],
        )
    },
    Mistake {
        faults: &[Fault::Calm(2), Fault::HalfOpen(Lane::Consultation, false), Fault::HalfOpen(Lane::Finance, false)],
        // Enough that connections are in use when they fall silent: an idle one is tested before it is used.
        ..mistake("no-deadline", Change::NoDeadlines, 1_500, &[SILENCE, CALLS])
    },
    Mistake {
        faults: &[Fault::Calm(2), Fault::ReplicaClock(TWO_HOURS)],
        ..mistake("process-clock", Change::Statements(statements::PROCESS_CLOCK), 300, &[DURATION])
    },
    Mistake {
        faults: &[Fault::Calm(2), Fault::DatabaseClock],
        ..mistake("no-rescue", Change::Statements(statements::NO_RESCUE), 600, &[FINISHED, PAID_ONCE])
    },
    Mistake {
        backend: Backend::PostgresHa,
        faults: &[Fault::Calm(4), Fault::Cluster(Incident::LeaderDies)],
        ..mistake("asynchronous", Change::Asynchronous, 1_200, &[ACKNOWLEDGED])
    },
];

/// On one PostgreSQL server, without faults.
const fn mistake(name: &'static str, change: Change, consultations: i32, breaks: &'static [&'static str]) -> Mistake {
    Mistake { name, change, unguard: None, backend: Backend::Postgres, faults: &[], consultations, breaks }
}
