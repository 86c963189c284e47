//! The log of a test, captured.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex},
};

use tracing::{Dispatch, subscriber::DefaultGuard, subscriber::NoSubscriber};

/// The log lines of the current thread, from its creation on.
#[derive(Debug)]
pub struct Log {
    text: Writer,
    _capturing: DefaultGuard,
}

/// A second dispatcher. With one alone, an event that another thread logs first is disabled for all threads: tracing
/// asks only that thread's dispatcher.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

impl Log {
    /// Captures what the current thread logs.
    #[must_use]
    pub fn capture() -> Self {
        LazyLock::force(&SECOND);
        let text = Writer::default();
        let writer = text.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        Self { text, _capturing: tracing::subscriber::set_default(subscriber) }
    }

    /// The text so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.text.0.lock().expect("no panic").clone()).expect("a text")
    }
}

#[derive(Clone, Debug, Default)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
