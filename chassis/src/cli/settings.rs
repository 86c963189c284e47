//! The settings in use, for people: clap knows them all, so a new one is listed by itself, and masked by itself if it is a
//! secret.

use std::{any::TypeId, fmt::Write};

use clap::{Arg, ArgMatches, Command, parser::ValueSource};
use reqwest::Url;
use secrecy::SecretString;

use crate::telemetry::one_line;

const MASK: &str = "********";

/// A line for each setting: variable, source, value. A setting is an argument with a variable.
pub(super) fn lines(command: &Command, matches: &ArgMatches) -> String {
    let settings = || command.get_arguments().filter_map(|arg| Some((arg, arg.get_env()?.to_string_lossy())));
    let width = settings().map(|(_, variable)| variable.len()).max().unwrap_or_default();
    settings().fold(String::new(), |mut lines, (arg, variable)| {
        let source = match matches.value_source(arg.get_id().as_str()) {
            Some(ValueSource::CommandLine) => "flag",
            Some(ValueSource::EnvVariable) => "environment",
            Some(_) => "default",
            None => "not set",
        };
        let value = one_line(&value(arg, matches));
        let line = format!("{variable:width$}  {source:11}  {value}");
        // Writing to a String is infallible.
        let _ = writeln!(lines, "{}", line.trim_end());
        lines
    })
}

fn value(arg: &Arg, matches: &ArgMatches) -> String {
    let values = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
    let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
    let value = values.join(",");
    match arg.get_value_names() {
        _ if value.is_empty() || !is_secret(arg) => value,
        Some([name]) if name == "URL" => without_password(&value),
        _ => MASK.to_owned(),
    }
}

fn is_secret(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<SecretString>() || arg.is_hide_env_values_set()
}

/// The URL of a database without its password, and without its query, which may have one too.
fn without_password(url: &str) -> String {
    let Ok(mut url) = url.parse::<Url>() else { return MASK.to_owned() };
    // A password that is not encoded may end in the path.
    if url.path().contains('@') || (url.password().is_some() && url.set_password(Some(MASK)).is_err()) {
        return MASK.to_owned();
    }
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "service")]
    struct Settings {
        #[arg(long, env = "SETTINGS_TEST_BIND", default_value = "127.0.0.1:1")]
        _bind: String,
        #[arg(long, env = "SETTINGS_TEST_NAMES", value_delimiter = ',')]
        _names: Vec<String>,
        #[arg(long, env = "SETTINGS_TEST_FILE")]
        _file: Option<String>,
        // Masked by its type alone.
        #[arg(long, env = "SETTINGS_TEST_TOKEN")]
        _token: Option<SecretString>,
        #[arg(long)]
        _no_setting: bool,
    }

    #[test]
    fn a_setting_is_listed_with_its_source_and_a_secret_is_masked_by_its_type() {
        let arguments = ["service", "--names", "a,b\u{1b}", "--token", "s3cret"];
        let matches = Settings::command().get_matches_from(arguments);
        let expected = "SETTINGS_TEST_BIND   default      127.0.0.1:1
SETTINGS_TEST_NAMES  flag         a,b\\u{1b}
SETTINGS_TEST_FILE   not set
SETTINGS_TEST_TOKEN  flag         ********
";
        assert_eq!(lines(&Settings::command(), &matches), expected);
    }

    #[test]
    fn the_url_of_a_database_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://app:s3cret@db:5432/app?password=s3cret", "postgres://app:********@db:5432/app"),
            ("postgres://db/app#s3cret", "postgres://db/app"),
            ("sqlite://data/app.sqlite", "sqlite://data/app.sqlite"),
            ("postgres://app:12/s3cret@db/app", MASK),
            ("postgres://app:s3cret/@db/app", MASK),
            ("s3cret", MASK),
        ] {
            assert_eq!(without_password(url), shown, "{url}");
        }
    }
}
