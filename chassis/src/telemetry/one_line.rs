//! Event fields as single-line text: line breaks and control characters are escaped. Foreign text could otherwise forge
//! log lines, hide some, or steer a terminal. JSON escapes by itself.

use std::fmt::Write;

use tracing_subscriber::{field::MakeExt, fmt::FormatFields, fmt::format};

/// Formats the fields of events and spans, message first.
pub(super) fn fields() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    let fields = format::debug_fn(|writer, field, value| {
        let value = one_line(&format!("{value:?}"));
        match field.name() {
            "message" => write!(writer, "{value}"),
            name => write!(writer, "{name}={value}"),
        }
    });
    fields.delimited(" ")
}

/// Escapes control characters as Rust's string literals do, and characters that break a line or change its direction.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmless(character) {
            line.push(character);
        } else {
            // Writing to a String is infallible.
            let _ = write!(line, "{}", character.escape_default());
        }
    }
    line
}

fn is_harmless(character: char) -> bool {
    // Line and paragraph separators, marks and overrides of the writing direction.
    let steers = matches!(character, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    !character.is_control() && !steers
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::{fmt, prelude::*};

    use super::*;

    const FOREIGN: &str = "a\nERROR forged\r\u{1b}[2Jb\0c\u{9b}d\u{2028}e\u{202e}f";
    const ESCAPED: &str = r"a\nERROR forged\r\u{1b}[2Jb\u{0}c\u{9b}d\u{2028}e\u{202e}f";

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The text that `events` logs.
    fn logged(events: impl FnOnce()) -> String {
        let log = Log::default();
        let writer = log.clone();
        let lines = fmt::layer().with_ansi(false).without_time().with_target(false).fmt_fields(fields());
        let lines = lines.with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), events);
        String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text")
    }

    #[test]
    fn foreign_text_is_one_line_wherever_an_event_has_it() {
        let error = io::Error::other(FOREIGN);
        let source: &(dyn std::error::Error + 'static) = &error;
        let text = logged(|| {
            let span = tracing::info_span!("request", id = %FOREIGN);
            let _entered = span.enter();
            tracing::error!(error = %error, source, text = FOREIGN, debug = ?FOREIGN, "refused: {FOREIGN}");
        });
        let line = text.strip_suffix('\n').expect("a line");
        assert!(!line.contains(|character| !is_harmless(character)), "{line:?}");
        for wanted in ["request{id=", "refused: ", "error=", "source="] {
            assert!(line.contains(&format!("{wanted}{ESCAPED}")), "{wanted}: {line}");
        }
        assert!(line.contains("text=\"a\\nERROR forged"), "{line}");
    }

    #[test]
    fn harmless_text_stays_as_it_is() {
        let text = logged(|| tracing::info!(url = %"http://127.0.0.1:8010", n = 7, name = "x", "São Paulo: \"ok\""));
        assert_eq!(text, " INFO São Paulo: \"ok\" url=http://127.0.0.1:8010 n=7 name=\"x\"\n");
    }
}
