//! The REST endpoints of the predecessor, so that its clients go on working. They use the same domain functions.

use async_graphql::{ScalarType, Value};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    routing::{post, put},
};
use chassis::rest::{Fields, Refused, openapi};
use chrono::Utc;
use chrono_tz::Tz;
use entity::consultation::Model;
use graphql_http::scalars::DateTime;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    end_date,
    messages::{self, MESSAGES},
    permissions::PERMISSIONS,
    rules::{FinishRefusal, StartRefusal},
    writers::Consultations,
};

/// A consultation in the predecessor's words. Dates are local times of the clinic, without fraction.
#[derive(Debug, Serialize)]
struct Consultation {
    id: Uuid,
    start_date: String,
    end_date: Option<String>,
    physician_id: Uuid,
    patient_id: Uuid,
    /// A number, with its two decimals.
    price: Option<Box<RawValue>>,
}

#[derive(Clone, Debug)]
struct Service {
    consultations: Consultations,
    time_zone: Tz,
}

type Reply = Result<(StatusCode, Json<Consultation>), Refused>;

/// `/app/consultation/start`, `/app/consultation/finish`, with a slash at the end or without, and `/openapi.json`.
pub(crate) fn router(consultations: Consultations, time_zone: Tz) -> Router {
    let (start, finish) = (post(start), put(finish));
    Router::new()
        .route("/app/consultation/start/", start.clone())
        .route("/app/consultation/start", start)
        .route("/app/consultation/finish/", finish.clone())
        .route("/app/consultation/finish", finish)
        .with_state(Service { consultations, time_zone })
        .merge(openapi(include_str!("../openapi.json")))
}

async fn start(State(service): State<Service>, request: Request) -> Reply {
    let fields = Fields::read(request, &PERMISSIONS, "startConsultation").await?;
    let (physician_id, patient_id) = (fields.uuid("physician_id")?, fields.uuid("patient_id")?);
    let started = service.consultations.start(physician_id, patient_id, None, fields.user()).await;
    match started.map_err(|error| fields.not_written(&error))? {
        Ok(consultation) => Ok((StatusCode::CREATED, Json(service.show(&consultation)))),
        Err(StartRefusal::PatientInConsultation(in_progress)) => {
            fields.shown(in_progress.id);
            Err(Refused::because(MESSAGES.text("patient-in-consultation", &[("consultation", &in_progress.id)])))
        }
        Err(StartRefusal::InvalidStartDate(rule)) => {
            Err(Refused::because(messages::invalid_start_date(rule, "start_date")))
        }
    }
}

async fn finish(State(service): State<Service>, request: Request) -> Reply {
    let fields = Fields::read(request, &PERMISSIONS, "finishConsultation").await?;
    let id = fields.uuid("consultation_id")?;
    let end_date = fields.text("end_date")?.map(|text| service.end_date(text)).transpose()?;
    let finished = service.consultations.finish(id, end_date, fields.user()).await;
    match finished.map_err(|error| fields.not_written(&error))? {
        Ok(consultation) => Ok((StatusCode::ACCEPTED, Json(service.show(&consultation)))),
        Err(refusal) => Err(Refused::because(match refusal {
            FinishRefusal::NotFound => MESSAGES.text("consultation-not-found", &[]),
            FinishRefusal::AlreadyFinished(_) => MESSAGES.text("consultation-already-finished", &[]),
            FinishRefusal::Cancelled(_) => MESSAGES.text("consultation-cancelled", &[]),
            FinishRefusal::InvalidEndDate(rule) => messages::invalid_end_date(rule, "end_date"),
        })),
    }
}

impl Service {
    fn end_date(&self, text: String) -> Result<chrono::DateTime<Utc>, Refused> {
        let end_date = DateTime::parse(Value::String(text))
            .map_err(|_| Refused::because(MESSAGES.text("not-a-date", &[("argument", &"end_date")])))?;
        end_date::at(end_date, self.time_zone, "end_date").map_err(Refused::because)
    }

    fn show(&self, consultation: &Model) -> Consultation {
        let local =
            |time: chrono::DateTime<Utc>| time.with_timezone(&self.time_zone).format("%Y-%m-%dT%H:%M:%S").to_string();
        Consultation {
            id: consultation.id,
            start_date: local(consultation.start_date),
            end_date: consultation.end_date.map(local),
            physician_id: consultation.physician_id,
            patient_id: consultation.patient_id,
            price: consultation.price_cents.and_then(|price| RawValue::from_string(price.to_string()).ok()),
        }
    }
}
