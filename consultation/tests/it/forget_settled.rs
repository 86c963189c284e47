//! Forgetting a patient whose payments were settled: the reasons go as well, and nothing else of the settlements.

use consultation::{
    forget::forget,
    outbox::store::{self, Lost},
};
use entity::{Money, consultation::Entity as Consultations, pending_payment::Model, redelivery};
use rstest::rstest;
use sea_orm::EntityTrait;
use testkit::Backend;
use uuid::Uuid;

use crate::{
    export::consultations_of,
    pending::{in_order, park},
};

#[rstest]
#[tokio::test]
async fn a_settled_payment_is_forgotten_with_its_reason(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let patient = Uuid::new_v4();
    let Some(db) = consultations_of(patient, 3, backend).await else { return };
    park(&db, in_order(&db).await.iter().map(|row| row.id), "refused").await;
    let consultations = Consultations::find().all(&db.database.read).await.expect("rows");
    let (theirs, others): (Vec<_>, Vec<_>) = consultations.iter().partition(|row| row.patient_id == patient);
    let reason = format!("Maria, {patient}, agreed");
    // The third of the patient's stays parked.
    for settled in theirs[..2].iter().chain(&others) {
        let settled =
            store::settle(&db.database.write, settled.id, Money::ZERO, &reason, "ana").await.expect("an answer");
        assert!(settled.is_some_and(|row| row.settle_reason.as_deref() == Some(&reason)));
    }
    // What is on its way again after a restore of finance is not finished, and keeps its settlement.
    let lost = Lost { consultation: theirs[0].id, price: Money::MAX, redeliveries: Some(0) };
    assert_eq!(store::redeliver(&db.database, &[lost], "ana").await.expect("sent again"), [theirs[0].id]);
    let before = in_order(&db).await;

    assert_eq!(forget(&db.database, patient, true).await.expect("forgotten"), 3);
    for (row, before) in in_order(&db).await.into_iter().zip(before) {
        let is_theirs = theirs.iter().any(|consultation| consultation.id == before.appointment_id);
        let forgotten = before.settle_reason.clone().filter(|_| is_theirs).map(|_| "forgotten".to_owned());
        let settle_reason = forgotten.or(before.settle_reason.clone());
        assert_eq!(row, Model { settle_reason, ..before });
    }
    let again = redelivery::Entity::find().one(&db.database.read).await.expect("a row").expect("one");
    assert_eq!((again.settle_reason.as_deref(), again.settled_by.as_deref()), (Some("forgotten"), Some("ana")));
}
