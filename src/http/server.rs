//! A plain listener: what `HttpServer` is, over a transport that can send files straight.

use std::{any::Any, fmt, io, net::TcpListener, time::Duration};

use actix_http::{HttpService, Request, error::DispatchError};
use actix_server::{Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{AppConfig, Extensions, Response},
    http::KeepAlive,
    rt::net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Patience, remember},
    wire::Wire,
};

/// How long a head may take to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection may stay open with nothing to do.
const IDLE: Duration = Duration::from_secs(5);
/// How long a client may take to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How a listener is served.
#[derive(Debug, Clone)]
pub struct Plain {
    /// Threads.
    pub workers: usize,
    /// How long answers may take to end once the server stops, s.
    pub drain_seconds: u64,
    /// Silent clients.
    pub patience: Patience,
    /// Cancelled when the server is about to stop: idle connections close.
    pub stop: CancellationToken,
    /// Told of every new connection, as `HttpServer::on_connect` tells it.
    pub on_connect: fn(&dyn Any, &mut Extensions),
}

/// Serves an application on a listener. Runs when it is awaited.
pub fn serve<F, I, S, B>(listener: TcpListener, how: Plain, app: F) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as actix_service::Service<Request>>::Future: 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let builder = ServerBuilder::new()
        .workers(how.workers)
        .shutdown_timeout(how.drain_seconds)
        .disable_signals();
    let service = move || {
        let app = app()
            .into_factory()
            .map_err(|error: S::Error| -> HttpResponse { error.into().error_response() });
        let (stop, patience, on_connect) = (how.stop.clone(), how.patience, how.on_connect);
        let http = HttpService::build()
            .keep_alive(KeepAlive::Timeout(IDLE))
            .client_request_timeout(HEAD_WITHIN)
            .client_disconnect_timeout(CLOSE_WITHIN)
            .h1_allow_half_closed(true)
            .local_addr(address)
            .graceful_shutdown_signal(move || stop.clone().cancelled_owned())
            .on_connect_ext(move |wire: &Wire, data: &mut Extensions| {
                remember(wire.stream(), Some(wire.flushed()), patience, data);
                on_connect(wire.stream() as &dyn Any, data);
            })
            // As `HttpServer` makes it, which alone can; a default one would name another port to
            // everybody who asks where this server is.
            .h1(map_config(app, move |()| {
                AppConfig::__priv_test_new(false, address.to_string(), address)
            }));
        fn_service(|stream: TcpStream| async move {
            let peer = stream.peer_addr().ok();
            Ok::<_, DispatchError>((Wire::new(stream), peer))
        })
        .and_then(http)
    };
    Ok(builder.listen(format!("http-{address}"), listener, service)?.run())
}
