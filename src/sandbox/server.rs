//! The HTTP server: it passes requests from the sockets to the engine, and the answers back.
//!
//! hyper is used without a framework, because a scripted failure must be able to close a connection without any answer,
//! and that is what an error of its service does.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::engine::{Arrived, Asked, Delivery, Engine};
use super::page::PortalContents;
use super::php::Parameters;
use super::wire::{CallRefusal, HttpAnswer, method_name, parameters};

/// The longest body that is read: several times 50 images of the size that a client may send.
const MAX_BODY_BYTES: usize = 128 * 1024 * 1024;

/// The longest time that a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

type ServedBody = UnsyncBoxBody<Bytes, io::Error>;

/// The error that ends a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
struct Closed;

/// Whether the requests of a connection are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionKind {
    Served,
    /// They are refused: the connection is plain HTTP where TLS is expected.
    PlainRefused,
}

/// Accepts connections until it is stopped; with `tls`, connections that speak TLS.
pub(super) async fn run(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    engine: Arc<Engine>,
    mut stop: oneshot::Receiver<Infallible>,
) {
    loop {
        let accepted = tokio::select! {
            // Nothing is ever sent: the sender's end is the signal.
            _ = &mut stop => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // For example, all file descriptors may be in use. Some may be freed soon.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // If that fails, answers are slower.
        let _ = stream.set_nodelay(true);
        let (engine, tls) = (Arc::clone(&engine), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, ConnectionKind::Served, peer, engine).await,
                Some(tls) => match timeout(HANDSHAKE_TIMEOUT, handshake(stream, tls)).await {
                    Ok(Ok(Accepted::Tls(stream))) => serve(*stream, ConnectionKind::Served, peer, engine).await,
                    Ok(Ok(Accepted::Plain(stream))) => serve(stream, ConnectionKind::PlainRefused, peer, engine).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                },
            }
        });
    }
}

/// A connection to a port that expects TLS.
enum Accepted {
    Tls(Box<TlsStream<TcpStream>>),
    Plain(TcpStream),
}

/// Does the handshake, unless the client begins with something else.
async fn handshake(stream: TcpStream, tls: TlsAcceptor) -> io::Result<Accepted> {
    /// The type of the record that a handshake begins with.
    const HANDSHAKE_RECORD: u8 = 22;
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first != [HANDSHAKE_RECORD] {
        return Ok(Accepted::Plain(stream));
    }
    Ok(Accepted::Tls(Box::new(tls.accept(stream).await?)))
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    kind: ConnectionKind,
    peer: SocketAddr,
    engine: Arc<Engine>,
) {
    let service = service_fn(move |request| {
        let engine = Arc::clone(&engine);
        async move {
            match kind {
                ConnectionKind::Served => respond(engine, peer, request).await,
                ConnectionKind::PlainRefused => {
                    let refusal = CallRefusal::new(400, "INVALID_REQUEST", "Https required.");
                    response(HttpAnswer::refused(&refusal), None)
                }
            }
        }
    });
    // A broken connection was broken by the client or by a script.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    engine: Arc<Engine>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<ServedBody>, Closed> {
    let (head, body) = request.into_parts();
    if head.uri.path() == "/" {
        return page(&engine, peer, &head.method);
    }
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return response(HttpAnswer::page(413), None),
        Err(_) => return Err(Closed),
    };
    let path = head.uri.path().to_owned();
    let query = head.uri.query().unwrap_or_default();
    let asked = asked(&path, || {
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        parameters(query, content_type, &body)
    });
    let (method, begun) = (asked.shown(), Instant::now());
    let ticket = engine.accept(Arrived { path, headers: headers(&head.headers), asked });
    let at_once = ticket.closes_at_once();
    // In its own task, because a portal finishes a request even if its client is gone.
    let work = tokio::spawn(async move { engine.serve(ticket).await });
    let delivery = if at_once { Delivery::Close } else { work.await.map_err(|_| Closed)? };
    let seconds = begun.elapsed().as_secs_f64();
    let (answer, torn) = match delivery {
        Delivery::Answer(answer) => (answer, None),
        Delivery::Torn(answer, length) => (answer, Some(length)),
        Delivery::Close => {
            tracing::debug!(%method, seconds, "closed without an answer");
            return Err(Closed);
        }
    };
    tracing::debug!(%method, status = answer.status, seconds, torn, "answered");
    response(answer, torn)
}

/// Answers a request for the page with the portal's entries.
fn page(engine: &Engine, peer: SocketAddr, method: &Method) -> Result<Response<ServedBody>, Closed> {
    // It needs no credentials, so only this machine may read it.
    if !peer.ip().to_canonical().is_loopback() {
        return response(HttpAnswer::page(403), None);
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut refused = response(HttpAnswer::page(405), None)?;
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(refused);
    }
    let contents = PortalContents::of(&engine.core().world);
    let page = (engine.page)(&contents);
    let mut response = response(HttpAnswer::text(200, "text/html; charset=utf-8", &page.html), None)?;
    for (name, value) in page.headers() {
        response.headers_mut().insert(name, HeaderValue::from_str(&value).map_err(|_| Closed)?);
    }
    Ok(response)
}

/// The request that a path stands for. Double and trailing slashes are ignored.
fn asked(path: &str, given: impl FnOnce() -> Parameters) -> Asked {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["upload", ..] => Asked::File,
        ["oauth", "token"] => Asked::Token(given()),
        ["rest", method] => Asked::Call { method: method_name(method), credentials: None, given: given() },
        ["rest", user, secret, rest @ ..] => Asked::Call {
            method: method_name(&rest.join("/")),
            credentials: Some(((*user).to_owned(), (*secret).to_owned())),
            given: given(),
        },
        _ => Asked::Nothing,
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

fn response(answer: HttpAnswer, torn: Option<usize>) -> Result<Response<ServedBody>, Closed> {
    let builder = Response::builder()
        .status(answer.status)
        .header(CONTENT_TYPE, answer.content_type)
        .header(CONTENT_LENGTH, answer.body.len());
    let body = match torn {
        None => Full::new(answer.body).map_err(|never| match never {}).boxed_unsync(),
        Some(length) => torn_body(answer.body.slice(..length.min(answer.body.len()))),
    };
    builder.body(body).map_err(|_| Closed)
}

/// A body that ends early, after `part`.
fn torn_body(part: Bytes) -> ServedBody {
    let frames = stream::unfold(Some(part), |state| async move {
        if let Some(part) = state {
            return Some((Ok(Frame::data(part)), None));
        }
        // Wait until the part is sent: hyper discards what it still holds when a body fails.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
    });
    StreamBody::new(frames).boxed_unsync()
}
