//! The REST engine around the world: scripted failures, the bucket, the caller, single calls and batches.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::batch::{self, Batch, LONGEST, Results};
use super::bucket::Level;
use super::faults::{Cut, Early, Facts, Late, Script, Verdict};
use super::identity::Identity;
use super::logmessage::LogList;
use super::methods;
use super::oauth::Tokens;
use super::operating::Meter;
use super::options::{Latency, Options};
use super::page::{Contents, Page};
use super::record::{End, Recorded, RecordedCommand, Recorder, Recording};
use super::store::Store;
use super::wire::{Answer, Parameters, Refusal, Success, time};
use super::world::{Caller, Change, World};

/// A portal at work; shared by the connections and by the handle.
pub(super) struct Engine {
    pub(super) identity: Identity,
    /// Its address, `http://127.0.0.1:8024`.
    pub(super) base: String,
    pub(super) token_lifetime: Duration,
    latency: Latency,
    recording: Recording,
    pub(super) page: fn(&Contents) -> Page,
    started: Instant,
    core: Mutex<Core>,
}

/// What changes while it works.
pub(super) struct Core {
    pub(super) world: World,
    pub(super) store: Store,
    pub(super) tokens: Tokens,
    pub(super) refreshes: u64,
    bucket: Option<Level>,
    pub(super) meter: Meter,
    pub(super) log_list: LogList,
    pub(super) script: Script,
    pub(super) requests: Recorder,
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
    /// A REST call. Credentials are those of a webhook; without them it comes from an application or from nobody.
    Call { method: String, credentials: Option<(String, String)>, given: Parameters },
    /// A new pair of tokens.
    Token(Parameters),
    /// A path that the sandbox does not have.
    Nothing,
}

impl Asked {
    /// What may be printed of it. A method that does not exist may be a secret in the wrong place.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Call { method, .. } if methods::exists(method) => method.clone(),
            Self::Call { .. } => "an unknown method".to_owned(),
            Self::File => "a download".to_owned(),
            Self::Token(_) => "a new pair of tokens".to_owned(),
            Self::Nothing => "an unknown path".to_owned(),
        }
    }
}

/// A request that was counted and judged, ready to be worked on.
pub(super) struct Ticket {
    index: usize,
    path: String,
    asked: Asked,
    batch: Option<Batch>,
    caller: Result<Caller, Refusal>,
    verdict: Verdict,
}

/// What a client gets.
pub(super) enum Delivery {
    Answer(Answer),
    /// So many bytes of an answer whose whole length was promised.
    Torn(Answer, usize),
    /// The connection is closed without an answer.
    Close,
}

impl Core {
    pub(super) fn new(store: Store, world: World, tokens: Tokens, options: &Options) -> Self {
        Self {
            world,
            store,
            tokens,
            refreshes: 0,
            bucket: options.limits.map(Level::empty),
            meter: Meter::new(options.operating),
            log_list: options.log_list,
            script: Script::new(options.faults.clone()),
            requests: Recorder::default(),
        }
    }

    /// Stores changes, then takes them over.
    pub(super) fn change(&mut self, changes: Vec<Change>) -> std::io::Result<()> {
        self.store.append(&changes)?;
        changes.into_iter().for_each(|change| self.world.apply(change));
        Ok(())
    }
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

    /// Records a request and says what its failures will be.
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
        let facts = Facts { method: called.then_some(method), download: matches!(asked, Asked::File), inner: &inner };
        let mut core = self.core();
        let verdict = core.script.judge(&facts);
        let user = caller.as_ref().ok().map(|caller| caller.user);
        let method = method.to_owned();
        let index = match self.recording {
            // Of what is not remembered, no index finds anything.
            Recording::Nothing => usize::MAX,
            Recording::Newest => core.requests.push(Recorded {
                method,
                path: path.clone(),
                headers,
                user,
                commands: commands(&asked, batch.as_ref()),
                wrote: false,
                status: None,
            }),
        };
        drop(core);
        Ticket { index, path, asked, batch, caller, verdict }
    }

    /// Who asks: a webhook by the path, an application by its token in the parameter `auth` or in a header.
    fn caller(&self, asked: &Asked, headers: &[(String, String)]) -> Result<Caller, Refusal> {
        let Asked::Call { credentials, given, .. } = asked else { return Err(Refusal::no_auth()) };
        if let Some((user, secret)) = credentials {
            let wrong = || Refusal::new(401, "INVALID_CREDENTIALS", "Invalid request credentials");
            return self.identity.webhook(user, secret).ok_or_else(wrong);
        }
        let bearer = || {
            let (_, value) = headers.iter().find(|(name, _)| name == "authorization")?;
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        };
        let token = given.get("auth").and_then(Value::as_str).or_else(bearer).ok_or_else(Refusal::no_auth)?;
        self.core().tokens.client_id(token, Timestamp::now()).map(Identity::app_user)
    }

    /// Works on a request to its end, whether or not anybody still waits for the answer.
    pub(super) async fn serve(&self, mut ticket: Ticket) -> Delivery {
        pause(ticket.verdict.delay + self.latency.per_request).await;
        let delivery = match ticket.verdict.early.take() {
            Some(Early::Answer(answer)) => Delivery::Answer(answer),
            Some(Early::Close) => Delivery::Close,
            None => match (self.work(&ticket).await, ticket.verdict.late.take()) {
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
        if let (Delivery::Answer(answer) | Delivery::Torn(answer, _), Some(record)) =
            (&delivery, self.core().requests.get_mut(ticket.index))
        {
            record.status = Some(answer.status);
        }
        delivery
    }

    /// The answer that a request gets where nothing is scripted; `None` when a batch was cut and stays unanswered.
    async fn work(&self, ticket: &Ticket) -> Option<Answer> {
        let start = Timestamp::now();
        let (method, given) = match &ticket.asked {
            Asked::Call { method, given, .. } => (method, given),
            Asked::Token(given) => return Some(self.token(given)),
            Asked::File => return Some(self.file(&ticket.path)),
            Asked::Nothing => return Some(Answer::page(404)),
        };
        let refused = |refusal: &Refusal| Some(Answer::refused(refusal));
        let now = self.started.elapsed();
        if self.core().bucket.as_mut().is_some_and(|level| !level.admit(now)) {
            return refused(&Refusal::too_many_requests());
        }
        if !methods::exists(method) {
            return refused(&Refusal::unknown_method());
        }
        let caller = match &ticket.caller {
            Ok(caller) => caller,
            Err(refusal) => return refused(refusal),
        };
        let (end, time) = match &ticket.batch {
            Some(batch) => {
                let results = self.batch(ticket, batch, caller).await?;
                // Its commands count, the batch itself does not.
                let usage = self.core().meter.usage(method, start);
                (Ok(results), time(start, Timestamp::now(), usage))
            }
            None => {
                pause(self.latency.per_command).await;
                self.core().execute((ticket.index, 0), method, given, caller, start)
            }
        };
        Some(match end {
            Ok(success) => Answer::json(200, &success.envelope(time)),
            Err(refusal) => Answer::refused(&refusal),
        })
    }

    async fn batch(&self, ticket: &Ticket, batch: &Batch, caller: &Caller) -> Option<Success> {
        let mut results = Results::default();
        for (place, command) in batch.commands.iter().enumerate() {
            if ticket.verdict.cut.is_some_and(|(after, _)| place >= after) {
                break;
            }
            let start = Timestamp::now();
            let refused = if place < LONGEST {
                pause(self.latency.per_command).await;
                let (end, time) = match results.parameters(command) {
                    Ok(given) => self.core().execute((ticket.index, place), &command.method, &given, caller, start),
                    Err(refusal) => (Err(refusal), Value::Null),
                };
                let refused = end.is_err();
                results.take(&command.key, end, time);
                refused
            } else {
                let refusal = Refusal::new(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded");
                results.take(&command.key, Err(refusal), Value::Null);
                true
            };
            if refused && batch.halt {
                break;
            }
        }
        let unanswered = matches!(ticket.verdict.cut, Some((_, Cut::Close)));
        (!unanswered).then(|| Success::of(results.into_value()))
    }

    fn file(&self, path: &str) -> Answer {
        self.core().world.file(path).map_or_else(
            || Answer::page(404),
            |body| Answer { status: 200, content_type: "image/png".to_owned(), body },
        )
    }
}

impl Ticket {
    /// Whether the client is cut off before the work begins.
    pub(super) const fn closes_at_once(&self) -> bool {
        matches!(self.verdict.late, Some(Late::CloseAtOnce)) && self.verdict.early.is_none()
    }
}

/// What a request calls, as it is remembered.
fn commands(asked: &Asked, batch: Option<&Batch>) -> Vec<RecordedCommand> {
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
