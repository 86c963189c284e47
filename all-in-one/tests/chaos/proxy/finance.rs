//! Between one relay and finance: counts the calls, balances over the replicas, and is finance at its worst.

mod http;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use fastrand::Rng;
use reqwest::Client;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

use http::{Request, respond};

/// Longer than the relay waits for an answer.
const SLOW: Duration = Duration::from_secs(12);
/// Longer than finance takes for anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of 100 answers, how many are dropped after finance has committed.
const DROPPED_OF_100: u8 = 30;
/// Far over what an answer of finance can be.
const HUGE: usize = 1024 * 1024;

/// What the relay sees of finance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finance {
    Healthy,
    Refused,
    BlackHole,
    Unavailable,
    Slow,
    DropsAnswers,
    Hostile,
}

/// A call as it came: when, and whether finance's own answer, a success, went back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) answered: Option<Instant>,
}

/// The way to finance of one relay.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) port: u16,
    replicas: Vec<u16>,
    http: Client,
    finance: Mutex<Finance>,
    calls: Mutex<Vec<Call>>,
    random: Mutex<Rng>,
}

impl Door {
    pub(crate) async fn open(replicas: Vec<u16>, random: Rng) -> anyhow::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let door = Arc::new(Self {
            port: listener.local_addr()?.port(),
            replicas,
            http: chassis::http_client::builder().timeout(PATIENCE).build()?,
            finance: Mutex::new(Finance::Healthy),
            calls: Mutex::default(),
            random: Mutex::new(random),
        });
        let accepting = door.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let door = accepting.clone();
                tokio::spawn(async move { door.serve(stream).await });
            }
        });
        Ok(door)
    }

    pub(crate) fn set(&self, finance: Finance) {
        *self.finance.lock().expect("finance") = finance;
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("calls").clone()
    }

    fn now(&self) -> Finance {
        *self.finance.lock().expect("finance")
    }

    fn count(&self) -> usize {
        let mut calls = self.calls.lock().expect("calls");
        calls.push(Call { at: Instant::now(), answered: None });
        calls.len() - 1
    }

    async fn serve(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        if self.now() == Finance::Refused {
            self.count();
            return Ok(stream.set_zero_linger()?);
        }
        while let Some(request) = Request::read(&mut stream).await? {
            let number = self.count();
            match self.now() {
                Finance::Refused => return Ok(stream.set_zero_linger()?),
                // Until the caller hangs up.
                Finance::BlackHole => return Ok(stream.read(&mut [0]).await.map(|_| ())?),
                Finance::Unavailable => respond(&mut stream, 503, "", b"").await?,
                Finance::Slow => {
                    let answer = self.ask(&request).await;
                    tokio::time::sleep(SLOW).await;
                    respond(&mut stream, answer.0, "", &answer.1).await?;
                }
                Finance::DropsAnswers if self.random(100) < DROPPED_OF_100 => {
                    self.ask(&request).await;
                    return Ok(());
                }
                Finance::Healthy | Finance::DropsAnswers => self.pass(&request, &mut stream, number).await?,
                Finance::Hostile => return self.be_hostile(&request, &mut stream, number).await,
            }
        }
        Ok(())
    }

    async fn pass(&self, request: &Request, stream: &mut TcpStream, number: usize) -> anyhow::Result<()> {
        let (status, body) = self.ask(request).await;
        respond(stream, status, "", &body).await?;
        let is_success = status == 200 && !body.windows(8).any(|window| window == b"\"errors\"");
        if is_success {
            self.calls.lock().expect("calls")[number].answered = Some(Instant::now());
        }
        Ok(())
    }

    /// The answer of a replica: another is asked if one cannot be reached, as a balancer does.
    async fn ask(&self, request: &Request) -> (u16, Vec<u8>) {
        let first = usize::from(self.random(2));
        for offset in 0..self.replicas.len() {
            let port = self.replicas[(first + offset) % self.replicas.len()];
            match request.send(&self.http, port).await {
                Ok(answer) => return answer,
                Err(error) if error.is_connect() => {}
                Err(_) => break,
            }
        }
        (502, Vec::new())
    }

    async fn be_hostile(&self, request: &Request, stream: &mut TcpStream, number: usize) -> anyhow::Result<()> {
        match self.random(7) {
            0 => respond(stream, 200, "", &vec![b' '; HUGE]).await,
            1 => respond(stream, 200, "", b"<html><body>Welcome to the login page</body></html>").await,
            2 => respond(stream, 200, "", br#"{"data":null,"errors":[{"message":"no"}]}"#).await,
            3 => respond(stream, 307, "location: http://127.0.0.1:1/graphql\r\n", b"").await,
            4 => respond(stream, 200, "", br#"{"data":{"recordPayments":{"results":[{"payment":{"appoin"#).await,
            5 => {
                let (status, body) = self.ask(request).await;
                respond(stream, status, "", &with_other_ids(&body)).await
            }
            _ => self.pass(request, stream, number).await,
        }
    }

    fn random(&self, below: u8) -> u8 {
        self.random.lock().expect("random").u8(0..below)
    }
}

/// A well-formed success, but of other appointments than were sent.
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
