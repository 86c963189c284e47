//! The proxy between one relay and finance: it counts calls, balances over replicas, and injects faults of finance.

mod hostile;
mod http;
mod log;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use reqwest::Client;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

use http::{Request, respond};
use log::Log;

/// Longer than the relay waits for an answer.
const SLOW_ANSWER_DELAY: Duration = Duration::from_secs(12);
/// Longer than any call of finance.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Of 100 answers, this many are dropped after finance has committed.
const DROPPED_OF_100: u8 = 30;

/// The state of finance that the relay sees.
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

/// The proxy of one relay.
#[derive(Debug)]
pub(crate) struct FinanceProxy {
    pub(crate) port: u16,
    replicas: Vec<u16>,
    http: Client,
    finance: Mutex<Finance>,
    /// Its calls.
    pub(crate) log: Log,
    random: Mutex<Rng>,
}

impl FinanceProxy {
    pub(crate) async fn open(replicas: Vec<u16>, random: Rng) -> anyhow::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let finance_proxy = Arc::new(Self {
            port: listener.local_addr()?.port(),
            replicas,
            http: chassis::http_client::builder().timeout(REQUEST_TIMEOUT).build()?,
            finance: Mutex::new(Finance::Healthy),
            log: Log::default(),
            random: Mutex::new(random),
        });
        let accepting = finance_proxy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let finance_proxy = accepting.clone();
                tokio::spawn(async move { finance_proxy.serve(stream).await });
            }
        });
        Ok(finance_proxy)
    }

    pub(crate) fn set(&self, finance: Finance) {
        *self.finance.lock().expect("finance") = finance;
    }

    fn now(&self) -> Finance {
        *self.finance.lock().expect("finance")
    }

    async fn serve(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        if self.now() == Finance::Refused {
            self.log.call();
            return Ok(stream.set_zero_linger()?);
        }
        while let Some(request) = Request::read(&mut stream).await? {
            let number = self.log.call();
            match self.now() {
                Finance::Refused => return Ok(stream.set_zero_linger()?),
                // Ends when the caller hangs up.
                Finance::BlackHole => return Ok(stream.read(&mut [0]).await.map(|_| ())?),
                Finance::Unavailable => respond(&mut stream, 503, "", b"").await?,
                Finance::Slow => {
                    let answer = self.ask(&request).await;
                    tokio::time::sleep(SLOW_ANSWER_DELAY).await;
                    respond(&mut stream, answer.0, "", &answer.1).await?;
                }
                Finance::DropsAnswers if self.random(100) < DROPPED_OF_100 => {
                    self.log.inject("answer dropped after finance's commit");
                    self.ask(&request).await;
                    return Ok(());
                }
                Finance::Healthy | Finance::DropsAnswers => self.pass(&request, &mut stream, number).await?,
                Finance::Hostile => self.answer_badly(&request, &mut stream, number).await?,
            }
        }
        Ok(())
    }

    async fn pass(&self, request: &Request, stream: &mut TcpStream, number: usize) -> anyhow::Result<()> {
        let (status, body) = self.ask(request).await;
        respond(stream, status, "", &body).await?;
        let is_success = status == 200 && !body.windows(8).any(|window| window == b"\"errors\"");
        if is_success {
            self.log.answered(number);
        }
        Ok(())
    }

    /// The answer of a replica. As a load balancer does, it tries another if one cannot be reached.
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

    fn random(&self, below: u8) -> u8 {
        self.random.lock().expect("random").u8(0..below)
    }
}
