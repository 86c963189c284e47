//! Between the services and PostgreSQL: what was sent arrives, then the connection is cut, so that the
//! sender cannot know whether it was done.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// How long an answer is waited for before the cut, so that the statement was surely done.
const ANSWER_WITHIN: Duration = Duration::from_millis(200);
/// How a driver ends a transaction: a simple query of one word.
const COMMIT: &[u8] = b"COMMIT\0";

/// How often, of 1,000 messages, the connection is cut after it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cuts {
    pub(crate) commits: u32,
    pub(crate) statements: u32,
}

#[derive(Debug)]
pub(crate) struct DatabaseProxy {
    pub(crate) port: u16,
    target: u16,
    cuts: Mutex<Cuts>,
    random: Mutex<Rng>,
    /// Connections cut after a commit, and after another statement.
    pub(crate) cut: [AtomicU64; 2],
}

impl DatabaseProxy {
    pub(crate) async fn start(target: u16, random: Rng) -> anyhow::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Arc::new(Self {
            port: listener.local_addr()?.port(),
            target,
            cuts: Mutex::default(),
            random: Mutex::new(random),
            cut: Default::default(),
        });
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let proxy = accepting.clone();
                tokio::spawn(async move { proxy.carry(client).await });
            }
        });
        Ok(proxy)
    }

    pub(crate) fn cut(&self, cuts: Cuts) {
        *self.cuts.lock().expect("cuts") = cuts;
    }

    async fn carry(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut server = TcpStream::connect(("127.0.0.1", self.target)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut sent, mut received) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
        loop {
            tokio::select! {
                length = client.read(&mut sent) => {
                    let length = length?;
                    if length == 0 {
                        return Ok(());
                    }
                    server.write_all(&sent[..length]).await?;
                    if self.cuts_after(&sent[..length]) {
                        let _ = timeout(ANSWER_WITHIN, server.read(&mut received)).await;
                        return Ok(());
                    }
                }
                length = server.read(&mut received) => {
                    let length = length?;
                    if length == 0 {
                        return Ok(());
                    }
                    client.write_all(&received[..length]).await?;
                }
            }
        }
    }

    fn cuts_after(&self, message: &[u8]) -> bool {
        let cuts = *self.cuts.lock().expect("cuts");
        let is_commit = message.windows(COMMIT.len()).any(|window| window == COMMIT);
        let of_1000 = if is_commit { cuts.commits } else { cuts.statements };
        let cut = of_1000 > 0 && self.random.lock().expect("random").u32(0..1000) < of_1000;
        if cut {
            self.cut[usize::from(!is_commit)].fetch_add(1, Ordering::Relaxed);
        }
        cut
    }
}
