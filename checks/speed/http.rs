//! A cheap HTTP client: requests are prepared bytes, responses are framed by their length.

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::{Uuid, fmt::Hyphenated};

/// Larger than any response of the measured operations.
const BUFFER: usize = 64 * 1024;
/// `admin:teste123`, the development user.
const AUTHORIZATION: &str = "Basic YWRtaW46dGVzdGUxMjM=";

/// A persistent connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER] })
    }

    /// Sends a request. Returns the body of a successful response.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            ensure!(read > 0, "the connection ended, or the answer is longer than {BUFFER} bytes");
            filled += read;
            if let Some((start, end)) = body(&self.buffer[..filled])?
                && filled >= end
            {
                return Ok(&self.buffer[start..end]);
            }
        }
    }
}

/// Where the body starts and ends, once the head is complete.
fn body(answer: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    const LENGTH: &[u8] = b"content-length: ";
    let Some(head_end) = find(answer, b"\r\n\r\n") else { return Ok(None) };
    let head = &answer[..head_end];
    if !head.starts_with(b"HTTP/1.1 200") {
        bail!("{}", String::from_utf8_lossy(answer));
    }
    let digits = &head[find(head, LENGTH).context("no content-length")? + LENGTH.len()..];
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    let start = head_end + 4;
    Ok(Some((start, start + length)))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// The bytes of a request, with places for ids.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        let bytes = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes();
        Self { bytes, places: Vec::new() }
    }

    /// One operation. In the variables `{0}`, `{1}` and so on are the places.
    pub(crate) fn graphql(query: &str, variables: &str) -> Self {
        let places = (0..).take_while(|place| variables.contains(&place_name(*place)));
        let marks: Vec<_> = places.map(|place| Uuid::from_u128(u128::MAX - place)).collect();
        let mut variables = variables.to_owned();
        for (place, mark) in (0..).zip(&marks) {
            variables = variables.replace(&place_name(place), &mark.to_string());
        }
        let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
        let body = format!(r#"{{"query":"{query}","variables":{variables}}}"#);
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\nauthorization: {AUTHORIZATION}\r\n\
             accept: application/graphql-response+json, application/json\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let bytes = (head + &body).into_bytes();
        let places = marks.iter().map(|mark| find(&bytes, mark.to_string().as_bytes()).expect("it is there")).collect();
        Self { bytes, places }
    }

    /// The same with other credentials: the value of the header Authorization.
    pub(crate) fn authorized_by(mut self, authorization: &str) -> Self {
        let start = find(&self.bytes, AUTHORIZATION.as_bytes()).expect("it is there");
        let end = start + AUTHORIZATION.len();
        self.bytes.splice(start..end, authorization.bytes());
        // They are in the body, behind it.
        for place in &mut self.places {
            *place = *place + authorization.len() - AUTHORIZATION.len();
        }
        self
    }

    pub(crate) fn fill(&mut self, place: usize, id: Uuid) {
        let start = self.places[place];
        id.hyphenated().encode_lower(&mut self.bytes[start..start + Hyphenated::LENGTH]);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn place_name(place: u128) -> String {
    format!("{{{place}}}")
}
