//! A way to one server. It can be cut, long, or lead to a machine that is off.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

const BUFFER_SIZE: usize = 16 * 1024;
/// Pieces of a connection that are on their way at a time.
const ON_THE_WAY: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Up,
    /// Connections stay open. What is sent arrives when it is up again.
    Cut,
    /// Connections end, and none begins. What is on its way is lost.
    Down,
}

#[derive(Clone, Copy, Debug)]
struct Condition {
    state: State,
    delay: Duration,
}

#[derive(Debug)]
pub(super) struct Wire {
    pub(super) port: u16,
    condition: watch::Sender<Condition>,
}

impl Wire {
    /// To the server at this port of loopback.
    pub(super) async fn open(target: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let condition = watch::Sender::new(Condition { state: State::Up, delay: Duration::ZERO });
        let watched = condition.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target, watched.clone()));
            }
        });
        Ok(Self { port, condition })
    }

    pub(super) fn set(&self, state: State) {
        self.condition.send_modify(|condition| condition.state = state);
    }

    /// Delays each piece in either direction.
    pub(super) fn delay(&self, delay: Duration) {
        self.condition.send_modify(|condition| condition.delay = delay);
    }
}

async fn carry(mut client: TcpStream, target: u16, condition: watch::Receiver<Condition>) {
    let mut down = condition.clone();
    let carried = async {
        not_cut(&condition).await;
        let mut server = TcpStream::connect(("127.0.0.1", target)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        tokio::try_join!(pass(from_client, to_server, &condition), pass(from_server, to_client, &condition))
    };
    tokio::select! {
        _ = carried => {}
        _ = down.wait_for(|condition| condition.state == State::Down) => {}
    }
}

/// Passes everything on until the sender ends.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    condition: &watch::Receiver<Condition>,
) -> std::io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let receive = async move {
        loop {
            let mut bytes = vec![0; BUFFER_SIZE];
            let length = from.read(&mut bytes).await?;
            bytes.truncate(length);
            let arrival = Instant::now() + condition.borrow().delay;
            if sender.send((arrival, bytes)).await.is_err() || length == 0 {
                return Ok(());
            }
        }
    };
    let deliver = async move {
        while let Some((arrival, bytes)) = receiver.recv().await {
            sleep_until(arrival).await;
            not_cut(condition).await;
            if bytes.is_empty() {
                break;
            }
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(receive, deliver).map(drop)
}

async fn not_cut(condition: &watch::Receiver<Condition>) {
    let _ = condition.clone().wait_for(|condition| condition.state != State::Cut).await;
}
