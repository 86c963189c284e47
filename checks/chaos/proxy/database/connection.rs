//! One proxied connection of a service to PostgreSQL.

use std::sync::atomic::Ordering;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use super::{DatabaseProxy, Lane, Routes};

const BUFFER_SIZE: usize = 16 * 1024;
/// PostgreSQL's error response when it has no connection left.
const TOO_MANY: &[u8] = b"SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0";

impl DatabaseProxy {
    pub(super) async fn serve(&self, mut client: TcpStream, lane: Lane, number: u64) -> std::io::Result<()> {
        let mut routes = self.routes.subscribe();
        let now = *routes.borrow();
        if now.holds_new[lane as usize] {
            return hold(&mut client, lane, &mut routes).await;
        }
        if lane == Lane::Checker {
            return self.carry(client, lane, number, routes).await;
        }
        let others = self.open.fetch_add(1, Ordering::Relaxed);
        let outcome = if others < now.most {
            self.carry(client, lane, number, routes).await
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            refuse(&mut client).await
        };
        self.open.fetch_sub(1, Ordering::Relaxed);
        outcome
    }

    async fn carry(
        &self,
        mut client: TcpStream,
        lane: Lane,
        number: u64,
        mut routes: watch::Receiver<Routes>,
    ) -> std::io::Result<()> {
        let target = routes.borrow().target[lane as usize];
        let mut server = TcpStream::connect(("127.0.0.1", target)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut sent, mut received) = (vec![0; BUFFER_SIZE], vec![0; BUFFER_SIZE]);
        loop {
            let now = *routes.borrow_and_update();
            if number < now.closed_below[lane as usize] {
                return Ok(());
            }
            if number < now.silent_below[lane as usize] {
                return silence(client, server, lane, routes).await;
            }
            tokio::select! {
                _ = routes.changed() => {}
                length = client.read(&mut sent) => {
                    let length = length?;
                    if length == 0 {
                        return Ok(());
                    }
                    server.write_all(&sent[..length]).await?;
                }
                length = server.read(&mut received) => {
                    let length = length?;
                    if length == 0 {
                        return Ok(());
                    }
                    if lane != Lane::Checker && self.cuts_instead_of(&received[..length]) {
                        return Ok(());
                    }
                    client.write_all(&received[..length]).await?;
                }
            }
        }
    }
}

/// Discards the bytes of both sides, as after a lost route: neither learns that the other hung up.
async fn silence(
    mut client: TcpStream,
    mut server: TcpStream,
    lane: Lane,
    mut routes: watch::Receiver<Routes>,
) -> std::io::Result<()> {
    let both = async { tokio::join!(swallow(&mut client), swallow(&mut server)) };
    let over = routes.wait_for(|routes| routes.closed_below[lane as usize] >= routes.silent_below[lane as usize]);
    tokio::select! {
        _ = both => {}
        _ = over => {}
    }
    Ok(())
}

/// Discards bytes until the sender hangs up.
async fn swallow(stream: &mut TcpStream) {
    let mut bytes = vec![0; BUFFER_SIZE];
    while stream.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
}

/// Keeps a new connection without an answer until the lane is open again.
async fn hold(client: &mut TcpStream, lane: Lane, routes: &mut watch::Receiver<Routes>) -> std::io::Result<()> {
    let open = routes.wait_for(|routes| !routes.holds_new[lane as usize]);
    tokio::select! {
        () = swallow(client) => {}
        _ = open => {}
    }
    Ok(())
}

/// Refuses as PostgreSQL does: after the client's first message.
async fn refuse(client: &mut TcpStream) -> std::io::Result<()> {
    let mut bytes = vec![0; BUFFER_SIZE];
    let length = client.read(&mut bytes).await?;
    // Some clients first ask for TLS, in a message of eight bytes.
    if length == 8 {
        client.write_all(b"N").await?;
        let _ = client.read(&mut bytes).await?;
    }
    let length = u32::try_from(TOO_MANY.len() + 4).expect("short").to_be_bytes();
    client.write_all(&[b"E", &length[..], TOO_MANY].concat()).await
}
