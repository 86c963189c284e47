//! The part of HTTP/1.1 that the relay uses: requests and answers with a length.

use anyhow::{Context, ensure};
use reqwest::Client;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// No request of the relay is longer.
const MAX_REQUEST: usize = 1024 * 1024;

/// A request: its headers to pass on, and its body.
pub(super) struct Request {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; `None` at its end.
    pub(super) async fn read(stream: &mut TcpStream) -> anyhow::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            ensure!(bytes.len() < MAX_REQUEST, "no end of the head");
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length").context("no length")?.1.parse()?;
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            ensure!(stream.read_buf(&mut body).await? > 0, "half a request");
        }
        let passed_on = ["authorization", "content-type", "accept"];
        let headers = headers.into_iter().filter(|(name, _)| passed_on.contains(&name.as_str())).collect();
        Ok(Some(Self { headers, body }))
    }

    /// The answer of the replica at `port`.
    pub(super) async fn send(&self, http: &Client, port: u16) -> reqwest::Result<(u16, Vec<u8>)> {
        let mut request = http.post(format!("http://127.0.0.1:{port}/graphql")).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
    }
}

/// Answers.
pub(super) async fn respond(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> anyhow::Result<()> {
    let kind = "application/graphql-response+json";
    let length = body.len();
    let head = format!("HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{headers}\r\n");
    // One write: a second would wait for the acknowledgement of the first.
    Ok(stream.write_all(&[head.as_bytes(), body].concat()).await?)
}
