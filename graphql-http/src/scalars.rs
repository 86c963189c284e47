//! Scalars that say exactly what they accept. Literals and variables are checked during validation, so
//! that a bad one is refused before anything runs, with the path of the argument.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as ChronoDateTime, Datelike, FixedOffset, NaiveDateTime, SecondsFormat, Utc};

use crate::clock::to_milliseconds;

/// No amount and no hours need more; longer ones only cost time.
const MAX_DECIMAL_LENGTH: usize = 29;

/// A date and time. Going out it is UTC with three fraction digits, as in `2021-08-02T15:00:00.000Z`.
/// Coming in it is RFC 3339 with any offset and fraction, of which three digits are kept; where a
/// field says so, the offset may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateTime {
    /// A point in time.
    Utc(ChronoDateTime<Utc>),
    /// What a clock on the wall shows, somewhere.
    Local(NaiveDateTime),
}

/// What each scalar accepts, for whoever sent something else.
pub(super) const WANTED: [(&str, &str); 3] = [("DateTime", A_DATE), ("Decimal", A_DECIMAL), ("UUID", A_UUID)];
const A_DATE: &str = "a string with a date and time like \"2021-08-02T12:00:00-03:00\", from year 0 to 9999";
const A_DECIMAL: &str = "a decimal as a string, like \"216.00\"";
const A_UUID: &str = "a string with a UUID, like \"ea959b03-5577-45c9-b9f7-a45d3e77ce82\"";

/// A date and time to the second, `d` for a digit. chrono alone would take single digits and blanks, too.
const DATE_AND_TIME: &str = "dddd-dd-ddTdd:dd:dd";
const WITHOUT_SECONDS: &str = "dddd-dd-ddTdd:dd";

impl DateTime {
    fn parse_text(text: &str) -> Option<Self> {
        if has_shape(text, WITHOUT_SECONDS) {
            return Self::parse_text(&format!("{text}:00"));
        }
        let (to_the_second, _) = text.split_at_checked(DATE_AND_TIME.len())?;
        // A leap second could be stored, but most programs cannot read it back.
        if !has_shape(to_the_second, DATE_AND_TIME) || to_the_second.ends_with("60") {
            return None;
        }
        let time = match ChronoDateTime::<FixedOffset>::parse_from_rfc3339(text) {
            Ok(time) => Self::Utc(to_milliseconds(time.to_utc())),
            Err(_) => Self::Local(NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?),
        };
        let year = match time {
            Self::Utc(time) => time.year(),
            Self::Local(time) => time.year(),
        };
        (0..=9999).contains(&year).then_some(time)
    }
}

impl From<ChronoDateTime<Utc>> for DateTime {
    fn from(time: ChronoDateTime<Utc>) -> Self {
        Self::Utc(time)
    }
}

#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
/// A date and time. Going out it is UTC with three fraction digits: "2021-08-02T15:00:00.000Z".
/// Coming in it is RFC 3339 with any offset, without leap seconds; where a field says so, the offset may be left out, and
/// then the seconds too.
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_string(value, Self::parse_text, A_DATE)
    }

    fn is_valid(value: &Value) -> bool {
        is_string(value, Self::parse_text)
    }

    fn to_value(&self) -> Value {
        Value::String(match self {
            Self::Utc(time) => time.to_rfc3339_opts(SecondsFormat::Millis, true),
            Self::Local(time) => time.to_string(),
        })
    }
}

/// An exact decimal, as text: JSON numbers are binary floats in many clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub rust_decimal::Decimal);

impl Decimal {
    /// Plain digits with an optional sign and fraction; no exponent, no separators, no blanks.
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
/// An exact decimal as a string of plain digits: "216.00". Never a JSON number, which is a binary float
/// in many clients, and never an exponent.
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_string(value, Self::parse_text, A_DECIMAL)
    }

    fn is_valid(value: &Value) -> bool {
        is_string(value, Self::parse_text)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A UUID. Unlike async-graphql's own, a malformed one already fails validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid(pub uuid::Uuid);

#[Scalar(name = "UUID", specified_by_url = "https://www.rfc-editor.org/rfc/rfc9562")]
/// A UUID: "ea959b03-5577-45c9-b9f7-a45d3e77ce82".
impl ScalarType for Uuid {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_string(value, |text| text.parse().ok().map(Self), A_UUID)
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

fn has_shape(text: &str, shape: &str) -> bool {
    let matches = |(byte, wanted): (u8, u8)| match wanted {
        b'd' => byte.is_ascii_digit(),
        _ => byte.eq_ignore_ascii_case(&wanted),
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(matches)
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

    #[test]
    fn dates_keep_milliseconds_and_may_lack_an_offset() {
        let shown = |text| DateTime::parse_text(text).map(|time| time.to_value().to_string());
        assert_eq!(shown("2021-08-02T12:00:00-03:00").as_deref(), Some("\"2021-08-02T15:00:00.000Z\""));
        assert_eq!(shown("2021-08-02T12:00:00.1239Z").as_deref(), Some("\"2021-08-02T12:00:00.123Z\""));
        for local in ["2021-08-02T12:00:00", "2021-08-02T12:00"] {
            let noon = "2021-08-02T12:00:00".parse().expect("a local time");
            assert_eq!(DateTime::parse_text(local), Some(DateTime::Local(noon)), "{local}");
        }
        for text in
            ["", "2021-08-02", "2021-13-02T12:00:00Z", "12:00", "9999-12-31T23:59:59-12:00", "+10000-01-01T00:00:00Z"]
        {
            assert_eq!(DateTime::parse_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_is_rfc_3339_to_the_letter() {
        for text in ["2021-08-02t12:00:00z", "2021-08-02T12:00:00.123456789012Z", "2021-08-02T12:00:00+23:59"] {
            assert!(matches!(DateTime::parse_text(text), Some(DateTime::Utc(_))), "{text}");
        }
        let refused = [
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60",
            "2021-8-2T1:2:3",
            "2021-08-02T1:02:03Z",
            "2021-08-02 12:00:00Z",
            " 2021-08-02T12:00:00Z",
            "2021-08-02T12:00:00Z ",
            "2021-08-02T12:00:00 Z",
            "2021-08-02T12:00:00 -03:00",
            "2021-08-02T12:00:00-0300",
            "2021-08-02T12:00:00-03",
            "2021-08-02T12:00:00.Z",
            "2021-08-02T12:00:00.",
            "2021-08-02T12:00Z",
            "2021-08-02T12",
            "2021-08-02T24:00:00",
            "2021-08-02T12:00:00,5",
            "+021-08-02T12:00:00",
            "２021-08-02T12:00:00",
        ];
        for text in refused {
            assert_eq!(DateTime::parse_text(text), None, "{text}");
        }
    }
}
