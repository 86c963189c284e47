//! The style and the script of the pages. Their addresses change with their content, so browsers keep them for good.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

use axum::{Router, http::header, routing::get};

/// A file.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its name, relative to the directory `console`.
    pub(super) name: String,
    kind: &'static str,
    content: &'static str,
}

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_str!("../../console/console.css")));
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("js", "text/javascript; charset=utf-8", include_str!("../../console/console.js")));

impl Asset {
    fn new(ending: &str, kind: &'static str, content: &'static str) -> Self {
        // To tell versions apart. Nobody else could put a file here.
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        Self { name: format!("console-{:016x}.{ending}", hasher.finish()), kind, content }
    }
}

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    [&*STYLE, &*SCRIPT].into_iter().fold(Router::new(), |router, asset| {
        let headers =
            [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
        router.route(&format!("/console/{}", asset.name), get(async move || (headers, asset.content)))
    })
}
