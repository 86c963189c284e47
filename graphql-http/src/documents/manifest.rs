//! The JSON files in which build tools write documents with their ids.

use std::collections::BTreeMap;

use anyhow::{anyhow, ensure};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";
const APOLLO_VERSION: u64 = 1;
const EXPECTED: &str = "write a map from id to text, as Relay and GraphQL Code Generator do, or Apollo's \
                        persisted query manifest";

/// As `@apollo/generate-persisted-query-manifest` writes it.
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

/// The ids and texts that `json` holds.
pub(super) fn parse(json: &str) -> anyhow::Result<Vec<(String, String)>> {
    let object: Map<String, Value> = read(json)?;
    // Where ids are mapped to texts, none is mapped to a list.
    if !object.get("operations").is_some_and(Value::is_array) {
        return Ok(read::<BTreeMap<_, _>>(json)?.into_iter().collect());
    }
    let Apollo { format, version, operations } = read(json)?;
    ensure!(format == APOLLO_FORMAT, "the format is {format:?}, not {APOLLO_FORMAT:?}: {EXPECTED}");
    let advice = "have it built in this version";
    ensure!(version == APOLLO_VERSION, "the version is {version}, not {APOLLO_VERSION}: {advice}");
    Ok(operations.into_iter().map(|Operation { id, body }| (id, body)).collect())
}

/// From the text each time, so that an error tells the line.
fn read<T: DeserializeOwned>(json: &str) -> anyhow::Result<T> {
    serde_json::from_str(json).map_err(|error| anyhow!("{error}: {EXPECTED}"))
}
