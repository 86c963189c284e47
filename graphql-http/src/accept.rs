//! Preferences of a client: the elements of an Accept or Accept-Encoding header with their quality values.

use axum::http::{HeaderMap, HeaderName};

/// The elements of all header lines of this name that the client accepts (`q` above 0), in the order given: each in
/// lower case and without parameters, with its quality. An element with a malformed quality does not count.
pub(crate) fn preferences(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (String, f32)> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(preference)
}

fn preference(element: &str) -> Option<(String, f32)> {
    let mut parts = element.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let quality = parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
    let quality = quality.map_or(Some(1.0), |quality| quality.parse().ok())?;
    (quality > 0.0).then_some((name, quality))
}

#[cfg(test)]
mod tests {
    use axum::http::header::ACCEPT;

    use super::*;

    #[test]
    fn refused_and_malformed_elements_do_not_count() {
        let headers = [(ACCEPT, "a/b;q=0.5, C/D ; charset=utf-8, ,e/f;q=0,g/h;q=nonsense, i/j;q=0.000")];
        let headers = headers.map(|(name, value)| (name, value.parse().expect("a value"))).into_iter().collect();
        let accepted: Vec<_> = preferences(&headers, ACCEPT).collect();
        assert_eq!(accepted, [("a/b".to_owned(), 0.5), ("c/d".to_owned(), 1.0)]);
    }
}
