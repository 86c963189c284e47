//! Texts for people, in English and Portuguese.

use std::sync::LazyLock;

use chassis::language::Messages;
use entity::{Money, MoneyError};

pub(crate) static MESSAGES: LazyLock<Messages> =
    LazyLock::new(|| Messages::new(include_str!("messages/en.ftl"), include_str!("messages/pt-BR.ftl")));

/// Explains the refusal of an amount to a person who calls it `argument`.
pub(crate) fn invalid_amount(refusal: MoneyError, argument: &str) -> String {
    let message = match refusal {
        MoneyError::Negative => "negative",
        MoneyError::TooLarge => "too-large",
        MoneyError::TooPrecise => "too-precise",
    };
    MESSAGES.text(message, &[("argument", &argument), ("maximum", &Money::MAX)])
}
