//! Language of messages for people: English or Brazilian Portuguese, negotiated by Accept-Language.
//!
//! Error codes, names and messages for developers, such as syntax errors, are always in English.

use std::{fmt::Display, future::Future};

use axum::http::{HeaderMap, header};
use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use fluent_langneg::{NegotiationStrategy, negotiate_languages, parse_accepted_languages};
use graphql_http::TaskContext;
use unic_langid::LanguageIdentifier;

tokio::task_local! {
    static CURRENT: Language;
}

/// A language of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, the fallback.
    English,
    /// Brazilian Portuguese, also for `pt-PT`.
    Portuguese,
}

impl Language {
    /// Language of the current request.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(|language| *language).unwrap_or(Self::English)
    }

    /// The best match for the client's Accept-Language.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(accepted) = headers.get(header::ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok()) else {
            return Self::English;
        };
        let accepted = parse_accepted_languages(accepted);
        let [english, portuguese] = [Self::English, Self::Portuguese].map(Self::identifier);
        let available = [english, portuguese.clone()];
        let best = negotiate_languages(&accepted, &available, None, NegotiationStrategy::Lookup);
        if best.first() == Some(&&portuguese) { Self::Portuguese } else { Self::English }
    }

    fn identifier(self) -> LanguageIdentifier {
        let tag = match self {
            Self::English => "en",
            Self::Portuguese => "pt-BR",
        };
        tag.parse().expect("a language tag")
    }
}

impl TaskContext for Language {
    fn capture() -> Self {
        Self::current()
    }

    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        CURRENT.scope(self, future)
    }
}

/// The messages of a crate, in both languages.
#[expect(missing_debug_implementations, reason = "bundles have none")]
pub struct Messages {
    english: FluentBundle<FluentResource>,
    portuguese: FluentBundle<FluentResource>,
}

impl Messages {
    /// Messages in Fluent's syntax: <https://projectfluent.org/fluent/guide/>.
    ///
    /// # Panics
    /// When the syntax is wrong: the texts are compiled in.
    #[must_use]
    pub fn new(english: &str, portuguese: &str) -> Self {
        Self { english: bundle(Language::English, english), portuguese: bundle(Language::Portuguese, portuguese) }
    }

    /// A message in the current language, with its placeables replaced by `names`.
    ///
    /// # Panics
    /// When there is no such message.
    #[must_use]
    pub fn text(&self, id: &str, names: &[(&str, &dyn Display)]) -> String {
        let bundle = match Language::current() {
            Language::English => &self.english,
            Language::Portuguese => &self.portuguese,
        };
        let pattern = bundle.get_message(id).and_then(|message| message.value()).expect("a message");
        let names: FluentArgs<'_> = names.iter().map(|(name, value)| (*name, value.to_string())).collect();
        // Fluent shows a missing placeable by its name.
        bundle.format_pattern(pattern, Some(&names), &mut Vec::new()).into_owned()
    }
}

fn bundle(language: Language, messages: &str) -> FluentBundle<FluentResource> {
    let resource = FluentResource::try_new(messages.to_owned()).map_err(|(_, errors)| errors).expect("Fluent's syntax");
    let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
    // Isolation marks are for mixed writing directions, which neither language has.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).expect("each message once");
    bundle
}
