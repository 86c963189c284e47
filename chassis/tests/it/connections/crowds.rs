//! More connections than the limit.

use std::net::{Ipv4Addr, SocketAddr};

use chassis::gate::connections::Limits;
use futures_util::future::join_all;
use tokio::net::{TcpSocket, TcpStream};

use super::{
    Server, ask, connect,
    http2::{HEADERS, Http2},
    read_all, read_until, routes, serve, unlimited,
};

fn serve_four() -> Server {
    serve(Limits { connections: 4, ..unlimited() }, routes())
}

/// Connects from another address of this machine.
async fn connect_from(address: Ipv4Addr, server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((address, 0))).expect("an address of this machine");
    socket.connect(server.address).await.expect("a connection")
}

#[tokio::test]
async fn the_oldest_idle_connection_makes_room_and_a_busy_one_does_not() {
    let server = serve_four();
    let mut busy = Http2::open(&server, 65_535).await;
    busy.ask(1, "/events").await;
    busy.next(HEADERS).await;
    let mut idle = join_all((0..3).map(|_| ask(&server, "/"))).await;
    for client in &mut idle {
        read_until(client, "ok").await;
    }
    let mut new = ask(&server, "/").await;
    read_until(&mut new, "ok").await;
    // The others stay open.
    read_all(&mut idle[0]).await;
    busy.ask(3, "/").await;
    busy.next(HEADERS).await;
}

#[tokio::test]
async fn an_idle_flood_keeps_nobody_out() {
    let server = serve_four();
    let _flood = join_all((0..50).map(|_| connect(&server))).await;
    for _ in 0..10 {
        let _idle_too = connect(&server).await;
        read_until(&mut ask(&server, "/").await, "ok").await;
    }
}

#[tokio::test]
async fn a_flood_from_one_address_costs_no_connection_of_another() {
    let server = serve_four();
    let mut honest = ask(&server, "/").await;
    read_until(&mut honest, "ok").await;
    let flooding = Ipv4Addr::new(127, 0, 0, 2);
    let _flood = join_all((0..50).map(|_| connect_from(flooding, &server))).await;
    read_until(&mut ask(&server, "/").await, "ok").await;
    let again = b"GET / HTTP/1.1\r\nHost: any\r\n\r\n";
    super::send(&mut honest, again).await;
    read_until(&mut honest, "ok").await;
}

#[tokio::test]
async fn where_none_is_idle_others_are_told_so() {
    let server = serve_four();
    let mut busy = join_all((0..4).map(|_| ask(&server, "/events"))).await;
    for client in &mut busy {
        read_until(client, "event").await;
    }
    let mut refused = ask(&server, "/").await;
    let answer = String::from_utf8_lossy(&read_all(&mut refused).await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("OVERLOADED"), "{answer}");
    let mut probe = ask(&server, "/livez").await;
    assert!(read_until(&mut probe, "\r\n\r\n").await.starts_with("HTTP/1.1 200"));

    drop(busy.pop());
    // The server notices the closed connection after a moment.
    loop {
        let mut admitted = ask(&server, "/").await;
        if read_until(&mut admitted, "\r\n\r\n").await.starts_with("HTTP/1.1 200") {
            return;
        }
    }
}
