//! The console's tables: bounded, and whatever finance says is a text.

use axum::http::Method;
use entity::pending_payment::{self, Column};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, prelude::DateTimeUtc, sea_query::Expr};
use testkit::Backend;

use crate::{
    console::{Page, parked},
    outbox::{outbox, row},
    pending::{in_order, park},
    running::start_service,
};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

#[rstest]
#[tokio::test]
async fn a_hostile_error_is_a_text_and_a_long_one_is_cut(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let error = format!("\u{202e}{HOSTILE}{}END", "x".repeat(400));
    let Some((db, service)) = parked(backend, 1, &error).await else { return };
    let reader = service.client.as_user("reader");
    let overview = Page::get(&reader, "").await.text;
    let detail = Page::get(&reader, &format!("/payments/{}", row(&db).await.appointment_id)).await.text;
    for text in [&overview, &detail] {
        assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;") && !text.contains("<img"), "{text}");
        assert!(!text.contains('\u{202e}'), "it turns the writing direction");
    }
    assert!(overview.contains("x…") && !overview.contains("xEND") && detail.contains("xEND"));
}

#[rstest]
#[tokio::test]
async fn tables_are_bounded_and_say_so(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 70).await else { return };
    let rows = in_order(&db).await;
    park(&db, rows.iter().map(|row| row.id), "refused").await;
    // Refused, so that they are due later: the service's relay would hold others for a moment.
    let waiting = pending_payment::Entity::update_many()
        .col_expr(Column::ParkedAt, Expr::value(Option::<DateTimeUtc>::None))
        .filter(Column::Id.is_in(rows[30..].iter().map(|row| row.id)));
    waiting.exec(&db.database.write).await.expect("they wait");
    let page = Page::get(&start_service(&db).client, "").await.text;
    assert_eq!(page.matches("<tr role=\"row\"><th scope=\"row\"").count(), 50);
    assert!(page.contains("30 in all") && page.contains("Parked payments need a decision: 30"), "{page}");
    assert!(page.contains(&format!("parked-{}", rows[0].appointment_id)), "the oldest comes first");
}

#[tokio::test]
async fn amounts_have_the_decimal_sign_of_the_language() {
    let Some((db, service)) = parked(Backend::Sqlite, 1, "refused").await else { return };
    let detail = format!("/console/payments/{}", row(&db).await.appointment_id);
    for (language, amount) in [("en", "999999999.99"), ("pt-BR", "999999999,99")] {
        for path in ["/console", &detail] {
            let request = service.client.as_user("reader").request(Method::GET, path);
            let page = Page::of(request.header("accept-language", language)).await.text;
            assert!(page.contains(amount), "{path} in {language}: {page}");
        }
    }
}
