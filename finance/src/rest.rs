//! The REST endpoint of the predecessor, so that its clients go on working. It uses the same domain functions.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    routing::post,
};
use chassis::{
    rest::{Fields, Refused, openapi},
    write_coalescer::WriteCoalescer,
};
use entity::{Money, payment::Model};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    messages::{MESSAGES, invalid_amount},
    permissions::PERMISSIONS,
    rules::Recorded,
    writer::{Record, RecordWriter},
};

/// A payment in the predecessor's words.
#[derive(Debug, Serialize)]
struct Payment {
    id: Uuid,
    appointment_id: Uuid,
    /// A number, with its two decimals.
    total_price: Box<RawValue>,
}

/// `/app/finance/record`, with a slash at the end or without, and `/openapi.json`.
pub(crate) fn router(writer: WriteCoalescer<RecordWriter>) -> Router {
    let record = post(record);
    Router::new()
        .route("/app/finance/record/", record.clone())
        .route("/app/finance/record", record)
        .with_state(writer)
        .merge(openapi(include_str!("../openapi.json")))
}

async fn record(
    State(writer): State<WriteCoalescer<RecordWriter>>,
    request: Request,
) -> Result<(StatusCode, Json<Payment>), Refused> {
    let fields = Fields::read(request, &PERMISSIONS, "recordPayment").await?;
    let appointment_id = fields.uuid("appointment_id")?;
    let total_price = Money::try_from(fields.decimal("total_price")?)
        .map_err(|refusal| Refused::because(invalid_amount(refusal, "total_price")))?;
    let recorded = writer.write(Record::new(appointment_id, total_price, fields.user())).await;
    let recorded = recorded.map_err(|error| fields.not_written(&error))?;
    if let Some(payment) = recorded.stored_before() {
        fields.shown(payment.appointment_id);
    }
    match recorded {
        Recorded::New(payment) => Ok((StatusCode::CREATED, Json(show(&payment)))),
        Recorded::Already(payment) => Ok((StatusCode::ALREADY_REPORTED, Json(show(&payment)))),
        Recorded::Conflict(payment) => {
            Err(Refused::because(MESSAGES.text("payment-conflict", &[("amount", &payment.total_price_cents)])))
        }
    }
}

fn show(payment: &Model) -> Payment {
    Payment {
        id: payment.id,
        appointment_id: payment.appointment_id,
        total_price: RawValue::from_string(payment.total_price_cents.to_string()).expect("an amount is a JSON number"),
    }
}
