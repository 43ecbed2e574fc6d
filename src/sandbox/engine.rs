//! The REST engine around the world: scripted failures, the bucket, the caller, single calls and batches.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::batch::{self, BatchRequest, BatchResults, MAX_COMMANDS};
use super::core::Core;
use super::faults::{Cut, Early, Late, RequestFacts, RequestFaults};
use super::identity::{Caller, Identity};
use super::methods;
use super::oauth;
use super::options::{Latency, Options};
use super::page::{HtmlPage, PortalContents};
use super::php::Parameters;
use super::record::{End, Recorded, RecordedCommand, Recording};
use super::wire::{CallRefusal, HttpAnswer, Success, time};

/// A running portal, shared by the connections and by the handle.
pub(super) struct Engine {
    pub(super) identity: Identity,
    /// The address that all its URLs begin with, `http://127.0.0.1:8024`.
    pub(super) base: String,
    token_lifetime: Duration,
    latency: Latency,
    recording: Recording,
    pub(super) page: fn(&PortalContents) -> HtmlPage,
    started: Instant,
    core: Mutex<Core>,
}

/// A request as it came off the wire.
pub(super) struct Arrived {
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) asked: Asked,
}

/// What a request asks for.
pub(super) enum Asked {
    /// A file under `/upload/`.
    File,
    /// A REST call. The credentials are a webhook's; a call without them comes from an application or has no caller.
    Call { method: String, credentials: Option<(String, String)>, given: Parameters },
    /// A new pair of tokens.
    Token(Parameters),
    /// A path that the sandbox does not have.
    Nothing,
}

impl Asked {
    /// A name for it that is safe to print. A method that does not exist may be a secret in the wrong place.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Call { method, .. } if methods::lookup(method).is_some() => method.clone(),
            Self::Call { .. } => "an unknown method".to_owned(),
            Self::File => "a download".to_owned(),
            Self::Token(_) => "a new pair of tokens".to_owned(),
            Self::Nothing => "an unknown path".to_owned(),
        }
    }
}

/// A request that was counted and given its faults, ready to be worked on.
pub(super) struct Ticket {
    /// The place of the request among those that are recorded, if it is recorded.
    index: Option<usize>,
    path: String,
    asked: Asked,
    batch: Option<BatchRequest>,
    caller: Result<Caller, CallRefusal>,
    faults: RequestFaults,
}

/// What a client gets.
pub(super) enum Delivery {
    Answer(HttpAnswer),
    /// Only this many bytes of an answer, whose header has the whole length.
    Torn(HttpAnswer, usize),
    /// The connection is closed without an answer.
    Close,
}

impl Engine {
    pub(super) fn new(identity: Identity, base: String, options: &Options, core: Core) -> Self {
        let Options { token_lifetime, latency, recording, page, .. } = *options;
        let (started, core) = (Instant::now(), Mutex::new(core));
        Self { identity, base, token_lifetime, latency, recording, page, started, core }
    }

    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and decides its faults.
    pub(super) fn accept(&self, arrived: Arrived) -> Ticket {
        let Arrived { path, headers, asked } = arrived;
        let caller = self.caller(&asked, &headers);
        let (method, batch) = match &asked {
            Asked::Call { method, given, .. } => (method.as_str(), (method == "batch").then(|| batch::read(given))),
            Asked::Token(_) => ("oauth/token", None),
            Asked::File => ("download", None),
            Asked::Nothing => ("", None),
        };
        let inner: Vec<String> =
            batch.iter().flat_map(|batch| &batch.commands).map(|command| command.method.clone()).collect();
        let called = matches!(asked, Asked::Call { .. } | Asked::Token(_));
        let facts =
            RequestFacts { method: called.then_some(method), download: matches!(asked, Asked::File), inner: &inner };
        let mut core = self.core();
        let faults = core.script.faults_of(&facts);
        let user = caller.as_ref().ok().map(|caller| caller.user);
        let method = method.to_owned();
        let index = match self.recording {
            Recording::Nothing => None,
            Recording::Newest => Some(core.requests.push(Recorded {
                method,
                path: path.clone(),
                headers,
                user,
                commands: commands(&asked, batch.as_ref()),
                wrote: false,
                status: None,
            })),
        };
        drop(core);
        Ticket { index, path, asked, batch, caller, faults }
    }

    /// The caller: a webhook by the path, an application by its token in the parameter `auth` or in a header.
    fn caller(&self, asked: &Asked, headers: &[(String, String)]) -> Result<Caller, CallRefusal> {
        let Asked::Call { credentials, given, .. } = asked else { return Err(CallRefusal::NO_AUTH) };
        if let Some((user, secret)) = credentials {
            let wrong = || CallRefusal::new(401, "INVALID_CREDENTIALS", "Invalid request credentials");
            return self.identity.webhook(user, secret).ok_or_else(wrong);
        }
        let bearer = || {
            let (_, value) = headers.iter().find(|(name, _)| name == "authorization")?;
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        };
        let token = given.get("auth").and_then(Value::as_str).or_else(bearer).ok_or(CallRefusal::NO_AUTH)?;
        self.core().tokens.client_id(token, Timestamp::now()).map(Identity::app_user)
    }

    /// Finishes a request, whether or not a client still waits for the answer.
    pub(super) async fn serve(&self, mut ticket: Ticket) -> Delivery {
        pause(ticket.faults.delay + self.latency.per_request).await;
        let delivery = match ticket.faults.early.take() {
            Some(Early::Answer(answer)) => Delivery::Answer(answer),
            Some(Early::Close) => Delivery::Close,
            None => match (self.work(&ticket).await, ticket.faults.late.take()) {
                (None, _) | (Some(_), Some(Late::Close | Late::CloseAtOnce)) => Delivery::Close,
                (Some(_), Some(Late::Answer(other))) => Delivery::Answer(other),
                (Some(answer), Some(Late::Tear(length))) => Delivery::Torn(answer, length),
                (Some(mut answer), Some(Late::Truncate(length))) => {
                    answer.body.truncate(length);
                    Delivery::Answer(answer)
                }
                (Some(answer), None) => Delivery::Answer(answer),
            },
        };
        if let (Delivery::Answer(answer) | Delivery::Torn(answer, _), Some(index)) = (&delivery, ticket.index)
            && let Some(record) = self.core().requests.get_mut(index)
        {
            record.status = Some(answer.status);
        }
        delivery
    }

    /// The answer that a request gets unless another one is scripted; `None` for a batch that is cut and not answered.
    async fn work(&self, ticket: &Ticket) -> Option<HttpAnswer> {
        let start = Timestamp::now();
        let (method, given) = match &ticket.asked {
            Asked::Call { method, given, .. } => (method, given),
            Asked::Token(given) => return Some(self.token(given)),
            Asked::File => return Some(self.file(&ticket.path)),
            Asked::Nothing => return Some(HttpAnswer::page(404)),
        };
        let refused = |refusal: &CallRefusal| Some(HttpAnswer::refused(refusal));
        let now = self.started.elapsed();
        if self.core().bucket.as_mut().is_some_and(|level| !level.admit(now)) {
            return refused(&CallRefusal::TOO_MANY_REQUESTS);
        }
        if methods::lookup(method).is_none() {
            return refused(&CallRefusal::UNKNOWN_METHOD);
        }
        let caller = match &ticket.caller {
            Ok(caller) => caller,
            Err(refusal) => return refused(refusal),
        };
        let (end, time) = match &ticket.batch {
            Some(batch) => {
                let results = self.batch(ticket, batch, caller).await?;
                // The commands count, not the batch itself.
                let used = self.core().meter.time_used(method, start);
                (Ok(results), time(start, Timestamp::now(), used))
            }
            None => {
                pause(self.latency.per_command).await;
                self.core().execute(ticket.index.map(|request| (request, 0)), method, given, caller, start)
            }
        };
        Some(match end {
            Ok(success) => HttpAnswer::json(200, &success.envelope(time)),
            Err(refusal) => HttpAnswer::refused(&refusal),
        })
    }

    async fn batch(&self, ticket: &Ticket, batch: &BatchRequest, caller: &Caller) -> Option<Success> {
        let mut results = BatchResults::default();
        for (place, command) in batch.commands.iter().enumerate() {
            if ticket.faults.cut.is_some_and(|(after, _)| place >= after) {
                break;
            }
            let start = Timestamp::now();
            let refused = if place < MAX_COMMANDS {
                pause(self.latency.per_command).await;
                let at = ticket.index.map(|request| (request, place));
                let (end, time) = match results.parameters(command) {
                    _ if ticket.faults.forbids_inside(&command.method) => {
                        let end = Err(CallRefusal::NOT_IN_BATCH);
                        self.core().record(at, &end, false);
                        (end, Value::Null)
                    }
                    Ok(given) => self.core().execute(at, &command.method, &given, caller, start),
                    Err(refusal) => (Err(refusal), Value::Null),
                };
                let refused = end.is_err();
                results.add(&command.key, end, time);
                refused
            } else {
                let refusal = CallRefusal::new(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded");
                results.add(&command.key, Err(refusal), Value::Null);
                true
            };
            if refused && batch.halt {
                break;
            }
        }
        let unanswered = matches!(ticket.faults.cut, Some((_, Cut::Close)));
        (!unanswered).then(|| Success::of(results.into_value()))
    }

    fn token(&self, given: &Parameters) -> HttpAnswer {
        oauth::refresh(&mut self.core(), &self.identity, &self.base, self.token_lifetime, given)
    }

    fn file(&self, path: &str) -> HttpAnswer {
        self.core().world.file(path).map_or_else(
            || HttpAnswer::page(404),
            |body| HttpAnswer { status: 200, content_type: "image/png".to_owned(), body },
        )
    }
}

impl Ticket {
    /// Whether the connection is closed before the work begins.
    pub(super) const fn closes_at_once(&self) -> bool {
        matches!(self.faults.late, Some(Late::CloseAtOnce)) && self.faults.early.is_none()
    }
}

/// The commands of a request, as they are recorded.
fn commands(asked: &Asked, batch: Option<&BatchRequest>) -> Vec<RecordedCommand> {
    match (asked, batch) {
        (_, Some(batch)) => batch.commands.iter().map(|one| recorded(&one.method, &one.parameters())).collect(),
        (Asked::Call { method, given, .. }, None) => vec![recorded(method, given)],
        _ => Vec::new(),
    }
}

fn recorded(method: &str, given: &Parameters) -> RecordedCommand {
    let code = given.get("code").and_then(Value::as_str).map(ToOwned::to_owned);
    RecordedCommand { method: method.to_owned(), code, end: End::Open }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
