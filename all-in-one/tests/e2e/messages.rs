//! Messages for people in both languages: the same ids with the same placeables.

use std::{collections::BTreeMap, fs, path::Path};

use rstest::rstest;

/// Messages of a file with their placeables.
fn messages(file: &Path) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(file).expect("a file");
    let lines = text.lines().map(|line| line.split_once(" = ").expect("a message a line"));
    let named = |message: &str| -> Vec<String> {
        let mut named: Vec<_> = message.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
        named.sort_unstable();
        named.into_iter().map(str::to_owned).collect()
    };
    lines.map(|(id, message)| (id.to_owned(), named(message))).collect()
}

#[rstest]
#[case("chassis")]
#[case("consultation")]
#[case("finance")]
fn every_message_is_there_in_both_languages_and_said_somewhere(#[case] of: &str) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of).join("src/messages");
    let [english, portuguese] = ["en", "pt-BR"].map(|language| messages(&directory.join(format!("{language}.ftl"))));
    assert_eq!(english, portuguese);

    let code = code(directory.parent().expect("a directory"));
    let unused: Vec<_> = english.keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
    assert_eq!(unused, [""; 0], "messages that nobody says");
    let said = code.split("MESSAGES.text(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let unknown: Vec<_> = said.filter(|id| !english.contains_key(*id)).collect();
    assert_eq!(unknown, [""; 0], "messages that are not there");
}

/// All code below a directory.
fn code(directory: &Path) -> String {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let texts = entries.map(|path| match path.extension().and_then(|extension| extension.to_str()) {
        None => code(&path),
        Some("rs") => fs::read_to_string(&path).expect("a file"),
        Some(_) => String::new(),
    });
    texts.collect()
}
