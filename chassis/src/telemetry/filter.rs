//! Filter of log events: `tracing` directives, validated when the command line is parsed.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// Valid directives.
#[derive(Clone, Debug)]
pub(super) struct Filter(String);

impl Filter {
    pub(super) fn directives(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl FromStr for Filter {
    type Err = String;

    /// Refuses a lone word that is no level. `tracing` would take it for a module name: `verbose` would log the module
    /// `verbose` alone, which does not exist.
    fn from_str(text: &str) -> Result<Self, String> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let mut modules = words.filter(|word| !word.contains(['=', '[', ':']));
        if let Some(word) = modules.find(|word| word.parse::<LevelFilter>().is_err()) {
            return Err(format!(
                "{word} is no level: want error, warn, info, debug, trace or off, alone or for a module, as in \
                 info,sqlx=debug"
            ));
        }
        EnvFilter::try_new(text).map_err(|error| error.to_string())?;
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives_are_taken_and_other_words_refused() {
        for text in
            ["", "info", "WARN", "off", "info,sea_orm_migration=warn,sqlx=warn", "chassis::server=debug", "a[b]=trace"]
        {
            assert!(text.parse::<Filter>().is_ok(), "{text}");
        }
        for text in ["verbose", "info,verbose", "sqlx=verbose", "warning"] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
        let refused = "info,verbose".parse::<Filter>().expect_err("refused");
        assert!(refused.starts_with("verbose is no level") && refused.ends_with("info,sqlx=debug"), "{refused}");
    }
}
