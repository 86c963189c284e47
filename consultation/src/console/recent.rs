//! The last 15 minutes of this process as charts.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{chart::Chart, layout::say, times::duration};
use crate::{messages::MESSAGES, outbox::Bucket};

pub(super) fn section(buckets: &[Bucket]) -> Markup {
    let counts: Vec<_> = buckets.iter().map(|bucket| f64::from(bucket.confirmed)).collect();
    let means: Vec<_> = buckets.iter().map(|bucket| bucket.delays / f64::from(bucket.confirmed.max(1))).collect();
    let total: u32 = buckets.iter().map(|bucket| bucket.confirmed).sum();
    let most = buckets.iter().map(|bucket| bucket.confirmed).max().unwrap_or_default();
    let mean = seconds(buckets.iter().map(|bucket| bucket.delays).sum::<f64>() / f64::from(total.max(1)));
    let longest = seconds(means.iter().copied().fold(0.0, f64::max));
    let [delivered, delays] = match total {
        0 => [(); 2].map(|()| say("console-none-delivered")),
        _ => [
            MESSAGES.text("console-delivered", &[("count", &total), ("most", &most)]),
            MESSAGES.text("console-delays", &[("mean", &mean), ("longest", &longest)]),
        ],
    };
    html! {
        section #recent aria-labelledby="recent-title" {
            h2 #recent-title tabindex="-1" { (say("console-recent")) }
            div.charts {
                (Chart { title: &say("console-throughput"), values: counts, summary: delivered }.show())
                (Chart { title: &say("console-latency"), values: means, summary: delays }.show())
            }
        }
    }
}

/// A delay in seconds, for people.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds of centuries fit")]
fn seconds(delay: f64) -> String {
    let milliseconds = (delay * 1_000.0) as i64;
    if delay < 1.0 { format!("{milliseconds} ms") } else { duration(TimeDelta::milliseconds(milliseconds)) }
}
