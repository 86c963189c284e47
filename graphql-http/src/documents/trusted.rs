//! Trusted documents: with a directory of them, no others run. They are *.graphql files, and the *.json manifests of
//! build tools.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, anyhow, bail, ensure};
use async_graphql::{ServerError, parser::parse_query};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Reference, normalized, sha256};
use crate::bad_request::BadRequest;

const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";
const APOLLO_VERSION: u64 = 1;
const EXPECTED: &str = "write a map from id to text, as Relay and GraphQL Code Generator do, or Apollo's \
                        persisted query manifest";

/// Each text by each of its names: its id, if it has one, and its hashes.
#[derive(Debug, Default)]
pub(crate) struct Trusted(HashMap<String, Arc<str>>);

impl Trusted {
    /// Reads all files of `directory`.
    pub(super) fn read(directory: &Path) -> anyhow::Result<Self> {
        let mut trusted = Self::default();
        for path in files(directory).with_context(|| format!("cannot read the directory {}", directory.display()))? {
            trusted.add_file(&path)?;
        }
        let advice = "put *.graphql files or *.json manifests there, or leave the setting out to execute any document";
        ensure!(!trusted.0.is_empty(), "{} has no documents: {advice}", directory.display());
        Ok(trusted)
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().filter(|(name, text)| **name == sha256(text.trim_end())).count()
    }

    /// The text of the document that a request names or carries.
    pub(super) fn resolve(&self, reference: Option<&Reference>, text: &str) -> Result<&str, BadRequest> {
        if text.is_empty()
            && let Some(reference) = reference
        {
            return self.0.get(reference.name()).map(AsRef::as_ref).ok_or_else(|| unknown(reference));
        }
        let trusted = self.0.get(&sha256(text.trim_end())).ok_or_else(BadRequest::not_trusted)?;
        match reference {
            Some(hash) if self.0.get(hash.name()) != Some(trusted) && sha256(text) != hash.name() => {
                Err(BadRequest::hash_mismatch())
            }
            _ => Ok(trusted),
        }
    }

    fn add_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let file = path.display();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let (Some(extension @ ("graphql" | "json")), true) = (extension, path.is_file()) else {
            bail!("{file} is neither a *.graphql nor a *.json file: move it out of the directory");
        };
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
        if extension == "graphql" {
            return self.add(None, &text).with_context(|| file.to_string());
        }
        for (id, text) in parse_manifest(&text).with_context(|| file.to_string())? {
            self.add(Some(&id), &text).with_context(|| format!("{file}: the document {id:?}"))?;
        }
        Ok(())
    }

    fn add(&mut self, id: Option<&str>, text: &str) -> anyhow::Result<()> {
        ensure!(id != Some(""), "a document without an id: give it one");
        parse_query(text).map_err(|error| unparsable(&error.into()))?;
        // An editor's final line break does not make another document.
        let hashes = [sha256(text), sha256(text.trim_end())];
        let text = Arc::from(text);
        for name in id.map(normalized).into_iter().chain(hashes) {
            let known = self.0.entry(name).or_insert_with(|| Arc::clone(&text));
            let is_same = known.trim_end() == text.trim_end();
            ensure!(is_same, "another document has the same id: give each an id of its own");
        }
        Ok(())
    }
}

/// The files in the order of their names, so that the first of several mistakes is always the same. A mounted ConfigMap
/// has entries of its own beside its files: `..data` and its target.
fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
    let entries = entries.iter().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b".."));
    let mut paths: Vec<_> = entries.map(fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}

/// The parser's message draws the place in several lines. Its end fits a log line.
fn unparsable(error: &ServerError) -> anyhow::Error {
    let why = error.message.rsplit("= ").next().unwrap_or_default().trim_end();
    let at = error.locations.first().map(|at| format!("line {}, column {}: ", at.line, at.column));
    anyhow!("{}{why}: correct it or remove it", at.unwrap_or_default())
}

fn unknown(reference: &Reference) -> BadRequest {
    match reference {
        Reference::Id(_) => BadRequest::unknown_document_id("add it to the directory of trusted documents"),
        Reference::Hash(_) => BadRequest::persisted_query_not_found(),
    }
}

/// The format of `@apollo/generate-persisted-query-manifest`.
#[derive(Deserialize)]
struct Apollo {
    format: String,
    version: u64,
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

/// The ids and texts of a manifest.
fn parse_manifest(json: &str) -> anyhow::Result<Vec<(String, String)>> {
    let object: Map<String, Value> = read(json)?;
    // A map from id to text has no list.
    if !object.get("operations").is_some_and(Value::is_array) {
        return Ok(read::<BTreeMap<_, _>>(json)?.into_iter().collect());
    }
    let Apollo { format, version, operations } = read(json)?;
    ensure!(format == APOLLO_FORMAT, "the format is {format:?}, not {APOLLO_FORMAT:?}: {EXPECTED}");
    ensure!(version == APOLLO_VERSION, "the version is {version}, not {APOLLO_VERSION}: build it in that version");
    Ok(operations.into_iter().map(|Operation { id, body }| (id, body)).collect())
}

/// Parses the text each time, so that an error names the line.
fn read<T: DeserializeOwned>(json: &str) -> anyhow::Result<T> {
    serde_json::from_str(json).map_err(|error| anyhow!("{error}: {EXPECTED}"))
}
