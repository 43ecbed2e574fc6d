//! One request for a new pair of tokens, and storing the pair on disk: a task of its own, so that it is not cut off in
//! between when the caller stops waiting for it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Map, Value};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::domain::retry::Class;
use crate::ops::events::{Event, Observer};
use crate::ops::ports::{PortalError, TokenLock, TokenReplacement};
use crate::portal::http::{self, TransportError, TransportFailure};

use super::pending::PendingRenewal;
use super::tokens::TokenFields;

/// The longest answer of the token server that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The end of a request for new tokens.
pub(in crate::portal) enum Exchange {
    /// There is a new pair. It is on disk, unless a warning went to the observer.
    Renewed(TokenFields),
    /// There is a new pair, and it was dropped: by then the file had another one, which someone else put there.
    Superseded,
    /// The server answered, but not with a pair.
    Answered(TokenAnswer),
    /// There was no complete answer.
    Broken(TransportError),
}

/// An answer of the token server.
pub(in crate::portal) struct TokenAnswer {
    pub(in crate::portal) status: u16,
    pub(in crate::portal) retry_after: Option<Duration>,
    pub(in crate::portal) body: Vec<u8>,
}

/// All that a request for new tokens needs, the disk included.
pub(in crate::portal) struct ExchangeTask {
    pub(in crate::portal) request: RequestBuilder,
    /// When to give up waiting for the answer.
    pub(in crate::portal) until: Instant,
    /// The file as it is.
    pub(in crate::portal) stored: TokenFields,
    pub(in crate::portal) replacement: Box<dyn TokenReplacement>,
    /// Held until the pair is stored.
    pub(in crate::portal) lock: TokenLock,
    /// The code that ends the process waits for this.
    pub(in crate::portal) pending: PendingRenewal,
    pub(in crate::portal) observer: Arc<dyn Observer>,
}

impl ExchangeTask {
    /// Begins it.
    pub(in crate::portal) fn begin(self) -> JoinHandle<Exchange> {
        tokio::spawn(self.run())
    }

    async fn run(self) -> Exchange {
        let Self { request, until, stored, replacement, lock, pending, observer } = self;
        let exchange = match ask(request, until).await {
            Err(broken) => Exchange::Broken(broken),
            Ok(answer) => match answer.pair() {
                None => Exchange::Answered(answer),
                // There is no wait between the answer and the disk, so that only a crash can come between.
                Some(pair) => store(&stored, &pair, replacement, observer.as_ref()),
            },
        };
        drop((lock, pending));
        exchange
    }
}

/// Waits for the end of a request for new tokens.
pub(in crate::portal) async fn end_of(task: &mut JoinHandle<Exchange>) -> Exchange {
    task.await.unwrap_or_else(|_| {
        let cause = "the request ended together with the runtime that it ran on".to_owned();
        Exchange::Broken(TransportError { kind: TransportFailure::Lost, cause })
    })
}

async fn ask(request: RequestBuilder, until: Instant) -> Result<TokenAnswer, TransportError> {
    let response = http::send(request, until).await?;
    let (status, retry_after) = (response.status, response.retry_after);
    // A redirect is never a pair of tokens, even if its body holds one.
    let body = if (300..400).contains(&status) { Vec::new() } else { response.body(MAX_ANSWER_BYTES, until).await? };
    Ok(TokenAnswer { status, retry_after, body })
}

/// Stores a new pair of tokens, unless someone put another one into the file since it was read: that comes from a new
/// authorisation. A pair that cannot be stored is still used: the old one is no longer valid, and a replace may be half
/// done.
fn store(
    stored: &TokenFields,
    pair: &Map<String, Value>,
    replacement: Box<dyn TokenReplacement>,
    observer: &dyn Observer,
) -> Exchange {
    let present = replacement.read().ok().and_then(|text| stored.reread(&text)).unwrap_or_else(|| stored.clone());
    if present.optional("access_token") != stored.optional("access_token") {
        let file = stored.file_name();
        let message = "got other tokens from elsewhere during the renewal: brandctl keeps and uses those";
        observer.observe(Event::Warning(format!("{file} {message}")));
        return Exchange::Superseded;
    }
    let renewed = present.renewed(pair);
    if let Err(why) = renewed.to_bytes().and_then(|bytes| replacement.store(&bytes)) {
        let message = format!(
            "the new tokens cannot be stored in {}, and the old ones are no longer valid: {why}",
            renewed.file_name()
        );
        let hint =
            "authorise the application on the portal again and put its new tokens into the file of BITRIX24_OAUTH_FILE";
        let (class, hint) = (Class::Configuration, Some(hint.to_owned()));
        observer.observe(Event::Failed(PortalError { class, code: None, message, hint }));
    }
    Exchange::Renewed(renewed)
}

impl TokenAnswer {
    /// The pair of tokens, if it is one.
    fn pair(&self) -> Option<Map<String, Value>> {
        let is_token = |token: &Value| token.as_str().is_some_and(|token| !token.trim().is_empty());
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(pair)) if (200..300).contains(&self.status) => ["access_token", "refresh_token"]
                .iter()
                .all(|field| pair.get(*field).is_some_and(is_token))
                .then_some(pair),
            _ => None,
        }
    }
}
