//! stub
/// stub
#[derive(Debug)]
pub struct Page {
    /// stub
    pub title: &'static str,
    /// stub
    pub default_query: &'static str,
}
/// stub
pub fn router(_page: Page) -> axum::Router {
    axum::Router::new()
}
