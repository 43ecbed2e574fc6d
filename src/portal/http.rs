//! One bounded HTTP request. Nothing here knows the portal's methods or waits for anything except a response; its
//! errors hold no URL.

use std::convert::Infallible;
use std::error::Error as _;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use reqwest::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use rustls::{CertificateError, InvalidMessage};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// The reason why no response came, or not all of it.
#[derive(Debug)]
pub(super) struct TransportError {
    pub(super) kind: TransportFailure,
    /// The cause in a few words, without any URL.
    pub(super) cause: String,
}

/// The ways in which a request can fail without a whole response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransportFailure {
    /// There was no connection: nothing was sent.
    NotSent,
    /// There was no connection because the server's certificate is not trusted: nothing was sent.
    NotTrusted(CertProblem),
    /// There was no connection because the server does not speak TLS: nothing was sent.
    NotTls,
    /// The connection broke after something may have been sent.
    Lost,
    /// The time was up.
    TimedOut,
    /// The body is larger than allowed.
    TooLarge,
}

/// The problem with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertProblem {
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for another host.
    WrongName,
    /// Its issuer is not trusted, or something else is wrong with it.
    Unknown,
}

impl From<&CertificateError> for CertProblem {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
            _ => Self::Unknown,
        }
    }
}

/// A response whose head was read, but not its body.
pub(super) struct HttpResponse {
    pub(super) status: u16,
    /// The `Location` as it was sent.
    pub(super) location: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) retry_after: Option<Duration>,
    /// The `Date` as it was sent.
    pub(super) date: Option<String>,
    response: Response,
}

/// A body that says when its last byte was handed to the connection.
struct WatchedBody {
    rest: Bytes,
    all_sent: Option<oneshot::Sender<()>>,
}

/// How much of a body is handed to the connection at once: a connection takes more once it has sent what it has.
const CHUNK_BYTES: usize = 16 * 1024;

impl hyper::body::Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.rest.len().min(CHUNK_BYTES);
        let chunk = self.rest.split_to(length);
        if self.rest.is_empty()
            && let Some(all_sent) = self.all_sent.take()
        {
            // No one listens for it if nothing is noted.
            let _ = all_sent.send(());
        }
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// A request's body in JSON, and a signal for when its last byte was sent.
pub(super) fn watched_json(value: &impl Serialize) -> (reqwest::Body, oneshot::Receiver<()>) {
    // What is serialized here has only text keys, so this cannot fail.
    let rest = Bytes::from(serde_json::to_vec(value).unwrap_or_default());
    let (all_sent, is_sent) = oneshot::channel();
    (reqwest::Body::wrap(WatchedBody { rest, all_sent: Some(all_sent) }), is_sent)
}

/// Waits for `work`, and calls `note` when the last byte was sent and the answer is not there yet.
pub(super) async fn noting<T>(work: impl Future<Output = T>, is_sent: oneshot::Receiver<()>, note: &dyn Fn()) -> T {
    tokio::pin!(work);
    tokio::select! {
        biased;
        value = &mut work => value,
        Ok(()) = is_sent => {
            note();
            work.await
        }
    }
}

/// Sends a request and waits for the head of its response.
pub(super) async fn send(request: RequestBuilder, until: Instant) -> Result<HttpResponse, TransportError> {
    let response = match timeout_at(until, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(broken(error)),
        Err(_) => return Err(timed_out()),
    };
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let location = header(LOCATION).map(str::to_owned);
    let content_type = header(CONTENT_TYPE).map(str::to_owned);
    let date = header(DATE).map(str::to_owned);
    // The other form, a date, is not worth a parser: our own waits are enough.
    let retry_after = header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Ok(HttpResponse { status: response.status().as_u16(), location, content_type, retry_after, date, response })
}

impl HttpResponse {
    /// Reads the body, at most `max_bytes` of it (after decompression).
    pub(super) async fn body(mut self, max_bytes: usize, until: Instant) -> Result<Vec<u8>, TransportError> {
        let too_large =
            || TransportError { kind: TransportFailure::TooLarge, cause: format!("more than {max_bytes} bytes") };
        let announced = self.response.content_length().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > max_bytes) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            match timeout_at(until, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) if chunk.len() > max_bytes - body.len() => return Err(too_large()),
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Ok(None)) => return Ok(body),
                // Any failure from here on comes after the request was sent.
                Ok(Err(error)) => {
                    return Err(TransportError {
                        kind: TransportFailure::Lost,
                        cause: innermost_cause(&error.without_url()),
                    });
                }
                Err(_) => return Err(timed_out()),
            }
        }
    }
}

fn timed_out() -> TransportError {
    TransportError { kind: TransportFailure::TimedOut, cause: "no answer in time".to_owned() }
}

fn broken(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let kind = match (error.is_connect() || error.is_builder(), cert_problem(&error)) {
        (true, Some(problem)) => TransportFailure::NotTrusted(problem),
        (true, None) if is_not_tls(&error) => TransportFailure::NotTls,
        (true, None) => TransportFailure::NotSent,
        (false, _) => TransportFailure::Lost,
    };
    TransportError { kind, cause: innermost_cause(&error) }
}

/// The innermost cause: the layers above it only say that something failed.
pub(super) fn innermost_cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn cert_problem(error: &reqwest::Error) -> Option<CertProblem> {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(error)) => Some(error.into()),
        _ => None,
    }
}

/// Whether the answer was not TLS at all, for example from a plain http server.
fn is_not_tls(error: &reqwest::Error) -> bool {
    matches!(tls_error(error), Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)))
}

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref() {
            return Some(error);
        }
        // An `io::Error` hides what it wraps from `source`, and may wrap another.
        source = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => cause.source(),
        };
    }
    None
}
