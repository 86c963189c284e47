//! The codes of refusals as an enum: an entry each.

use super::{PaymentConflict, WrongCurrency, WrongInstance};

graphql_http::user_error_codes! {
    /// The appointment is recorded with another amount.
    PaymentConflict,
    /// This finance is another instance than the caller expects.
    WrongInstance,
    /// The amounts are in another currency than those of this finance.
    WrongCurrency,
}

#[cfg(test)]
mod tests {
    use async_graphql::Object;
    use entity::{Money, payment::Model};
    use uuid::Uuid;

    use super::{super::UserError, *};

    struct Query;

    #[Object]
    impl Query {
        async fn refusals(&self) -> Vec<UserError> {
            let (id, recorded_at) = (Uuid::nil(), chrono::DateTime::default());
            let stored =
                Model { id, appointment_id: id, total_price_cents: Money::ZERO, recorded_at, recorded_by: None };
            vec![
                PaymentConflict::new(&[], stored).into(),
                WrongInstance::new(id, id).into(),
                WrongCurrency::new("BRL".parse().expect("a currency")).into(),
                InvalidInput::new(&["input"], "").into(),
            ]
        }
    }

    #[tokio::test]
    async fn the_code_of_each_refusal_is_the_name_of_its_enum_value() {
        testkit::assert_codes_are_names(Query).await;
    }
}
