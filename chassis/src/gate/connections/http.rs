//! HTTP/1 and HTTP/2 on one connection.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode, header},
    response::IntoResponse,
};
use graphql_http::Transport;
use hyper::{
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    bodies::{RequestBody, ResponseBody},
    limits::Limits,
    peer::{InProgress, Order, Peer},
    peers::Place,
    stream::Stream,
};
use crate::gate::request_id;

/// Largest request head: about ten times a browser's with cookies.
const MAX_HEAD_BYTES: u32 = 32 * 1024;
/// Concurrent requests on an HTTP/2 connection: the least that RFC 9113 recommends.
const MAX_STREAMS: u32 = 100;
/// Body bytes that a client may send before they are read, per request and per HTTP/2 connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// A quiet HTTP/2 client is pinged at this interval, and has this long to answer.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Answered at any load, since a busy service must not be restarted, and without a client certificate.
const PROBES: [&str; 2] = ["/livez", "/readyz"];

/// Serves connections.
pub(super) struct Http {
    router: TowerToHyperService<Router>,
    /// For connections beyond the limit.
    full: TowerToHyperService<Router>,
    /// For connections that lack a client certificate.
    uncertified: TowerToHyperService<Router>,
    builder: Builder<TokioExecutor>,
    handshake: Duration,
    asks_clients: bool,
}

impl Http {
    /// `asks_clients`: whether requests but probes need a client certificate.
    pub(super) fn new(router: Router, limits: &Limits, asks_clients: bool) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(MAX_HEAD_BYTES as usize)
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEAD_BYTES)
            .max_concurrent_streams(MAX_STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
        let service = |router| TowerToHyperService::new(request_id::identify(router));
        Self {
            router: service(router),
            full: service(Router::new().fallback(no_room)),
            uncertified: service(Router::new().fallback(no_certificate)),
            builder,
            handshake: limits.head,
            asks_clients,
        }
    }

    /// Serves a connection until its end.
    pub(super) async fn serve(self: Arc<Self>, tcp: TcpStream, place: Place, tls: Option<TlsAcceptor>) {
        // A small response must not wait for another's acknowledgement. Fails only when the client is gone.
        drop(tcp.set_nodelay(true));
        let Some(tls) = tls else { return self.talk(tcp, place, true).await };
        let shaken = tokio::select! {
            shaken = timeout(self.handshake, tls.accept(tcp)) => shaken,
            () = place.peer.ordered(Order::Finish) => return,
        };
        if let Ok(Ok(io)) = shaken {
            let is_certified = !self.asks_clients || io.get_ref().1.peer_certificates().is_some();
            self.talk(io, place, is_certified).await;
        }
    }

    async fn talk(&self, io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, place: Place, is_certified: bool) {
        let peer = Arc::clone(&place.peer);
        let service = service_fn(|request| self.answer(request, Arc::clone(&peer), is_certified));
        let stream = TokioIo::new(Stream { io, place });
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(stream, service));
        tokio::select! {
            _ = &mut connection => return,
            () = peer.ordered(Order::Finish) => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            biased;
            _ = &mut connection => {}
            () = peer.ordered(Order::Close) => {}
        }
    }

    fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: Arc<Peer>,
        is_certified: bool,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + use<> {
        peer.allowance.renew();
        let in_progress = InProgress::begin(Arc::clone(&peer));
        let router = match request.uri().path() {
            path if PROBES.contains(&path) => &self.router,
            _ if peer.is_refused => &self.full,
            _ if !is_certified => &self.uncertified,
            _ => &self.router,
        };
        request.extensions_mut().insert(ConnectInfo(peer.address));
        let transport: Arc<dyn Transport> = Arc::clone(&peer) as _;
        request.extensions_mut().insert(transport);
        let answered = router.call(request.map(|incoming| Body::new(RequestBody { incoming, peer })));
        async move { answered.await.map(|answer| answer.map(|body| ResponseBody { body, request: in_progress })) }
    }
}

async fn no_room() -> impl IntoResponse {
    let body = r#"{"errors":[{"message":"All connections of the service are in use; try again","extensions":{"code":"OVERLOADED"}}]}"#;
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::RETRY_AFTER, "1"), (header::CONNECTION, "close")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, body)
}

async fn no_certificate() -> impl IntoResponse {
    let body = r#"{"errors":[{"message":"Clients need a certificate (mutual TLS) of an issuer that this service knows","extensions":{"code":"FORBIDDEN"}}]}"#;
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], body)
}
