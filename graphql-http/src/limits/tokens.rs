//! Scans a document before it is parsed. The parser recurses at each bracket: 500 nested lists end a debug build. The
//! scan reads every byte once, without recursion.
//!
//! Its count of tokens may differ a little from the parser's, but it must see every bracket that the parser sees. Both
//! delimit strings and comments alike, and the scan stops only where the parser certainly does.

use super::{Excess, MAX_BRACKETS, MAX_DOCUMENT, MAX_NAME, MAX_TOKENS};

#[cfg(test)]
mod tests;

/// Refuses a document that is unsafe to parse. Returns how many tokens the parser finds in it at most.
pub(crate) fn scan(document: &str) -> Result<usize, Excess> {
    if document.len() > MAX_DOCUMENT {
        return Err(Excess::Document(document.len()));
    }
    let (mut rest, mut tokens, mut brackets) = (document.as_bytes(), 0, 0_usize);
    while let Some(&first) = rest.first() {
        let (length, parts) = match first {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b'\xef' | b'\xbb' | b'\xbf' => {
                rest = &rest[1..];
                continue;
            }
            b'#' => {
                rest = &rest[while_is(rest, |byte| !matches!(byte, b'\n' | b'\r'))..];
                continue;
            }
            b'"' => match string(rest)? {
                Some(length) => (length, 1),
                None => break,
            },
            b'0'..=b'9' | b'-' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' => word(rest)?,
            b'{' | b'[' | b'(' => {
                brackets += 1;
                (1, 1)
            }
            b'}' | b']' | b')' => {
                brackets = brackets.saturating_sub(1);
                (1, 1)
            }
            b'!' | b'$' | b'&' | b':' | b'=' | b'@' | b'|' => (1, 1),
            // No token starts like this: the parser reports it.
            _ => break,
        };
        rest = &rest[length..];
        tokens += parts;
        if tokens > MAX_TOKENS {
            return Err(Excess::Tokens);
        }
        if brackets > MAX_BRACKETS {
            return Err(Excess::Brackets);
        }
    }
    Ok(tokens)
}

/// Refuses the name of an operation that no document could contain.
pub(crate) fn check_name(name: &str) -> Result<(), Excess> {
    if name.len() > MAX_NAME { Err(Excess::Name(name.len())) } else { Ok(()) }
}

/// The length of the word at the start, and how many tokens the parser finds in it at most. The dots of a spread may
/// touch the name of its fragment.
fn word(bytes: &[u8]) -> Result<(usize, usize), Excess> {
    let dots = bytes.iter().take_while(|byte| **byte == b'.').count();
    let length = while_is(bytes, is_word);
    if length - dots > MAX_NAME { Err(Excess::Name(length - dots)) } else { Ok((length, parts(&bytes[..length]))) }
}

/// The tokens of a word: `-1-1` are two numbers, `00` are two, and `1a` is a number and a name.
fn parts(word: &[u8]) -> usize {
    let (mut parts, mut start) = (1, 0);
    for at in 1..word.len() {
        let is_number = !word[start].is_ascii_alphabetic() && word[start] != b'_';
        let splits = match word[at] {
            b'.' => word[at - 1] != b'.',
            b'-' | b'+' => true,
            b'0'..=b'9' => matches!(&word[start..at], b"0" | b"-0"),
            _ => is_number && word[start] != b'.',
        };
        if splits {
            (parts, start) = (parts + 1, at);
        }
    }
    parts
}

/// Names, numbers and dots. The parser may split adjacent ones into several tokens.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+')
}

fn while_is(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is(*byte)).unwrap_or(bytes.len()).max(1)
}

/// The length of the string at the start, or `None` if it does not end in its line: the parser reports it.
fn string(bytes: &[u8]) -> Result<Option<usize>, Excess> {
    if bytes.starts_with(b"\"\"\"") {
        return block_string(bytes).map(Some);
    }
    let mut at = 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(Some(at + 1)),
            Some(b'\\') if !matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => at += 2,
            None | Some(b'\n' | b'\r') => return Ok(None),
            Some(_) => at += 1,
        }
    }
}

/// The length of the block string at the start. An unterminated one is refused here: the parser would read it as an
/// empty string, and see brackets where the scan sees none.
fn block_string(bytes: &[u8]) -> Result<usize, Excess> {
    let mut at = 3;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'\\', b'"', b'"', b'"', ..] => at += 4,
            [b'"', b'"', b'"', ..] => return Ok(at + 3),
            _ => at += 1,
        }
    }
    Err(Excess::Unterminated)
}
