//! Scalars with an exact format. Literals and variables are checked during validation: a malformed value is refused
//! before anything runs, with the path of its argument.

mod date_time;

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

pub use date_time::DateTime;

/// Characters of a decimal. Longer ones only take time.
const MAX_DECIMAL_LENGTH: usize = 29;

/// The format of each scalar, for refusals.
pub(crate) const FORMATS: [(&str, &str); 3] =
    [("DateTime", date_time::FORMAT), ("Decimal", DECIMAL_FORMAT), ("UUID", UUID_FORMAT)];
const DECIMAL_FORMAT: &str = "a decimal as a string, like \"216.00\"";
const UUID_FORMAT: &str = "a string with a UUID, like \"ea959b03-5577-45c9-b9f7-a45d3e77ce82\"";

/// An exact decimal, as text: many clients read JSON numbers as binary floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub rust_decimal::Decimal);

impl Decimal {
    /// Parses plain digits with an optional sign and fraction: no exponent, separators or blanks.
    fn parse_text(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if text.len() > MAX_DECIMAL_LENGTH || !digits(whole) || !digits(fraction) {
            return None;
        }
        rust_decimal::Decimal::from_str_exact(text).ok().map(Self)
    }
}

#[Scalar]
/// An exact decimal as a string of plain digits, at most 29 characters: "216.00". Never a JSON number, which many
/// clients read as a binary float, and never with an exponent.
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_string(value, Self::parse_text, DECIMAL_FORMAT)
    }

    fn is_valid(value: &Value) -> bool {
        is_string(value, Self::parse_text)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A UUID. Unlike with async-graphql's own, a malformed one fails validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid(pub uuid::Uuid);

#[Scalar(name = "UUID", specified_by_url = "https://www.rfc-editor.org/rfc/rfc9562")]
/// A UUID: "ea959b03-5577-45c9-b9f7-a45d3e77ce82".
impl ScalarType for Uuid {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_string(value, |text| text.parse().ok().map(Self), UUID_FORMAT)
    }

    fn is_valid(value: &Value) -> bool {
        is_string(value, |text| text.parse::<uuid::Uuid>().ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

fn parse_string<T: async_graphql::InputType>(
    value: Value,
    parse: impl Fn(&str) -> Option<T>,
    wanted: &str,
) -> InputValueResult<T> {
    match &value {
        Value::String(text) => parse(text).ok_or_else(|| InputValueError::custom(format!("want {wanted}"))),
        _ => Err(InputValueError::expected_type(value)),
    }
}

fn is_string<T>(value: &Value, parse: impl Fn(&str) -> Option<T>) -> bool {
    matches!(value, Value::String(text) if parse(text).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_plain_digits() {
        for text in ["0", "-0.01", "1.005", "216.00", "999999999.99", "1000000000"] {
            assert!(Decimal::parse_text(text).is_some_and(|decimal| decimal.0.to_string() == text), "{text}");
        }
        let refused =
            ["", "10,50", "NaN", "1e400", "Infinity", " 1", "1 ", ".5", "5.", "+1", "1_0", "0x1F", "--1", "-"];
        for text in refused.into_iter().chain(["9".repeat(30).as_str()]) {
            assert_eq!(Decimal::parse_text(text), None, "{text}");
        }
    }
}
