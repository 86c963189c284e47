//! The states of a pending payment, for people: in the API and in `pending`.

use std::fmt::{self, Display, Formatter};

use clap::ValueEnum;
use entity::pending_payment::{Column, Entity as PendingPayments, Model as PendingPayment};
use sea_orm::{ColumnTrait, EntityTrait, IntoSimpleExpr, QueryFilter, Select, sea_query::ExprTrait};
use serde::Serialize;

/// Progress of the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// It waits for its next send.
    Pending,
    /// It is being sent.
    Processing,
    /// Finance has refused it; it is sent again after pauses of up to an hour.
    Parked,
    /// Finance has confirmed it.
    #[value(skip)]
    Finished,
}

impl State {
    /// The state of a row.
    #[must_use]
    pub fn of(row: &PendingPayment) -> Self {
        match row {
            row if row.finished => Self::Finished,
            row if row.processing => Self::Processing,
            row if row.parked_at.is_some() => Self::Parked,
            _ => Self::Pending,
        }
    }

    /// The rows in this state.
    #[must_use]
    pub fn rows(self) -> Select<PendingPayments> {
        let waiting = || undelivered().filter(Column::Processing.eq(false));
        match self {
            Self::Finished => PendingPayments::find().filter(Column::Finished.into_simple_expr()),
            Self::Processing => undelivered().filter(Column::Processing.eq(true)),
            Self::Parked => waiting().filter(Column::ParkedAt.is_not_null()),
            Self::Pending => waiting().filter(Column::ParkedAt.is_null()),
        }
    }
}

/// The rows that are not delivered. It is the condition of the index of due rows.
#[must_use]
pub fn undelivered() -> Select<PendingPayments> {
    PendingPayments::find().filter(Column::Finished.into_simple_expr().not())
}

impl Display for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Parked => "parked",
            Self::Finished => "finished",
        })
    }
}
