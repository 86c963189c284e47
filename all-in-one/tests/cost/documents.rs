//! The memory of remembered documents.

use testkit::Backend;

use crate::service::Service;

/// All fields of a payment, and those of its consultation repeatedly: some 500 fields in 5 kB.
fn fields(within: usize) -> String {
    let own = ["id", "appointmentId", "totalPrice", "__typename"].map(|name| format!("{name} ").repeat(20)).concat();
    if within == 0 {
        own
    } else {
        format!("{own}consultation {{ {} payment {{ {} }} }} ", "id ".repeat(15), fields(within - 1))
    }
}

#[test]
fn documents_take_no_more_memory_than_they_are_charged_for() {
    const CACHE: i64 = 8 * 1024 * 1024;
    let mut service = Service::finance(Backend::Sqlite).expect("no server is needed");
    let document = |n: usize| format!("query Q{n} {{ payments(first: 1) {{ edges {{ node {{ {} }} }} }} }}", fields(4));
    // The first documents also allocate what the service keeps once.
    service.keeps((0..2).map(document));
    let kept = service.keeps((2..152).map(document));
    println!("{kept} bytes kept of documents of {} bytes", document(0).len());
    assert!(kept > CACHE / 2, "none was remembered: {kept}");
    assert!(kept < CACHE + CACHE / 8, "{kept}");
}
