//! One request for a new pair of tokens, and the pair on the disk: a task of its own, so that nobody who stops waiting for it
//! can cut it off in between.

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

/// A longer answer of the token server is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The end of a request for new tokens.
pub(in crate::portal) enum Exchange {
    /// There is a new pair. It is on disk, unless the observer was told otherwise.
    Renewed(TokenFields),
    /// There is a new pair, and it was dropped: by then the file had another one, which somebody else put there.
    Superseded,
    /// The server answered, and not with a pair.
    Answered(TokenAnswer),
    /// There was no whole answer.
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
    /// Who ends the process waits for this.
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
                // Nothing is waited for between the answer and the disk, so that only a crash can come between.
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
        let cause = "the request was ended with the runtime that it ran on".to_owned();
        Exchange::Broken(TransportError { kind: TransportFailure::Lost, cause })
    })
}

async fn ask(request: RequestBuilder, until: Instant) -> Result<TokenAnswer, TransportError> {
    let response = http::send(request, until).await?;
    let (status, retry_after) = (response.status, response.retry_after);
    // A redirection leads elsewhere, whatever it says beside.
    let body = if (300..400).contains(&status) { Vec::new() } else { response.body(MAX_ANSWER_BYTES, until).await? };
    Ok(TokenAnswer { status, retry_after, body })
}

/// Stores a new pair of tokens, unless somebody put another one into the file since it was read: that comes from a new
/// authorisation. A pair that cannot be stored is used all the same: the old one is gone, and a replace may be half done.
fn store(
    stored: &TokenFields,
    pair: &Map<String, Value>,
    replacement: Box<dyn TokenReplacement>,
    observer: &dyn Observer,
) -> Exchange {
    let present = replacement.read().ok().and_then(|text| stored.reread(&text)).unwrap_or_else(|| stored.clone());
    if present.optional("access_token") != stored.optional("access_token") {
        let file = stored.file_name();
        let message = "was given other tokens while the old ones were renewed: the other ones are kept and used";
        observer.observe(Event::Warning(format!("{file} {message}")));
        return Exchange::Superseded;
    }
    let renewed = present.renewed(pair);
    if let Err(why) = renewed.to_bytes().and_then(|bytes| replacement.store(&bytes)) {
        let message =
            format!("the new tokens could not be stored in {}, and the old ones are spent: {why}", renewed.file_name());
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
