//! Database roles of `docker/postgres/roles.sql`: limits of a service's own role, even if it is compromised.

use chassis::database::{
    Database,
    migrate::{self, LockWaits},
};
use entity::pending_payment;
use migration::{MigratorTrait, consultation::Migrator as Consultation, finance::Migrator as Finance};
use sea_orm::ConnectionTrait;
use testkit::{Backend, TestDatabase};

use crate::rows::{at, finished, insert, payment, pending};

async fn migrate<M: MigratorTrait>(db: &TestDatabase, role: &str) {
    migrate::run::<M>(&db.url_of_role(role), LockWaits::default()).await.expect("migrated");
}

async fn connect(db: &TestDatabase, role: &str) -> Database {
    Database::connect(&db.url_of_role(role)).await.expect("a database")
}

/// Both services' tables, each with its owner.
async fn migrated_by_owners() -> Option<TestDatabase> {
    let db = TestDatabase::empty(Backend::Postgres).await?;
    for _ in 0..2 {
        db.make_roles().await;
        migrate::<Consultation>(&db, "consultation_owner").await;
        migrate::<Finance>(&db, "finance_owner").await;
    }
    Some(db)
}

async fn cannot(role: &Database, statements: &[&str]) {
    for statement in statements {
        let refused = role.write.execute_unprepared(statement).await.expect_err(statement).to_string();
        let is_refused = ["must be owner", "permission denied", "not confirmed", "recorded payment"];
        assert!(is_refused.iter().any(|why| refused.contains(why)), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn the_role_of_consultation_works_with_rows_and_cannot_lift_what_protects_them() {
    let Some(db) = migrated_by_owners().await else { return };
    let role = connect(&db, "consultation").await;
    let consultation = insert(&role, finished()).await.expect("inserted");
    insert(&role, pending(consultation.id)).await.expect("inserted");
    cannot(
        &role,
        &[
            "ALTER TABLE pending_payment DISABLE TRIGGER USER",
            "DROP TRIGGER pending_payment_keep ON pending_payment",
            "CREATE OR REPLACE FUNCTION pending_payment_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
            "SET session_replication_role = replica",
            "SET ROLE consultation_owner",
            "DELETE FROM pending_payment",
            "TRUNCATE pending_payment",
            "TRUNCATE consultation CASCADE",
            "DROP TABLE pending_payment",
            "ALTER TABLE consultation RENAME TO mine",
            "CREATE TABLE consultation.mine (id integer)",
            "CREATE TABLE public.mine (id integer)",
            "CREATE SCHEMA mine",
            "SELECT * FROM finance.payment",
            "INSERT INTO finance.payment SELECT",
        ],
    )
    .await;
    let deliver = "UPDATE pending_payment SET finished = true, finished_at = statement_timestamp()";
    role.write.execute_unprepared(deliver).await.expect("delivered");
    role.write.execute_unprepared("DELETE FROM pending_payment").await.expect("as retention does");
}

#[tokio::test]
async fn the_role_of_finance_adds_payments_and_cannot_change_or_delete_one() {
    let Some(db) = migrated_by_owners().await else { return };
    let role = connect(&db, "finance").await;
    insert(&role, payment()).await.expect("inserted");
    cannot(
        &role,
        &[
            "UPDATE payment SET total_price_cents = 1",
            "DELETE FROM payment",
            "TRUNCATE payment",
            "ALTER TABLE payment DISABLE TRIGGER USER",
            "DROP TRIGGER payment_stay ON payment",
            "DROP TABLE payment",
            "SET ROLE finance_owner",
            "SELECT * FROM consultation.consultation",
            "DELETE FROM consultation.pending_payment",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_database_whose_tables_the_services_own_is_taken_over_by_owners() {
    let Some((db, roles)) =
        TestDatabase::empty(Backend::Postgres).await.zip(TestDatabase::empty(Backend::Postgres).await)
    else {
        return;
    };
    roles.make_roles().await;
    for schema in ["consultation", "finance"] {
        let create = format!("CREATE SCHEMA {schema} AUTHORIZATION {schema}");
        db.database.write.execute_unprepared(&create).await.expect("as it was");
    }
    migrate::<Consultation>(&db, "consultation").await;
    migrate::<Finance>(&db, "finance").await;
    let role = connect(&db, "consultation").await;
    let consultation = insert(&role, finished()).await.expect("inserted");
    role.write.execute_unprepared("ALTER TABLE pending_payment DISABLE TRIGGER USER").await.expect("it could");
    role.write.execute_unprepared("ALTER TABLE pending_payment ENABLE TRIGGER USER").await.expect("it could");

    db.make_roles().await;
    cannot(&role, &["ALTER TABLE pending_payment DISABLE TRIGGER USER", "TRUNCATE pending_payment"]).await;
    migrate::<Consultation>(&db, "consultation_owner").await;
    let row = pending_payment::Model { finished: true, finished_at: Some(at("13:00:01")), ..pending(consultation.id) };
    insert(&role, row).await.expect("it goes on");
}

#[tokio::test]
async fn one_role_leaves_connections_to_the_others() {
    let Some(db) = migrated_by_owners().await else { return };
    let limits = "DO $$ BEGIN
        ASSERT (SELECT sum(rolconnlimit) FROM pg_roles WHERE rolname ~ '^(consultation|finance)') <= 97;
        ASSERT (SELECT min(rolconnlimit) FROM pg_roles WHERE rolname ~ '^(consultation|finance)') > 0;
    END $$";
    db.database.write.execute_unprepared(limits).await.expect("each has a limit, and all together fit");
}
