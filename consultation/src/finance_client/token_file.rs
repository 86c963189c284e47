//! The bearer token for finance. Whoever renews it replaces the file; each call reads it.

use std::{fs::File, io::Read, path::Path};

use secrecy::SecretString;

use super::DestinationFailed;

/// Longest token that finance accepts, and a line break.
const MAX_BYTES: u64 = 8 * 1024 + 2;

pub(super) fn read(file: &Path) -> Result<SecretString, DestinationFailed> {
    let failed = |why: &str| {
        let file = file.display();
        DestinationFailed::misconfigured(format!("--consultation-finance-token-file: {file} {why}"))
    };
    let mut text = String::new();
    let read = File::open(file).and_then(|opened| opened.take(MAX_BYTES + 1).read_to_string(&mut text));
    let length = read.map_err(|error| failed(&format!("cannot be read: {error}")))?;
    let token = text.trim_end_matches(['\r', '\n']);
    match length {
        _ if token.is_empty() => Err(failed("is empty")),
        _ if length as u64 > MAX_BYTES => Err(failed("is over 8 KiB")),
        _ if !token.bytes().all(|byte| byte.is_ascii_graphic()) => Err(failed("holds more than a token")),
        _ => Ok(token.into()),
    }
}
