//! The memory of automatic persisted queries is bounded, whatever is sent.

use super::*;
use crate::memory::OVERHEAD;

fn remember(automatic: &Automatic, text: &str) -> String {
    let hash = sha256(text);
    automatic.remember(hash.clone(), text);
    hash
}

#[test]
fn large_documents_stay_below_the_bound_in_bytes() {
    let automatic = Automatic::default();
    let texts: Vec<_> = (0..200).map(|n| format!("{{ f{n} }}{}", " ".repeat(MAX_DOCUMENT - 16))).collect();
    let hashes: Vec<_> = texts.iter().map(|text| remember(&automatic, text)).collect();
    let (bytes, count) = automatic.0.size();
    assert!(bytes <= MAX_BYTES && count == MAX_BYTES / (texts[199].len() + OVERHEAD), "{count} of {bytes} bytes");
    assert_eq!(automatic.recall(&hashes[0]), None);
    assert_eq!(automatic.recall(&hashes[199]).as_deref(), Some(texts[199].as_str()));
}

#[test]
fn tiny_documents_stay_below_the_bound_in_number() {
    let automatic = Automatic::default();
    for n in 0..2 * MAX_COUNT {
        remember(&automatic, &format!("{{ f{n} }}"));
    }
    assert_eq!(automatic.0.size().1, MAX_COUNT);
}

#[test]
fn the_least_recently_used_document_is_forgotten_first() {
    let automatic = Automatic::default();
    let (used, unused) = (remember(&automatic, "{ used }"), remember(&automatic, "{ unused }"));
    for n in 0..MAX_COUNT - 1 {
        assert!(automatic.recall(&used).is_some());
        remember(&automatic, &format!("{{ f{n} }}"));
    }
    assert!(automatic.recall(&used).is_some());
    assert_eq!(automatic.recall(&unused), None);
}

#[test]
fn the_same_document_is_counted_once() {
    let automatic = Automatic::default();
    for _ in 0..3 {
        remember(&automatic, "{ same }");
    }
    assert_eq!(automatic.0.size(), ("{ same }".len() + OVERHEAD, 1));
}

#[test]
fn a_document_that_would_push_out_many_is_not_remembered() {
    let automatic = Automatic::default();
    remember(&automatic, &" ".repeat(MAX_DOCUMENT + 1));
    assert_eq!(automatic.0.size(), (0, 0));
}
