//! The subcommands that every program has about itself: its settings, shell completions, man pages. They need neither a
//! database nor settings that agree with each other.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process,
};

use anyhow::Context;
use clap::{ArgMatches, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

use super::settings;

// Without a doc comment: clap would show it as the description of the program.
#[derive(Clone, Debug, Subcommand)]
enum About {
    /// Print each setting with its source and value; secrets are masked
    Config,
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page
    Man {
        /// Write it to this directory instead, with those of all subcommands
        directory: Option<PathBuf>,
    },
}

/// Parses the command line, as [`Parser::parse`]. A subcommand about the program is run here, and the process ends.
#[must_use]
pub fn parse<C: Parser>() -> C {
    let command = About::augment_subcommands(C::command());
    let matches = command.clone().try_get_matches();
    let matches = matches.unwrap_or_else(|error| settings::mask_refused(error, command.clone()).exit());
    if let Ok(about) = About::from_arg_matches(&matches) {
        let ran = about.run(command, &matches);
        let is_failure = ran.is_err();
        // It prints the error.
        let _ = super::exit_code(ran);
        process::exit(i32::from(is_failure));
    }
    C::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut C::command()).exit())
}

impl About {
    fn run(self, mut command: clap::Command, matches: &ArgMatches) -> anyhow::Result<()> {
        // In memory first: clap_complete panics when it cannot write.
        let mut text = Vec::new();
        match self {
            Self::Config => text = settings::lines(&command, matches).into_bytes(),
            Self::Completions { shell } => {
                let name = command.get_name().to_owned();
                clap_complete::generate(shell, &mut command, name, &mut text);
            }
            Self::Man { directory: None } => Man::new(command).render(&mut text)?,
            Self::Man { directory: Some(directory) } => {
                let written =
                    fs::create_dir_all(&directory).and_then(|()| clap_mangen::generate_to(command, &directory));
                return written.with_context(|| format!("cannot write to {}", directory.display()));
            }
        }
        io::stdout().write_all(&text).context("cannot write")
    }
}
