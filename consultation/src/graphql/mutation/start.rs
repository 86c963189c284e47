//! Starting a consultation, now or at a date in the past.

use async_graphql::{Context, Result};
use chassis::graphql::not_written;
use chrono_tz::Tz;
use graphql_http::observer::Touched;

use super::{
    super::types::{
        InvalidInput, PatientInConsultation, StartConsultationError, StartConsultationInput, StartConsultationPayload,
    },
    user,
};
use crate::{
    end_date, messages,
    rules::{StartRefusal, Started},
    writers::Consultations,
};

/// Path of the `startDate` argument, for user errors.
const START_DATE: [&str; 2] = ["input", "startDate"];

pub(super) async fn start(ctx: &Context<'_>, input: StartConsultationInput) -> Result<StartConsultationPayload> {
    let StartConsultationInput { physician_id, patient_id, start_date } = input;
    let time_zone = *ctx.data_unchecked::<Tz>();
    let start_date = start_date.map(|start_date| end_date::at(start_date, time_zone, "startDate")).transpose();
    let start_date = match start_date {
        Ok(start_date) => start_date,
        Err(message) => return Ok(StartConsultationError::from(InvalidInput::new(&START_DATE, message)).into()),
    };
    let consultations = ctx.data_unchecked::<Consultations>();
    let started = consultations.start(physician_id.0, patient_id.0, start_date, user(ctx)).await;
    // The refusal shows another consultation.
    if let Ok(Err(StartRefusal::PatientInConsultation(in_progress))) = &started {
        Touched::by(ctx).add([in_progress.id]);
    }
    Ok(started.map_err(not_written)?.into())
}

impl From<Started> for StartConsultationPayload {
    fn from(started: Started) -> Self {
        let refusal: StartConsultationError = match started {
            Ok(consultation) => return Self { consultation: Some(consultation.into()), ..Self::default() },
            Err(StartRefusal::PatientInConsultation(in_progress)) => PatientInConsultation::new(*in_progress).into(),
            Err(StartRefusal::InvalidStartDate(rule)) => {
                InvalidInput::new(&START_DATE, messages::invalid_start_date(rule, "startDate")).into()
            }
        };
        refusal.into()
    }
}

impl From<StartConsultationError> for StartConsultationPayload {
    fn from(refusal: StartConsultationError) -> Self {
        Self { user_errors: vec![refusal], ..Self::default() }
    }
}
