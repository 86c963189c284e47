//! House rules that no compiler checks: short files and functions, no word of the domain in the crates that know
//! nothing of it, no `pub` without two users, test names in tables only.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

const MAX_FILE_LINES: usize = 200;
const MAX_FUNCTION_LINES: usize = 50;

/// Words of the domain, which `graphql-http` and `chassis` do not know.
const DOMAIN_WORDS: &str = "consultation payment finance patient physician appointment clinic price charge outbox";

/// Public items of the chassis that fewer than two services name, and why they are public.
const CHASSIS_API: [(&str, &str); 6] = [
    ("subscriptions of consultation to one row, and what tests see of the feed", "Change Watcher subscribe watch"),
    (
        "types of the parameters and results of others",
        "Access BodyError Certificate Channel Outcome Publisher ReplicaReads Task TokenIssuer Transaction WriterMeter",
    ),
    (
        "features of one service",
        "DEVELOPMENT_PASSWORD DEVELOPMENT_USERNAME Permitted beat certificate_not_after connect_beside database_delay durations \
         erase_deleted first_id_at is_this_machine keeps_secrets kept_in note one_line optional permit read_body record register rollback \
         secret_file show_not_after time_of without write_all",
    ),
    (
        "spans of messages, which one service stores and sends",
        "Span creating fail is_sampled propagated sending set trace_parent unsampled",
    ),
    (
        "the program with both services",
        "Backup Lifecycle create_directory local_url migrate print serve spawn use_database",
    ),
    (
        "what tests set up or look at",
        "Authenticator Keeper Language Limits Listener LockWaits LogFile Notification PreviousExit Readiness begin_service \
         close end_service exposes_development_password file_of id_at is_gone is_missing mark_closed mark_in_use observe \
         of_used_log open open_beside pending_migrations refuse_weak_password renew require select with_certificate \
         with_issuer with_limits with_replica",
    ),
];

/// The files of the repository under `directory` whose names end so, with their texts.
fn files(directory: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let listed = Command::new("git").args(["ls-files", "--", directory]).current_dir(root).output().expect("git runs");
    let listed = String::from_utf8(listed.stdout).expect("names in UTF-8");
    let names = listed.lines().filter(|name| name.ends_with(ending) && root.join(name).is_file());
    names.map(|name| (name.to_owned(), fs::read_to_string(root.join(name)).expect("a text"))).collect()
}

/// Fails with all `faults`, if there are any.
#[track_caller]
fn assert_none(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn no_file_is_long() {
    let files = files(".", ".rs");
    assert!(files.len() > 300, "the repository is found");
    let long =
        files.iter().map(|(name, text)| (name, text.lines().count())).filter(|(_, lines)| *lines > MAX_FILE_LINES);
    let long: Vec<_> = long.map(|(name, lines)| format!("{name}: {lines} lines")).collect();
    assert_none("files have at most 200 lines", &long);
}

#[test]
fn no_function_is_long() {
    let mut long = Vec::new();
    for (name, text) in files(".", ".rs") {
        let lines: Vec<_> = text.lines().collect();
        for (first, line) in lines.iter().enumerate().filter(|(_, line)| is_function(line)) {
            let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
            let Some(length) = lines[first..].iter().position(|line| *line == end) else { continue };
            if length + 1 > MAX_FUNCTION_LINES {
                long.push(format!("{name}:{}: {} lines", first + 1, length + 1));
            }
        }
    }
    assert_none("functions have at most 50 lines", &long);
}

fn is_function(line: &str) -> bool {
    let words = line.trim_start().split(' ').take_while(|word| !word.contains('(') || word.starts_with("pub("));
    let mut words = words.skip_while(|word| word.starts_with("pub") || matches!(*word, "async" | "const"));
    words.next() == Some("fn") && !line.trim_end().ends_with('}') && !line.trim_end().ends_with(';')
}

#[test]
fn crates_without_a_domain_have_no_word_of_it() {
    let mut found = Vec::new();
    for directory in ["graphql-http", "chassis"] {
        for (name, text) in files(directory, "") {
            for (number, line) in text.to_lowercase().lines().enumerate() {
                found.extend(
                    DOMAIN_WORDS
                        .split(' ')
                        .filter(|word| line.contains(*word))
                        .map(|word| format!("{name}:{}: {word}", number + 1)),
                );
            }
        }
    }
    assert_none("graphql-http and chassis know no domain", &found);
}

#[test]
fn every_public_item_of_the_chassis_has_two_users() {
    let text = |directory: &str| files(directory, ".rs").into_iter().map(|(_, text)| text).collect::<String>();
    let settings = text("chassis/src/config/settings.rs") + &text("chassis/src/config/read_replica.rs");
    let [consultation, finance] = ["consultation/src", "finance/src"].map(|directory| text(directory) + &settings);
    let mut listed: BTreeMap<&str, bool> =
        CHASSIS_API.iter().flat_map(|(_, names)| names.split(' ').map(|name| (name, false))).collect();
    let mut unused = Vec::new();
    for (file, text) in files("chassis/src", ".rs") {
        for name in text.lines().filter_map(public_item) {
            match listed.get_mut(name) {
                Some(is_found) => *is_found = true,
                None if has_word(&consultation, name) && has_word(&finance, name) => {}
                None => unused.push(format!("{file}: {name}")),
            }
        }
    }
    assert_none("an item has two users, or a reason in CHASSIS_API", &unused);
    let gone: Vec<_> = listed.iter().filter(|(_, is_found)| !**is_found).map(|(name, _)| (*name).to_owned()).collect();
    assert_none("CHASSIS_API names what there is", &gone);
}

/// The name of the function, type or constant that a line makes public.
fn public_item(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let rest =
        rest.strip_prefix("async ").or_else(|| rest.strip_prefix("const fn ").map(|_| &rest[6..])).unwrap_or(rest);
    let (kind, rest) = rest.split_once(' ')?;
    let is_item = matches!(kind, "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static");
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    is_item.then_some(&rest[..end])
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

#[test]
fn no_program_panics_when_its_output_is_closed() {
    let sources = ["all-in-one/src", "chassis/src", "consultation/src", "finance/src"].map(|path| files(path, ".rs"));
    let prints = |(_, text): &(String, String)| text.contains(" println!(") || text.contains(" eprintln!(");
    let found = sources.concat().into_iter().filter(prints).map(|(name, _)| name).collect::<Vec<_>>();
    assert_none("println! and eprintln! panic; cli::note and writeln! do not", &found);
}

#[test]
fn test_names_stand_in_tables_and_not_in_prose() {
    let documents = ["README.md", "README.pt-BR.md", "CONTRIBUTING.md", "docs"].map(|path| files(path, ".md")).concat();
    let mut found = Vec::new();
    for (name, text) in documents {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('|')) {
            let names = line.split('`').skip(1).step_by(2).filter(|name| is_test_name(name));
            found.extend(names.map(|test| format!("{name}:{}: {test}", number + 1)));
        }
    }
    assert_none("a table says which test holds a promise", &found);
}

/// No other name in prose has four words or more.
fn is_test_name(name: &str) -> bool {
    name.matches('_').count() >= 3
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let mut broken = Vec::new();
    for (name, text) in files(".", ".md") {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.contains("://") && !link.contains(' ')) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let here = root.join(&name);
            let target = if path.is_empty() { here } else { here.with_file_name("").join(path) };
            let has_anchor = || {
                let text = fs::read_to_string(&target).unwrap_or_default();
                text.lines().filter(|line| line.starts_with('#')).any(|heading| anchor_of(heading) == anchor)
            };
            if !target.exists() || !(anchor.is_empty() || has_anchor()) {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    assert_none("a link leads to a file and a heading of it", &broken);
}

/// The anchor that GitHub gives a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
}
