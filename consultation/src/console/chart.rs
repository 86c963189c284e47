//! Bar charts of the last 15 minutes as inline SVG, with the same facts as a text.

use maud::{Markup, html};

const HEIGHT: f64 = 48.0;
/// A bar and the gap after it.
const STEP: usize = 4;

/// A chart of `values`, the oldest first.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) values: Vec<f64>,
    /// What the bars show, for those who do not see them, and below them for all.
    pub(super) summary: String,
}

impl Chart<'_> {
    pub(super) fn show(&self) -> Markup {
        let highest = self.values.iter().copied().fold(0.0, f64::max);
        let view = format!("0 0 {} {HEIGHT}", self.values.len() * STEP);
        html! {
            figure {
                h3 { (self.title) }
                svg viewBox=(view) preserveAspectRatio="none" role="img" aria-label=(format!("{}: {}", self.title, self.summary)) {
                    @for (position, value) in self.values.iter().enumerate().filter(|(_, value)| **value > 0.0) {
                        // What is there must show beside the highest.
                        @let height = (value / highest * HEIGHT).max(2.0);
                        rect x=(position * STEP) y=(format!("{:.1}", HEIGHT - height)) width=(STEP - 1)
                            height=(format!("{height:.1}")) {}
                    }
                }
                figcaption aria-hidden="true" { (self.summary) }
            }
        }
    }
}
