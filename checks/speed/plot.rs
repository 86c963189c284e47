//! Small line charts side by side, as SVG.

use std::fmt::Write;

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 220.0;
/// Margins of a chart, for the scales and the title.
const LEFT: f64 = 56.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 40.0;
const RIGHT: f64 = 16.0;
const COLORS: [&str; 7] = ["#0b6e99", "#d9730d", "#448361", "#9065b0", "#c14c8a", "#7f7f7f", "#b8860b"];
/// Number of lines of the vertical scale.
const STEPS: u32 = 4;

/// A chart. Places on the horizontal axis have equal distances.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) places: Vec<String>,
    /// The title of the horizontal axis.
    pub(crate) across: &'static str,
    /// Each line's name, and its value at each place.
    pub(crate) lines: Vec<(String, Vec<f64>)>,
}

/// Charts in rows of three.
pub(crate) fn svg(charts: &[Chart]) -> String {
    let columns = charts.len().min(3);
    let rows = charts.len().div_ceil(3);
    let (width, height) = (extent(columns, WIDTH + LEFT + RIGHT), extent(rows, HEIGHT + TOP + BOTTOM));
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
"#
    );
    for (index, chart) in charts.iter().enumerate() {
        let (x, y) = (extent(index % 3, WIDTH + LEFT + RIGHT), extent(index / 3, HEIGHT + TOP + BOTTOM));
        let _ = writeln!(svg, r#"<g transform="translate({} {})">"#, x + LEFT, y + TOP);
        chart.draw(&mut svg);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

impl Chart {
    fn draw(&self, svg: &mut String) {
        let highest = self.lines.iter().flat_map(|(_, values)| values).copied().fold(0.0, f64::max);
        let highest = round_up(highest);
        let _ = writeln!(svg, r#"<text x="0" y="-26" font-weight="bold">{}</text>"#, self.title);
        for step in 0..=STEPS {
            let (y, value) = (HEIGHT - at(step, HEIGHT), at(step, highest));
            let value = (value * 100.0).round() / 100.0;
            let _ = writeln!(svg, r##"<path d="M0 {y}H{WIDTH}" stroke="#ddd"/>"##);
            let _ = writeln!(svg, r#"<text x="-6" y="{}" text-anchor="end">{value}</text>"#, y + 4.0);
        }
        let xs: Vec<_> = (0..self.places.len()).map(|place| self.x(place)).collect();
        for (x, place) in xs.iter().zip(&self.places) {
            let _ = writeln!(svg, r#"<text x="{x}" y="{}" text-anchor="middle">{place}</text>"#, HEIGHT + 16.0);
        }
        let across = self.across;
        let _ = writeln!(svg, r#"<text x="{WIDTH}" y="{}" text-anchor="end">{across}</text>"#, HEIGHT + 32.0);
        let mut legend_x = 0.0;
        for ((name, values), color) in self.lines.iter().zip(COLORS.iter().cycle()) {
            let points =
                xs.iter().zip(values).map(|(x, value)| format!("{x:.1},{:.1}", HEIGHT * (1.0 - value / highest)));
            let points = points.collect::<Vec<_>>().join(" ");
            let _ = writeln!(svg, r#"<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>"#);
            let _ = writeln!(svg, r#"<text x="{legend_x}" y="-10" fill="{color}">{name}</text>"#);
            legend_x += extent(name.len(), 6.5) + 10.0;
        }
    }

    fn x(&self, place: usize) -> f64 {
        WIDTH * (extent(place, 1.0) + 0.5) / extent(self.places.len(), 1.0)
    }
}

fn extent(count: usize, each: f64) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from) * each
}

fn at(step: u32, whole: f64) -> f64 {
    whole * f64::from(step) / f64::from(STEPS)
}

/// Rounds up to at most two significant digits, the last divisible by 4.
fn round_up(value: f64) -> f64 {
    let unit = 10f64.powf(value.max(0.01).log10().floor()) * 0.4;
    (value / unit).ceil().max(1.0) * unit
}
