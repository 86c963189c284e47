//! A row of the source, whose values are parsed one by one.

use uuid::Uuid;

use crate::telemetry::one_line;

/// Characters of a value in a message.
const MAX_SHOWN: usize = 60;

/// Values by their columns.
#[derive(Clone, Debug)]
pub struct Row {
    columns: &'static [&'static str],
    values: Vec<Option<String>>,
}

impl Row {
    pub(super) fn new(columns: &'static [&'static str], values: Vec<Option<String>>) -> Self {
        Self { columns, values }
    }

    /// The first column: what rows of one group have in common.
    pub(super) fn key(&self) -> Option<&str> {
        self.values.first()?.as_deref()
    }

    /// The value of a column, for messages: in one line, and a UUID with its hyphens.
    #[must_use]
    pub fn shown(&self, column: &str) -> String {
        let value = self.value(column).unwrap_or("null");
        if let Ok(id) = value.parse::<Uuid>() {
            return id.to_string();
        }
        let is_long = value.chars().count() > MAX_SHOWN;
        let beginning: String = value.chars().take(MAX_SHOWN).collect();
        one_line(&if is_long { beginning + "…" } else { beginning })
    }

    /// Parses the value of a column.
    ///
    /// # Errors
    /// A message with column and value when it is null or `parse` refuses it.
    pub fn required<T, E: ToString>(
        &self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, String> {
        self.optional(column, parse)?.ok_or_else(|| format!("{column} is null"))
    }

    /// Parses the value of a column that may be null.
    ///
    /// # Errors
    /// A message with column and value when `parse` refuses it.
    pub fn optional<T, E: ToString>(
        &self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, String> {
        let parsed = self.value(column).map(parse).transpose();
        parsed.map_err(|error| format!("{column} is {}: {}", self.shown(column), error.to_string()))
    }

    /// The text of a column; `None` for null.
    fn value(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| *name == column)?;
        self.values.get(place)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_refused_is_shown_with_its_column_in_one_line_and_not_whole() {
        let long = "9".repeat(1_000);
        let id = "ea959b03557745c9b9f7a45d3e77ce82".to_owned();
        let row = Row::new(&["a", "b", "c", "d"], vec![Some("1\u{1b}[2J".to_owned()), None, Some(long), Some(id)]);
        let number = |text: &str| text.parse::<u8>();
        assert_eq!(
            row.required("a", number).expect_err("no number"),
            "a is 1\\u{1b}[2J: invalid digit found in string"
        );
        assert_eq!(row.required("b", number).expect_err("null"), "b is null");
        assert_eq!(row.optional("b", number), Ok(None));
        assert_eq!(row.shown("d"), "ea959b03-5577-45c9-b9f7-a45d3e77ce82");
        assert_eq!(row.shown("c"), format!("{}…", "9".repeat(MAX_SHOWN)));
    }
}
