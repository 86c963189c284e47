//! What an import says of its findings, and after a failure.

use super::*;

#[test]
fn of_each_kind_the_first_findings_are_shown_and_all_are_counted() {
    let mut report = Report::new("service", false, false);
    report.begin(30, &["rows read", "there already"]);
    let mut lines = Vec::new();
    for row in 0..25 {
        report.count("rows read");
        lines.extend(report.line(Finding::left_out("BROKEN", row.to_string(), "a reason")));
    }
    assert_eq!((lines.len(), lines[19].as_str(), report.left_out()), (20, "BROKEN 19: a reason", 25));
    let noted = report.line(Finding::noted("NOTED", "25", "another reason"));
    assert_eq!(noted.as_deref(), Some("NOTED 25: another reason"));
    report.complete();
    let text = "BROKEN: and 5 more; --json prints all\nservice: nothing was changed; with --yes this is done
          25 rows read
           0 there already
          25 left out
";
    assert_eq!(report.text(), text);
    let counts = json!({ "rowsRead": 25, "thereAlready": 0, "leftOut": 25 });
    let summary = json!({ "code": "SUMMARY", "imported": false, "complete": true, "counts": counts });
    assert_eq!(report.summary(), summary);
}

#[test]
fn a_failure_says_whether_something_was_imported_before() {
    for (writes, begins, imported, left) in [
        (true, false, 0, "nothing was changed"),
        (false, true, 0, "nothing was changed"),
        (true, true, 0, "no batch is known to be imported; run this again"),
        (true, true, 1_000, "what was imported so far is complete; run this again"),
    ] {
        let mut report = Report::new("service", writes, false);
        if begins {
            report.begin(2_000, &[]);
        }
        report.add_imported(imported);
        assert_eq!(report.after_failure(), left);
        assert!(report.text().starts_with("service: failed"));
    }
}
