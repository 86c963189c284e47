//! What an import says: findings about rows, of each kind the first ones, and counts. Findings are printed as they come,
//! so that they are not lost with an import that is killed.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use serde_json::{Map, Value, json};

use super::progress::Progress;

/// Findings of a kind that are printed for people. More tell nothing new.
const SHOWN: u64 = 20;

/// Something about one row that an operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind, for programs.
    pub code: &'static str,
    /// Id of the row in the source.
    pub id: String,
    /// What it is, and what was done.
    pub text: String,
    /// Whether the row is left out.
    pub is_left_out: bool,
}

impl Finding {
    /// The row does not fit: it is left out.
    #[must_use]
    pub fn left_out(code: &'static str, id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code, id: id.into(), text: text.into(), is_left_out: true }
    }

    /// The row fits: either not as it is, or somebody has to look at it.
    #[must_use]
    pub fn noted(code: &'static str, id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { is_left_out: false, ..Self::left_out(code, id, text) }
    }
}

/// Findings and counts of a run.
#[derive(Debug)]
pub struct Report {
    service: &'static str,
    writes: bool,
    json: bool,
    progress: Option<Progress>,
    is_complete: bool,
    found: BTreeMap<&'static str, u64>,
    left_out: u64,
    /// By label, in the order of their first appearance.
    counts: Vec<(&'static str, u64)>,
    imported: usize,
}

impl Report {
    pub(super) fn new(service: &'static str, writes: bool, json: bool) -> Self {
        let (found, counts) = (BTreeMap::new(), Vec::new());
        Self { service, writes, json, progress: None, is_complete: false, found, left_out: 0, counts, imported: 0 }
    }

    /// Whether the run imports, and not only says what it would do.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.writes
    }

    /// Begins to read this number of rows, of which counts with these labels are shown.
    pub fn begin(&mut self, rows: u64, labels: &[&'static str]) {
        self.counts = labels.iter().map(|label| (*label, 0)).collect();
        self.progress = Some(Progress::new(rows));
    }

    /// Rows were read and done with.
    pub fn advance(&mut self, rows: usize) {
        if let Some(progress) = &mut self.progress {
            progress.add(rows as u64);
        }
    }

    /// Adds one to the count with this label.
    pub fn count(&mut self, label: &'static str) {
        match self.counts.iter_mut().find(|(counted, _)| *counted == label) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((label, 1)),
        }
    }

    /// Rows were written and committed.
    pub fn add_imported(&mut self, rows: usize) {
        self.imported += rows;
    }

    /// Adds a finding, and prints it unless many of its kind were printed.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub fn add(&mut self, finding: Finding) -> io::Result<()> {
        let Some(line) = self.line(finding) else { return Ok(()) };
        self.hide_progress();
        writeln!(io::stdout(), "{line}")
    }

    /// Counts a finding. Returns its line, if it is to be printed.
    fn line(&mut self, finding: Finding) -> Option<String> {
        let Finding { code, id, text, is_left_out } = finding;
        self.left_out += u64::from(is_left_out);
        let found = self.found.entry(code).or_default();
        *found += 1;
        if self.json {
            return Some(json!({ "code": code, "id": id, "text": text, "leftOut": is_left_out }).to_string());
        }
        (*found <= SHOWN).then(|| format!("{code} {id}: {text}"))
    }

    pub(super) fn imported(&self) -> usize {
        self.imported
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All rows were read and done with.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// What a failure has left behind.
    pub(super) fn after_failure(&self) -> &'static str {
        match self.imported {
            _ if !self.writes || self.progress.is_none() => "nothing was changed",
            // The commit of the first batch may have lost its answer.
            0 => "no batch is known to be imported; run this again",
            _ => "what was imported so far is complete; run this again",
        }
    }

    /// Prints the counts, if it has begun to count.
    pub(super) fn print(&self) -> io::Result<()> {
        if self.progress.is_none() {
            return Ok(());
        }
        self.hide_progress();
        let text = if self.json { self.summary().to_string() + "\n" } else { self.text() };
        io::stdout().write_all(text.as_bytes())
    }

    fn hide_progress(&self) {
        if let Some(progress) = &self.progress {
            progress.hide();
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (code, more) in self.found.iter().filter(|(_, found)| **found > SHOWN) {
            // Writing to a String is infallible.
            let _ = writeln!(text, "{code}: and {} more; --json prints all", more - SHOWN);
        }
        let did = match (self.is_complete, self.writes) {
            (false, _) => "failed; counted until then",
            (true, true) => "imported",
            (true, false) => "nothing was changed; with --yes this is done",
        };
        let _ = writeln!(text, "{}: {did}", self.service);
        for (label, count) in self.all_counts() {
            let _ = writeln!(text, "{count:>12} {label}");
        }
        text
    }

    fn summary(&self) -> Value {
        let counts: Map<_, _> = self.all_counts().map(|(label, count)| (camel_case(label), count.into())).collect();
        json!({ "code": "SUMMARY", "imported": self.writes, "complete": self.is_complete, "counts": counts })
    }

    fn all_counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.iter().copied().chain([("left out", self.left_out)])
    }
}

/// A label as the name of a field.
fn camel_case(label: &str) -> String {
    let mut words = label.split(' ').map(str::to_owned);
    let first = words.next().unwrap_or_default();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_uppercase() + rest
    })
}

#[cfg(test)]
mod tests;
