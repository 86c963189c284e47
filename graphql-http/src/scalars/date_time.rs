//! Dates and times in RFC 3339, stricter than chrono's parser.

use async_graphql::{InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as ChronoDateTime, Datelike, FixedOffset, NaiveDateTime, SecondsFormat, SubsecRound, Utc};

use super::{is_string, parse_string};

pub(super) const FORMAT: &str = "a string with a date and time like \"2021-08-02T12:00:00-03:00\", from year 0 to 9999";

/// Date and time to the second, `d` for a digit: chrono alone would accept single digits and blanks.
const DATE_AND_TIME: &str = "dddd-dd-ddTdd:dd:dd";
const WITHOUT_SECONDS: &str = "dddd-dd-ddTdd:dd";

/// A date and time. Output is UTC with three fraction digits, as in `2021-08-02T15:00:00.000Z`. Input is RFC 3339 with
/// any offset and fraction, of which three digits are kept; fields may allow to omit the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateTime {
    /// A point in time.
    Utc(ChronoDateTime<Utc>),
    /// A local time without an offset.
    Local(NaiveDateTime),
}

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
            Ok(time) => Self::Utc(time.to_utc().trunc_subsecs(3)),
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
/// A date and time. Output is UTC with three fraction digits: "2021-08-02T15:00:00.000Z". Input is RFC 3339 with any
/// offset, years 0 to 9999, without leap seconds. Where a field allows it, the offset may be omitted, and then the
/// seconds too.
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_string(value, Self::parse_text, FORMAT)
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

fn has_shape(text: &str, shape: &str) -> bool {
    let matches = |(byte, wanted): (u8, u8)| match wanted {
        b'd' => byte.is_ascii_digit(),
        _ => byte.eq_ignore_ascii_case(&wanted),
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

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
