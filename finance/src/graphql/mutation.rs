//! Recording payments.

use std::sync::Arc;

use async_graphql::{
    Context, Object, Positioned, Result, VisitorContext,
    parser::types::{Field, VariableDefinition},
};
use chassis::{
    audit,
    database::{is_about_rows, is_unavailable},
    graphql::not_written,
    write_coalescer::{WriteCoalescer, WriteError},
};
use entity::{Currency, Money, payment::Model as Payment};
use graphql_http::{
    Caller,
    complexity::{argument, list_cost},
    observer::Touched,
};
use sea_orm::DbErr;

use super::types::{
    InvalidInput, PaymentConflict, RecordPaymentError, RecordPaymentInput, RecordPaymentPayload, RecordPaymentsError,
    RecordPaymentsInput, RecordPaymentsPayload, WrongCurrency, WrongInstance,
};
use crate::{
    messages::{MESSAGES, invalid_amount},
    rules::Recorded,
    store,
    writer::{Record, RecordWriter},
};

/// Payments in one request.
const MAX_PAYMENTS: usize = 100;

#[derive(Debug)]
pub struct Mutation;

/// Recording payments.
// `Option<Result<T>>`, not the other way round: a fault then nulls its own field, not those beside it.
#[Object]
impl Mutation {
    /// Records the payment of an appointment. Idempotent: the same amount again returns the stored payment. Another amount
    /// is refused.
    async fn record_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment.")] input: RecordPaymentInput,
    ) -> Option<Result<RecordPaymentPayload>> {
        Some(record(ctx, input).await)
    }

    /// Records 1 to 100 payments, each by itself: a refusal does not affect the others.
    #[graphql(complexity = "cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn record_payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payments.")] input: RecordPaymentsInput,
    ) -> Option<Result<RecordPaymentsPayload>> {
        Some(record_all(ctx, input).await)
    }
}

/// Complexity of the results of a list of payments.
fn cost(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    child_complexity: usize,
) -> usize {
    let input = argument::<RecordPaymentsInput>(ctx, variables, field, "input");
    // A longer list is refused as a whole, with one result.
    list_cost(input.map_or(1, |input| input.payments.len().min(MAX_PAYMENTS)), child_complexity)
}

async fn record_all(ctx: &Context<'_>, input: RecordPaymentsInput) -> Result<RecordPaymentsPayload> {
    if let Some(refusal) = refuse_all(ctx, &input).await? {
        return Ok(RecordPaymentsPayload { user_errors: vec![refusal], ..RecordPaymentsPayload::default() });
    }
    let path = |index: usize| ["input".to_owned(), "payments".to_owned(), index.to_string(), "totalPrice".to_owned()];
    let by = user(ctx);
    let checked = input.payments.iter().enumerate().map(|(index, payment)| check(payment, &path(index), &by));
    let checked: Vec<_> = checked.collect();
    let valid = checked.iter().filter_map(|row| row.as_ref().ok().cloned()).collect();
    let mut recorded = writer(ctx).write_all(valid).await.map_err(not_written)?;
    if recorded.len() == checked.len() && recorded.iter().all(is_without_database) {
        // A failure of the field, so that the HTTP status shows it too.
        recorded.pop().transpose().map_err(not_written)?;
    }
    touch(ctx, recorded.iter().filter_map(|recorded| recorded.as_ref().ok()));
    let mut recorded = recorded.into_iter();
    let results = checked.into_iter().enumerate().map(|(index, row)| match row {
        Err(invalid) => Some(Ok(refused(invalid))),
        // The writer returns one result for each valid row.
        Ok(_) => Some(recorded.next()?.map_err(not_written).map(|recorded| payload(recorded, &path(index)))),
    });
    Ok(RecordPaymentsPayload { results: results.collect(), ..RecordPaymentsPayload::default() })
}

/// Whether the database is away. A lock on one payment is no outage: others may be recorded meanwhile.
fn is_without_database(recorded: &std::result::Result<Recorded, WriteError<DbErr>>) -> bool {
    matches!(recorded, Err(WriteError::Failed(error)) if is_unavailable(error) && !is_about_rows(error))
}

/// Returns the refusal of the list as a whole.
async fn refuse_all(ctx: &Context<'_>, input: &RecordPaymentsInput) -> Result<Option<RecordPaymentsError>> {
    if !(1..=MAX_PAYMENTS).contains(&input.payments.len()) {
        let message = MESSAGES.text("number-of-payments", &[("maximum", &MAX_PAYMENTS)]);
        let error = InvalidInput::new(&["input", "payments"], message);
        return Ok(Some(RecordPaymentsError::InvalidInput(error)));
    }
    let own = *ctx.data_unchecked::<Currency>();
    if input.currency.as_ref().is_some_and(|currency| currency != own.code()) {
        return Ok(Some(RecordPaymentsError::WrongCurrency(WrongCurrency::new(own))));
    }
    let Some(expected) = &input.instance_id else { return Ok(None) };
    let instance_id = store::instance_id(ctx.data_unchecked()).await?;
    let is_other = expected.0 != instance_id;
    Ok(is_other.then(|| RecordPaymentsError::WrongInstance(WrongInstance::new(expected.0, instance_id))))
}

async fn record(ctx: &Context<'_>, input: RecordPaymentInput) -> Result<RecordPaymentPayload> {
    let path = ["input".to_owned(), "totalPrice".to_owned()];
    match check(&input, &path, &user(ctx)) {
        Err(invalid) => Ok(refused(invalid)),
        Ok(row) => {
            let recorded = writer(ctx).write(row).await.map_err(not_written)?;
            touch(ctx, [&recorded]);
            Ok(payload(recorded, &path))
        }
    }
}

/// A payment that was there before is shown, whoever recorded it.
fn touch<'a>(ctx: &Context<'_>, recorded: impl IntoIterator<Item = &'a Recorded>) {
    let mut shown = recorded.into_iter().filter_map(Recorded::stored_before).peekable();
    if shown.peek().is_some() {
        Touched::by(ctx).add(shown.map(|payment| payment.appointment_id));
    }
}

fn user(ctx: &Context<'_>) -> Arc<str> {
    audit::user(ctx.data_unchecked::<Caller>())
}

fn writer<'a>(ctx: &Context<'a>) -> &'a WriteCoalescer<RecordWriter> {
    ctx.data_unchecked()
}

/// Returns the row to write, or its refusal.
fn check(input: &RecordPaymentInput, path: &[String], by: &Arc<str>) -> std::result::Result<Record, InvalidInput> {
    let total_price = Money::try_from(input.total_price.0);
    let total_price = total_price.map_err(|error| InvalidInput::new(path, invalid_amount(error, "totalPrice")))?;
    Ok(Record::new(input.appointment_id.0, total_price, Arc::clone(by)))
}

fn refused(invalid: InvalidInput) -> RecordPaymentPayload {
    RecordPaymentPayload::refused(RecordPaymentError::InvalidInput(invalid))
}

fn payload(recorded: Recorded, path: &[String]) -> RecordPaymentPayload {
    let stored =
        |payment: Payment| RecordPaymentPayload { payment: Some(payment.into()), ..RecordPaymentPayload::default() };
    match recorded {
        Recorded::New(payment) => stored(payment),
        Recorded::Already(payment) => RecordPaymentPayload { already_recorded: true, ..stored(payment) },
        Recorded::Conflict(payment) => {
            RecordPaymentPayload::refused(RecordPaymentError::PaymentConflict(PaymentConflict::new(path, payment)))
        }
    }
}

impl RecordPaymentPayload {
    fn refused(error: RecordPaymentError) -> Self {
        Self { user_errors: vec![error], ..Self::default() }
    }
}
