//! The settings in use, for people: clap knows them all, so a new one is listed by itself, and masked by itself if it is a
//! secret. What may hold a secret has `hide_env_values`: neither `--help` nor an error shows it.

use std::{any::TypeId, fmt::Write};

use clap::{
    Arg, ArgMatches, Command, Error,
    error::{ContextKind, ContextValue},
    parser::ValueSource,
};
use reqwest::Url;
use secrecy::SecretString;

use crate::telemetry::one_line;

const MASK: &str = "********";
const SCHEMES: [&str; 5] = ["http", "https", "postgres", "postgresql", "sqlite"];

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
        _ if value.is_empty() => value,
        Some([name]) if name == "URL" => without_password(&value),
        _ if arg.get_value_parser().type_id() == TypeId::of::<SecretString>() => MASK.to_owned(),
        _ => value,
    }
}

/// The URL without its password, and without its query, which may have one too. Without them it stays as it is written.
fn without_password(text: &str) -> String {
    let Ok(mut url) = text.parse::<Url>() else { return MASK.to_owned() };
    // Another scheme may be the beginning of a secret. A password that is not encoded may end in the path.
    if !SCHEMES.contains(&url.scheme()) || url.path().contains('@') {
        return MASK.to_owned();
    }
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    if url.password().is_none() && url.query().is_none() && url.fragment().is_none() {
        return text.to_owned();
    }
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Masks the value that `error` refuses, if `--help` hides it too: what is no valid URL or user name may be a password.
pub(super) fn mask_refused(mut error: Error, mut command: Command) -> Error {
    let context = (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidValue));
    let (Some(ContextValue::String(name)), Some(ContextValue::String(value))) = context else { return error };
    let is_hidden = |arg: &Arg| arg.is_hide_env_values_set() && arg.to_string() == *name && !value.is_empty();
    // Names of arguments with their values are there once it is built.
    command.build();
    if command.get_arguments().any(is_hidden) {
        error.insert(ContextKind::InvalidValue, ContextValue::String(MASK.to_owned()));
    }
    error
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
        #[arg(long = "url", value_name = "URL", hide_env_values = true)]
        #[arg(value_parser = |text: &str| text.parse::<u8>().map_err(|_| "want a number"))]
        _url: Option<u8>,
        #[arg(long = "port", value_name = "PORT")]
        _port: Option<u16>,
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
    fn a_refused_value_that_may_be_a_secret_is_not_shown() {
        let refused = |arguments: [&str; 3]| {
            let error = Settings::command().try_get_matches_from(arguments).expect_err("refused");
            mask_refused(error, Settings::command()).to_string()
        };
        let error = refused(["service", "--url", "s3cret"]);
        assert!(error.contains("invalid value '********' for '--url <URL>': want a number"), "{error}");
        let error = refused(["service", "--url", ""]);
        assert!(!error.contains(MASK), "{error}");
        let error = refused(["service", "--port", "many"]);
        assert!(error.contains("invalid value 'many' for '--port <PORT>'"), "{error}");
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://app:s3cret@db:5432/app?password=s3cret", "postgres://app:********@db:5432/app"),
            ("postgres://db/app#s3cret", "postgres://db/app"),
            ("sqlite://data/app.sqlite", "sqlite://data/app.sqlite"),
            ("postgres://app:12/s3cret@db/app", MASK),
            ("postgres://app:s3cret/@db/app", MASK),
            ("s3cret", MASK),
            ("s3cret:foo", MASK),
            ("mysql://app:s3cret@db/app", MASK),
            ("sqlite:data/app.sqlite", "sqlite:data/app.sqlite"),
            ("https://issuer.example", "https://issuer.example"),
            ("https://api.example/graphql?key=s3cret", "https://api.example/graphql"),
        ] {
            assert_eq!(without_password(url), shown, "{url}");
        }
    }
}
