//! A consultation of the predecessor with its pending payments, as read. Whether it fits is for the mapping.

use chassis::{database::source::Query, import::Row};
use chrono::{DateTime, NaiveDateTime, SubsecRound, Timelike, Utc};
use entity::Money;
use uuid::Uuid;

/// A line for each pending payment of a consultation, and one for a consultation without any.
pub(super) const ALL: Query = Query {
    columns: COLUMNS,
    rest: "FROM consultation LEFT JOIN pending_payment ON pending_payment.appointment_id = consultation.id
           ORDER BY consultation.id",
};
/// Those without an end only.
pub(super) const OPEN: Query = Query {
    columns: COLUMNS,
    rest: "FROM consultation LEFT JOIN pending_payment ON pending_payment.appointment_id = consultation.id
           WHERE consultation.end_date IS NULL ORDER BY consultation.id",
};
const COLUMNS: &[&str] = &[
    ID,
    "consultation.physician_id",
    "consultation.patient_id",
    "consultation.start_date",
    "consultation.end_date",
    "consultation.price",
    PENDING_PAYMENT_ID,
    "pending_payment.total_price",
    "pending_payment.tries",
    "pending_payment.finished",
];
pub(super) const ID: &str = "consultation.id";
const PENDING_PAYMENT_ID: &str = "pending_payment.id";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) id: Uuid,
    pub(super) physician_id: Uuid,
    pub(super) patient_id: Uuid,
    /// To the millisecond, as the end.
    pub(super) start_date: DateTime<Utc>,
    pub(super) end_date: Option<DateTime<Utc>>,
    pub(super) price: Option<Money>,
    pub(super) payments: Vec<PendingPayment>,
    /// Whether a date had more than milliseconds.
    pub(super) is_truncated: bool,
}

/// A lease of the predecessor is none of ours, so `processing` is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingPayment {
    pub(super) total_price: Money,
    pub(super) tries: i64,
    pub(super) finished: bool,
}

impl Record {
    /// Parses the lines of a consultation. Fails with a message about the first value that cannot be parsed.
    pub(super) fn of(lines: &[Row]) -> Result<Self, String> {
        let row = lines.first().ok_or("no row")?;
        let start = row.required("consultation.start_date", date)?;
        let end = row.optional("consultation.end_date", date)?;
        let to_milliseconds = |date: DateTime<Utc>| date.trunc_subsecs(3);
        let payments = lines.iter().filter_map(|row| PendingPayment::of(row).transpose());
        Ok(Self {
            id: row.required(ID, id)?,
            physician_id: row.required("consultation.physician_id", id)?,
            patient_id: row.required("consultation.patient_id", id)?,
            start_date: to_milliseconds(start),
            end_date: end.map(to_milliseconds),
            price: row.optional("consultation.price", str::parse)?,
            payments: payments.collect::<Result<_, _>>()?,
            is_truncated: to_milliseconds(start) != start || end.map(to_milliseconds) != end,
        })
    }
}

impl PendingPayment {
    /// `None` for a consultation without any.
    fn of(row: &Row) -> Result<Option<Self>, String> {
        if row.optional(PENDING_PAYMENT_ID, |_| Ok::<_, String>(()))?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            total_price: row.required("pending_payment.total_price", str::parse)?,
            tries: row.required("pending_payment.tries", tries)?,
            finished: row.required("pending_payment.finished", flag)?,
        }))
    }
}

/// An id with or without hyphens. The nil id stands for none.
fn id(text: &str) -> Result<Uuid, &'static str> {
    text.parse().ok().filter(|id: &Uuid| !id.is_nil()).ok_or("want a UUID")
}

/// A time in UTC, of PostgreSQL with its offset, of SQLite without.
fn date(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let text = text.strip_suffix("+00").unwrap_or(text);
    let date = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok();
    // A leap second has more nanoseconds than others, and is in no database.
    date.filter(|date| date.nanosecond() < 1_000_000_000).map(|date| date.and_utc()).ok_or("want a time in UTC")
}

fn tries(text: &str) -> Result<i64, &'static str> {
    text.parse().ok().filter(|tries| *tries >= 0).ok_or("want 0 or more")
}

/// PostgreSQL has words for it, SQLite numbers.
fn flag(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("want true or false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_either_database_writes_them() {
        let time = |text: &str| date(text).map(|date| date.to_rfc3339());
        for (text, expected) in [
            ("2021-08-02 12:00:00.123456+00", "2021-08-02T12:00:00.123456+00:00"),
            ("2021-08-02 12:00:00.123456", "2021-08-02T12:00:00.123456+00:00"),
            ("2021-08-02 12:00:00+00", "2021-08-02T12:00:00+00:00"),
            ("2021-08-02 12:00:00", "2021-08-02T12:00:00+00:00"),
        ] {
            assert_eq!(time(text).as_deref(), Ok(expected));
        }
        for text in
            ["", "infinity", "2021-08-02", "2021-08-02 12:00:60", "2021-08-02 12:00:00+01", "0044-03-15 12:00:00+00 BC"]
        {
            assert!(date(text).is_err(), "{text}");
        }
        let hyphens = "ea959b03-5577-45c9-b9f7-a45d3e77ce82";
        assert_eq!(id(&hyphens.replace('-', "")), id(hyphens));
        assert!(id("00000000000000000000000000000000").is_err() && id("17").is_err());
        assert_eq!([flag("true"), flag("1"), flag("false"), flag("0")], [Ok(true), Ok(true), Ok(false), Ok(false)]);
        assert!(flag("2").is_err() && tries("-1").is_err() && tries("1.5").is_err());
    }
}
