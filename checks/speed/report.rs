//! The report, as Markdown and as JSON.

use std::{fmt::Write, fs, path::Path};

use serde_json::{Map, Value, json};

use crate::{
    figures::{Bar, Limit},
    plot::{self, Chart},
};

/// The figures of one subject.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    /// The caption of the table.
    pub(crate) about: String,
    table: String,
    pub(crate) figures: Vec<Value>,
    pub(crate) bars: Vec<Bar>,
    pub(crate) charts: Vec<Chart>,
}

impl Section {
    pub(crate) fn new(name: &'static str, about: &str, columns: &[&str]) -> Self {
        let rule = vec!["---"; columns.len()];
        let table = format!("| {} |\n| {} |\n", columns.join(" | "), rule.join(" | "));
        print!("\n{about}\n\n{table}");
        Self { name, about: about.to_owned(), table, ..Self::default() }
    }

    /// Adds a line and prints it.
    pub(crate) fn row(&mut self, cells: &[String]) {
        let line = format!("| {} |", cells.join(" | "));
        println!("{line}");
        self.table.push_str(&line);
        self.table.push('\n');
    }

    /// Adds a promise. Returns its verdict.
    pub(crate) fn bar(&mut self, name: String, value: f64, limit: Limit, unit: &'static str) -> &'static str {
        let bar = Bar { name, value, limit, unit };
        let verdict = bar.verdict();
        self.bars.push(bar);
        verdict
    }
}

#[derive(Debug)]
pub(crate) struct Report {
    machine: Value,
    sections: Vec<Section>,
}

impl Report {
    pub(crate) fn new(machine: Value) -> Self {
        println!("{machine:#}");
        Self { machine, sections: Vec::new() }
    }

    pub(crate) fn add(&mut self, section: Section) {
        self.sections.push(section);
    }

    pub(crate) fn print_bars(&self) {
        println!("\n{}", self.bars());
    }

    /// Writes the report so far.
    pub(crate) fn write(&self, directory: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(directory)?;
        fs::write(directory.join("speed.md"), self.markdown())?;
        let charts: Vec<_> = self.sections.iter().flat_map(|section| &section.charts).cloned().collect();
        fs::write(directory.join("speed.svg"), plot::svg(&charts))?;
        fs::write(directory.join("speed.json"), format!("{:#}\n", self.json()))?;
        Ok(())
    }

    fn markdown(&self) -> String {
        let text = |key: &str| self.machine[key].as_str().unwrap_or_default();
        let mut markdown = format!(
            "{} cores ({}), {} MB of memory, Linux {}, {}, PostgreSQL {} ({}), commit {}, {}.\n",
            self.machine["cores"],
            text("processor"),
            self.machine["memory_mb"],
            text("kernel"),
            text("file_system"),
            text("postgresql"),
            text("postgresql_settings"),
            text("commit"),
            text("date"),
        );
        for section in &self.sections {
            let _ = write!(markdown, "\n{}\n\n{}", section.about, section.table);
        }
        let _ = write!(markdown, "\n{}", self.bars());
        markdown
    }

    fn bars(&self) -> String {
        let mut table = "| promise | wanted | measured | |\n| --- | --- | --- | --- |\n".to_owned();
        for bar in self.sections.iter().flat_map(|section| &section.bars) {
            let (Bar { name, value, unit, .. }, verdict) = (bar, bar.verdict());
            let (word, limit) = match bar.limit {
                Limit::AtLeast(limit) => ("at least", limit),
                Limit::AtMost(limit) => ("at most", limit),
            };
            let _ = writeln!(table, "| {name} | {word} {limit}{unit} | {value:.2}{unit} | {verdict} |");
        }
        table
    }

    fn json(&self) -> Value {
        let mut sections = Map::new();
        for section in &self.sections {
            sections.insert(section.name.to_owned(), Value::from(section.figures.clone()));
        }
        let bars: Vec<_> = self.sections.iter().flat_map(|section| &section.bars).collect();
        let bars: Vec<_> =
            bars.iter().map(|bar| json!({ "name": bar.name, "value": bar.value, "met": bar.is_met() })).collect();
        json!({ "machine": self.machine, "figures": sections, "bars": bars })
    }
}
