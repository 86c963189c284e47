//! Finance as this process's relay meets it, and the way to its GraphiQL.

use chassis::http_client::is_this_machine;
use maud::{Markup, html};
use reqwest::Url;

use super::{layout::say, times::Times};
use crate::outbox::Calls;

/// What readers may see of finance's address: a query may be a secret.
pub(crate) fn address(finance: &Url) -> Url {
    let mut address = finance.clone();
    address.set_query(None);
    address.set_fragment(None);
    address
}

/// The address of finance's GraphiQL, if the browser can reach it: under the name by which it reached this service.
pub(super) fn graphiql(finance: &Url, host: Option<&Url>) -> Option<(String, &'static str)> {
    let is_same = host.is_some_and(|host| host.host_str() == finance.host_str());
    let is_reached = is_same || is_this_machine(finance) && host.is_some_and(is_this_machine);
    let directory = finance.path().strip_suffix("/graphql").filter(|_| is_reached)?;
    let mut address = finance.clone();
    address.set_path(&format!("{directory}/graphiql"));
    Some((address.into(), "console-finance-graphiql"))
}

/// The section on the breaker and the last calls.
pub(super) fn section(Calls { open_since, succeeded_at, failed }: &Calls, address: &Url, times: Times) -> Markup {
    html! {
        section #finance aria-labelledby="finance-title" {
            h2 #finance-title tabindex="-1" { (say("console-finance")) }
            dl.facts {
                dt { (say("console-breaker")) }
                dd {
                    @if let Some(since) = open_since {
                        span.badge.bad { (say("console-open")) } " " (say("console-open-means")) " " (times.at(*since))
                    } @else {
                        span.badge.good { (say("console-closed")) } " " (say("console-closed-means"))
                    }
                }
                dt { (say("console-succeeded")) }
                dd { @if let Some(at) = succeeded_at { (times.at(*at)) } @else { (say("console-never")) } }
                dt { (say("console-failed")) }
                dd {
                    @if let Some((at, why)) = failed { (times.at(*at)) ": " span.error { (why) } }
                    @else { (say("console-never")) }
                }
                dt { (say("console-address")) }
                dd.error { (address) }
            }
            p.note { (say("console-of-this-process")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(finance: &str, host: &str) -> Option<String> {
        let [finance, host] = [finance, host].map(|url| url.parse().expect("a URL"));
        graphiql(&finance, Some(&host)).map(|(address, _)| address)
    }

    #[test]
    fn finance_is_linked_where_the_browser_can_reach_it() {
        let own = "http://127.0.0.1:8020/graphql";
        assert_eq!(link(own, "http://localhost:8010"), Some("http://127.0.0.1:8020/graphiql".to_owned()));
        assert_eq!(link(own, "http://clinic.example"), None, "its own machine is another");
        let named = "https://clinic.example/finance/graphql";
        assert_eq!(link(named, "http://clinic.example"), Some("https://clinic.example/finance/graphiql".to_owned()));
        assert_eq!(link("http://gateway:8020/graphql", "http://clinic.example"), None, "a name inside the network");
        assert_eq!(link("http://127.0.0.1:8020/other", "http://127.0.0.1:8010"), None);
    }
}
