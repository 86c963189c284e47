//! Wrong answers in finance's place, some of which look right.

use tokio::net::TcpStream;

use super::{
    FinanceProxy,
    http::{Request, respond},
};

/// Far beyond the largest answer of finance.
const HUGE_SIZE: usize = 1024 * 1024;
const ERRORS: &[u8] = br#"{"data":null,"errors":[{"message":"no"}]}"#;
const HALF: &[u8] = br#"{"data":{"recordPayments":{"userErrors":[],"results":[{"payment":{"appoin"#;
const REDIRECT: &str = "location: http://127.0.0.1:1/graphql\r\n";

impl FinanceProxy {
    /// One of seven answers, six of them wrong.
    pub(super) async fn answer_badly(
        &self,
        request: &Request,
        stream: &mut TcpStream,
        number: usize,
    ) -> anyhow::Result<()> {
        let (fault, status, headers, body) = match self.random(7) {
            0 => ("hostile answer: 1 MB", 200, "", vec![b' '; HUGE_SIZE]),
            1 => ("hostile answer: HTML", 200, "", b"<html><body>Welcome to the login page</body></html>".to_vec()),
            2 => ("hostile answer: 200 with errors", 200, "", ERRORS.to_vec()),
            3 => ("hostile answer: redirect", 307, REDIRECT, Vec::new()),
            4 => ("hostile answer: half JSON", 200, "", HALF.to_vec()),
            5 => {
                let (status, body) = self.ask(request).await;
                ("hostile answer: payments of others", status, "", with_other_ids(&body))
            }
            _ => return self.pass(request, stream, number).await,
        };
        self.log.inject(fault);
        respond(stream, status, headers, &body).await
    }
}

/// A well-formed success for other appointments than were sent.
fn with_other_ids(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut parts = text.split("\"appointmentId\":\"");
    let mut other = vec![parts.next().unwrap_or_default().to_owned()];
    for part in parts {
        let rest = part.split_once('"').map_or("", |(_, rest)| rest);
        other.push(format!("\"appointmentId\":\"{}\"{rest}", uuid::Uuid::new_v4()));
    }
    other.concat().into_bytes()
}
