//! What the programs tell about themselves: settings, completions, man pages.

use std::{fs, process::Output};

use rstest::rstest;
use testkit::Process;

fn run(program: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Process::command(program, arguments, settings);
    // A value in the environment would appear in `--help`.
    command.env_remove("CONSULTATION_METRICS_BIND").env_remove("FINANCE_METRICS_BIND");
    command.envs(settings.iter().copied());
    command.output().expect("it runs")
}

/// Standard output of a subcommand that succeeds.
fn printed(program: &str, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let output = run(program, arguments, settings);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a text")
}

/// The variables of all settings, and those whose values `--help` hides.
fn variables(program: &str) -> (Vec<String>, Vec<String>) {
    let help = printed(program, &["--help"], &[]);
    let variables = || help.split("[env: ").skip(1).map(|rest| rest.split_once(']').expect("a bracket").0);
    let all = variables().map(|variable| variable.trim_end_matches('=').to_owned());
    (all.collect(), variables().filter(|variable| !variable.ends_with('=')).map(str::to_owned).collect())
}

#[rstest]
fn each_setting_is_listed_with_its_source_and_without_a_secret(
    #[values("consultation", "finance", "all-in-one")] program: &str,
) {
    let (all, hidden) = variables(program);
    let listed = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().next().expect("a variable").to_owned()).collect()
    };
    assert_eq!(listed(&printed(program, &["config"], &[])), all);
    let ends = |name: &String, endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let may_be_secret = ["PASSWORD", "URL", "USERNAME", "TOKEN_ISSUER", "CORS_ORIGINS"];
    let named = all.iter().filter(|name| ends(name, &may_be_secret));
    assert_eq!(named.collect::<Vec<_>>(), hidden.iter().collect::<Vec<_>>(), "a secret is marked as one");

    let secrets: Vec<_> = hidden.iter().filter(|name| ends(name, &["PASSWORD", "DATABASE_URL"])).collect();
    let given: Vec<_> = secrets
        .iter()
        .map(|name| (name.as_str(), if name.ends_with("URL") { "postgres://u:s3cret@db/x" } else { "s3cret" }))
        .chain([("LOG_FORMAT", "json")])
        .collect();
    let text = printed(program, &["config", "--rust-log", "warn"], &given);
    assert!(!text.contains("s3cret"), "{text}");
    let line = |name: &str| text.lines().find(|line| line.split_whitespace().next() == Some(name)).expect("its line");
    for secret in secrets {
        assert!(line(secret).contains("  environment  ") && line(secret).contains("********"), "{}", line(secret));
    }
    assert!(line("LOG_FORMAT").ends_with("  environment  json"), "{text}");
    assert!(line("RUST_LOG").ends_with("  flag         warn"), "{text}");
    assert!(line("AUDIT_LOG").ends_with("  not set"), "{text}");
}

#[rstest]
fn what_may_be_a_password_is_neither_in_help_nor_in_an_error(
    #[values("consultation", "finance", "all-in-one")] program: &str,
    #[values("https://u:s3cret@host/", "s3cret:word")] value: &str,
) {
    for name in variables(program).1 {
        for arguments in [&["--help"][..], &["config"], &["backup", "/dev/null/copy"]] {
            let output = run(program, arguments, &[(&name, value)]);
            let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("a text");
            assert!(!text.contains("s3cret"), "{name} {arguments:?}: {text}");
        }
    }
}

/// There is no database at the default, which is no wrong setting.
#[rstest]
#[case("consultation", &["accept-finance"])]
#[case("finance", &["backup", "/dev/null/copy"])]
#[case("all-in-one", &["accept-finance"])]
fn an_empty_variable_is_refused_but_for_two_that_may_be_empty(#[case] program: &str, #[case] arguments: &[&str]) {
    for name in variables(program).0 {
        let output = run(program, arguments, &[(&name, "")]);
        let may_be_empty = name.ends_with("_TRUSTED_PROXIES") || name == "RUST_LOG";
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(if may_be_empty { 1 } else { 2 }), "{name}: {error}");
    }
}

#[rstest]
fn shells_complete_subcommands_and_settings(
    #[values("consultation", "finance", "all-in-one")] program: &str,
    #[values("bash", "zsh", "fish", "elvish", "powershell")] shell: &str,
) {
    let script = printed(program, &["completions", shell], &[]);
    let bind = if program == "finance" { "finance-bind" } else { "consultation-bind" };
    assert!(["backup", "config", program, bind].iter().all(|word| script.contains(word)), "{script}");
}

#[rstest]
fn each_subcommand_has_a_man_page(#[values("consultation", "finance", "all-in-one")] program: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let pages = directory.path().join("man1");
    let path = pages.to_str().expect("a text");
    printed(program, &["man", path], &[("CONSULTATION_PASSWORD", "s3cret"), ("FINANCE_PASSWORD", "s3cret")]);
    let page = |name: String| fs::read_to_string(pages.join(name)).expect("a page");
    let main = page(format!("{program}.1"));
    let about = printed(program, &["--help"], &[]).lines().next().expect("a line").to_owned();
    assert!(main.contains(&about[..20]) && main.contains("DATABASE_URL") && !main.contains("s3cret"), "{main}");
    assert!(page(format!("{program}-backup.1")).contains("Copy"));
    assert!(printed(program, &["man"], &[]).contains(&about[..20]));

    let output = run(program, &["man", "/dev/null/man1"], &[]);
    let error = String::from_utf8(output.stderr).expect("a text");
    assert_eq!((output.status.code(), error.contains("cannot write to /dev/null/man1")), (Some(1), true), "{error}");
}

/// The flags and variables in the table of settings. `FINANCE_...` stands for the name beside it.
fn documented() -> Vec<(String, String)> {
    let document = fs::read_to_string("../docs/operating.md").expect("a document");
    let rows = document.lines().filter(|line| line.starts_with("| `--"));
    let names = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let finance = |prefix: &str, name: &str, of_consultation: &str| {
        if name == format!("{prefix}...") {
            of_consultation.replace("consultation", "finance").replace("CONSULTATION", "FINANCE")
        } else {
            name.to_owned()
        }
    };
    let settings = rows.flat_map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        let (flags, variables) = (names(cells[1]), names(cells[2]));
        let pairs = flags.iter().zip(&variables);
        let full = pairs.map(|(flag, variable)| {
            (finance("--finance-", flag, &flags[0]), finance("FINANCE_", variable, &variables[0]))
        });
        full.collect::<Vec<_>>()
    });
    settings.collect()
}

#[test]
fn the_documents_list_the_settings_of_help_and_no_others() {
    let (mut all, _) = variables("all-in-one");
    let settings = documented();
    for (flag, variable) in &settings {
        assert_eq!(flag.to_uppercase().replace('-', "_").trim_start_matches('_'), variable);
    }
    let mut documented: Vec<_> = settings.into_iter().map(|(_, variable)| variable).collect();
    documented.sort();
    all.sort();
    assert_eq!(documented, all);
}
