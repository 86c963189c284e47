//! The file of known payments: those of another system, whose appointments this service has never had.

use std::{collections::HashMap, fs::File, io::Read, path::Path};

use anyhow::{Context, bail, ensure};
use uuid::Uuid;

use crate::finance_client::RecordedPayment;

/// Bytes of the file: 200,000 ids with a comment each.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Ids of appointments or payments, each with the number of its line and whether it matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known(HashMap<Uuid, (usize, bool)>);

impl Known {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or has a line that is no id, with the number of that line.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
        read.with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(text.len() as u64 <= MAX_BYTES, "{} is over {} MiB", path.display(), MAX_BYTES / 1024 / 1024);
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut known = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if entry.is_empty() {
                continue;
            }
            let Ok(id) = entry.parse() else {
                let shown: String = entry.chars().take(50).collect();
                bail!("line {number}: {shown:?} is no UUID of an appointment or a payment")
            };
            known.entry(id).or_insert((number, false));
        }
        Ok(Self(known))
    }

    /// Whether an entry names the payment.
    pub(super) fn names(&mut self, payment: &RecordedPayment) -> bool {
        let mut names = false;
        for id in [Some(payment.appointment_id), payment.id.parse().ok()].into_iter().flatten() {
            if let Some((_, matched)) = self.0.get_mut(&id) {
                (names, *matched) = (true, true);
            }
        }
        names
    }

    /// The entries that named no payment, in the order of their lines.
    pub(super) fn unmatched(&self) -> Vec<(usize, Uuid)> {
        let mut unmatched: Vec<_> =
            self.0.iter().filter(|(_, (_, matched))| !matched).map(|(id, (line, _))| (*line, *id)).collect();
        unmatched.sort_unstable();
        unmatched
    }
}

#[cfg(test)]
mod tests {
    use entity::Money;

    use super::*;

    #[test]
    fn appointments_and_payments_are_known_and_entries_without_a_payment_are_told() {
        let [appointment, payment, other] = [1, 2, 3].map(Uuid::from_u128);
        let text = format!("# of the laboratory\n\n {appointment}  # the first\n{payment}\n{other}\r\n{other}\n");
        let mut known = Known::parse(&text).expect("ids");
        let recorded_at = chassis::clock::now();
        let recorded = |id: Uuid, appointment_id| RecordedPayment {
            id: id.to_string(),
            appointment_id,
            total_price: Money::ZERO,
            recorded_at,
        };
        assert!(known.names(&recorded(Uuid::from_u128(8), appointment)));
        assert!(known.names(&recorded(payment, Uuid::from_u128(9))));
        assert!(!known.names(&recorded(Uuid::from_u128(8), Uuid::from_u128(9))));
        assert_eq!(known.unmatched(), [(5, other)]);
    }

    #[test]
    fn a_line_that_is_no_id_is_named_by_its_number() {
        let error = Known::parse("# ids\n12,50\n").expect_err("no id");
        assert_eq!(error.to_string(), "line 2: \"12,50\" is no UUID of an appointment or a payment");
    }
}
