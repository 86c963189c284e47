//! Mistakes in statements: replacements in the text that a correct service sends. Texts have one blank between words.

use serde_json::{Value, json};

/// Statements that are sent in place of one.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// A part of the statement, to recognise it.
    pub(super) statement: &'static str,
    /// The statements sent instead, in this order.
    instead: &'static [Replacements],
}

/// Parts of a statement's text, all of which must be there, and what replaces them.
type Replacements = &'static [(&'static str, &'static str)];

impl Rewrite {
    pub(super) fn setting(&self) -> Value {
        json!({ "statement": self.statement, "instead": self.instead })
    }
}

const CLAIM: &str = "UPDATE pending_payment AS claimed";
const RESCUE: &str = "UPDATE pending_payment AS rescued";
/// The write of a failed delivery, under its lease.
const OUTCOME: &str = r#") AS "outcome""#;
const FINISH: &str = "FOR NO KEY UPDATE SKIP LOCKED ), finished AS";
const READ_FOR_FINISH: &str = r#" AS "now" FROM "consultation""#;
const RECORD: &str = "INSERT INTO payment (id, appointment_id, total_price_cents, recorded_by, recorded_at)";

/// Two relays may claim the same row.
pub(super) const NO_SKIP_LOCKED: &[Rewrite] =
    &[Rewrite { statement: CLAIM, instead: &[&[("FOR NO KEY UPDATE SKIP LOCKED", "")]] }];

/// No row is tried a third time.
pub(super) const GIVE_UP: &[Rewrite] =
    &[Rewrite { statement: CLAIM, instead: &[&[("WHERE NOT finished", "WHERE NOT finished AND tries < 2")]] }];

/// Rows and leases that a wrong clock stranded in the future stay there.
pub(super) const NO_RESCUE: &[Rewrite] = &[
    Rewrite { statement: RESCUE, instead: &[&[("WHERE NOT finished", "WHERE false AND NOT finished")]] },
    Rewrite {
        statement: CLAIM,
        instead: &[&[(
            "OR lease_until > statement_timestamp() + 2 *",
            "OR false AND lease_until > statement_timestamp() + 2 *",
        )]],
    },
];

/// A relay whose lease has ended writes nevertheless.
pub(super) const NO_FENCE: &[Rewrite] = &[Rewrite {
    statement: OUTCOME,
    instead: &[&[
        (r#""pending_payment"."claim_seq" = "outcome"."column2""#, "true"),
        (r#"AND "pending_payment"."processing" ="#, "AND true ="),
    ]],
}];

/// The claim calls the payment delivered.
pub(super) const FINISH_BEFORE_CONFIRM: &[Rewrite] = &[Rewrite {
    statement: CLAIM,
    instead: &[&[
        ("SET processing = true,", "SET finished = true, finished_at = statement_timestamp(), processing = false,"),
        ("lease_until = statement_timestamp() + make_interval(secs => $2)", "lease_until = NULL"),
    ]],
}];

/// The consultations are finished first. Their outbox rows follow in another transaction.
pub(super) const OUTBOX_OUTSIDE_TRANSACTION: &[Rewrite] = &[Rewrite {
    statement: FINISH,
    instead: &[
        &[(
            "INSERT INTO pending_payment (id, appointment_id, total_price_cents, next_attempt_at, created_at, trace_parent) \
             SELECT pending_payment_id, id, price_cents, statement_timestamp(), statement_timestamp(), \
             NULLIF(trace_parent, '') FROM finished RETURNING appointment_id",
            "SELECT id FROM finished",
        )],
        &[
            ("AND end_date IS NULL ORDER BY id FOR NO KEY UPDATE SKIP LOCKED", "AND end_date IS NOT NULL"),
            (
                "UPDATE consultation SET end_date = row.end_date, price_cents = row.price_cents, finished_by = \
                 row.finished_by FROM",
                "SELECT consultation.id, consultation.price_cents, row.pending_payment_id, row.trace_parent FROM consultation,",
            ),
            (
                "RETURNING consultation.id, consultation.price_cents, row.pending_payment_id, row.trace_parent",
                "AND consultation.end_date = row.end_date",
            ),
            ("FROM finished RETURNING", "FROM finished ON CONFLICT DO NOTHING RETURNING"),
        ],
    ],
}];

/// A cancellation wins although the consultation has ended.
pub(super) const CANCEL_IGNORES_END: &[Rewrite] = &[Rewrite {
    statement: "UPDATE consultation SET cancel_reason",
    instead: &[&[("AND end_date IS NULL FOR NO KEY UPDATE SKIP LOCKED", "FOR NO KEY UPDATE")]],
}];

/// The end of a consultation is the time of the process, not of the database.
pub(super) const PROCESS_CLOCK: &[Rewrite] = &[Rewrite {
    statement: READ_FOR_FINISH,
    instead: &[&[("date_trunc('milliseconds', statement_timestamp())", "'{process clock}'::timestamptz")]],
}];

/// The last amount of an appointment replaces the first.
pub(super) const UPSERT: &[Rewrite] = &[Rewrite {
    statement: RECORD,
    instead: &[&[(
        "ON CONFLICT DO NOTHING",
        "ON CONFLICT (appointment_id) DO UPDATE SET total_price_cents = excluded.total_price_cents",
    )]],
}];

/// A repetition is answered from rows that the standby may not have.
pub(super) const UNSYNCED_REPEAT: &[Rewrite] = &[Rewrite {
    statement: "pg_logical_emit_message",
    instead: &[&[("pg_logical_emit_message(true, 'durable', '')", "1")]],
}];

/// Nested transactions, where BEGIN would fail.
pub(super) const SAVEPOINTS: &[Rewrite] = &[
    Rewrite { statement: "BEGIN IMMEDIATE", instead: &[&[("BEGIN IMMEDIATE", "SAVEPOINT seeded")]] },
    Rewrite { statement: "COMMIT", instead: &[&[("COMMIT", "RELEASE seeded")]] },
];
