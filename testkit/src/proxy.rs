//! A proxy before a server that can go silent: it drops all data and closes no connection.

use std::{path::PathBuf, sync::Arc};

use sea_orm::sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

#[derive(Clone, Debug)]
enum Target {
    Unix(PathBuf),
    Tcp(String, u16),
}

/// Forwards connections to a server on this machine.
#[derive(Debug)]
pub struct Proxy {
    /// Port that it listens on.
    pub port: u16,
    /// Number of silences: connections from before the latest are dead.
    silences: Arc<watch::Sender<u32>>,
}

impl Proxy {
    /// A proxy before the PostgreSQL server of these options, which may listen on a Unix socket.
    pub async fn before(server: &PgConnectOptions) -> Self {
        let target = match server.get_socket() {
            Some(directory) => Target::Unix(directory.join(format!(".s.PGSQL.{}", server.get_port()))),
            None => Target::Tcp(server.get_host().to_owned(), server.get_port()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let silences = Arc::new(watch::Sender::new(0));
        let accepting = Arc::clone(&silences);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (target, silences) = (target.clone(), accepting.subscribe());
                tokio::spawn(async move {
                    match target {
                        Target::Unix(path) => carry(client, UnixStream::connect(path).await, silences).await,
                        Target::Tcp(host, port) => {
                            carry(client, TcpStream::connect((host, port)).await, silences).await;
                        }
                    }
                });
            }
        });
        Self { port, silences }
    }

    /// Silences the open connections for ever; new ones work.
    pub fn silence(&self) {
        self.silences.send_modify(|silences| *silences += 1);
    }
}

async fn carry(
    mut client: TcpStream,
    server: std::io::Result<impl AsyncRead + AsyncWrite + Unpin>,
    mut silences: watch::Receiver<u32>,
) {
    let Ok(mut server) = server else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        // Both ends stay open, and nothing reads them.
        Ok(()) = silences.changed() => std::future::pending().await,
    }
}
