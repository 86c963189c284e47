//! The committed documents, for a finance that executes trusted documents only.

use std::{collections::BTreeMap, fs, path::Path};

use cynic::{MutationBuilder, QueryBuilder};
use uuid::Uuid;

use super::{
    queries::{InstanceId, Payments, PaymentsVariables, RecordPayments, RecordPaymentsInput, RecordPaymentsVariables},
    up_to_date::UpToDate,
};

#[test]
fn what_finance_is_asked_for_is_never_late() {
    let sent = serde_json::to_value(UpToDate::new(&InstanceId::build(()))).expect("JSON");
    assert_eq!(sent["extensions"], serde_json::json!({ "consistency": { "maxStaleness": 0 } }));
    assert_eq!(sent["query"], InstanceId::build(()).query);
}

#[test]
fn the_committed_documents_are_those_that_are_sent() {
    let input = RecordPaymentsInput::new(&[], Uuid::nil(), "BRL".parse().expect("a currency"));
    let sent = BTreeMap::from([
        ("InstanceId.graphql", InstanceId::build(()).query),
        ("Payments.graphql", Payments::build(PaymentsVariables { filter: None, after: None }).query),
        ("RecordPayments.graphql", RecordPayments::build(RecordPaymentsVariables { input }).query),
    ]);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
    for (file, text) in &sent {
        let committed = fs::read_to_string(directory.join(file)).unwrap_or_default();
        assert!(committed == *text, "let consultation/documents/{file} be exactly this:\n{text}");
    }
    let files = fs::read_dir(directory).expect("a directory").count();
    assert_eq!(files, sent.len(), "finance would trust more than what is sent");
}
