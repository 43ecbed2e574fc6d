//! How brandctl reaches the portal of the model: the ports, in virtual time. A request is carried out by a task of the
//! portal, which goes on when its client is gone.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::command::{Answer, Command, Halt};
use brandctl::domain::retry::Class;
use brandctl::domain::state::{Listed, Listing};
use brandctl::ops::ports::{PortalError, ReadPortal, Transmission, Urgency, WriteError, WritePortal};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::case::{Lie, Moment, Refusal, WriteFault};
use super::world::{Asked, Happening, Request, Who, World, key};

/// How long past the command's end a replace may be completed and the outcome of writes determined.
const GRACE_PERIOD: Duration = Duration::from_secs(180);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const WRITE_TIMEOUT: Duration = Duration::from_secs(120);

/// A write that waited longer than this for its turn is not sent without another look.
const MAX_WRITE_WAIT: Duration = Duration::from_secs(30);
/// The same for one that removes something.
const MAX_REMOVAL_WAIT: Duration = Duration::from_secs(2);

/// A portal ends a request that takes longer.
const MAX_EXECUTION: Duration = Duration::from_secs(60);

/// For how long after its last byte anything of a request is carried out.
const WINDOW: Duration = Duration::from_secs(119);

/// One apply's way to the portal.
pub(super) struct ModelPortal {
    pub(super) world: Rc<World>,
    pub(super) life: usize,
    end: Instant,
    in_grace_period: Cell<bool>,
    added: RefCell<Vec<(Address, String)>>,
}

/// What the portal's task tells the client.
enum Told {
    Answers(Vec<Answer>, Vec<(Address, String)>),
    /// An error of the server: nothing more of the request is carried out.
    Broken,
    /// The connection ended without an answer.
    Reset,
}

fn failure(class: Class, message: &str) -> PortalError {
    PortalError { class, code: None, message: format!("the model: {message}"), hint: None }
}

fn deadline() -> PortalError {
    failure(Class::Deadline, "the time of --timeout is up")
}

impl ModelPortal {
    pub(super) fn new(world: &Rc<World>, life: usize, timeout: Duration) -> Self {
        Self {
            world: world.clone(),
            life,
            end: Instant::now() + timeout,
            in_grace_period: Cell::new(false),
            added: RefCell::default(),
        }
    }

    fn until(&self, urgency: Option<Urgency>) -> Instant {
        match urgency {
            None if !self.in_grace_period.get() => self.end,
            Some(Urgency::Ordinary | Urgency::Removing) => self.end,
            None | Some(Urgency::Completing) => self.end + GRACE_PERIOD,
        }
    }

    /// One request that reads: `read` looks at what the portal holds when it arrives.
    async fn read<T>(&self, read: impl FnOnce() -> T) -> Result<T, PortalError> {
        let world = &self.world;
        let number = world.reads.replace(world.reads.get() + 1);
        let until = (Instant::now() + READ_TIMEOUT).min(self.until(None));
        if Instant::now() >= until {
            return Err(deadline());
        }
        let lag = world.case.lags[number % world.case.lags.len()];
        let asking = async {
            tokio::time::sleep(Duration::from_millis(u64::from(lag))).await;
            if world.case.broken_reads.contains(&number) && !world.calm.get() {
                world.count("reads that failed");
                return Err(failure(Class::Transient, "it cannot be read"));
            }
            let answer = read();
            tokio::time::sleep(Duration::from_millis(u64::from(lag))).await;
            Ok(answer)
        };
        tokio::time::timeout_at(until, asking).await.unwrap_or_else(|_| Err(deadline()))
    }

    /// One request that writes, from the first try to what its client learns of it.
    async fn exchange(&self, sending: Sending<'_>) -> Result<Vec<Answer>, WriteError> {
        let (world, begun) = (&self.world, Instant::now());
        if begun >= self.until(Some(sending.urgency)) {
            return Err(WriteError::NoEffect(deadline()));
        }
        let number = world.writes.replace(world.writes.get() + 1);
        let fault = world.case.writes.iter().find(|(nth, _)| *nth == number && !world.calm.get());
        let fault = fault.map(|(_, fault)| *fault).unwrap_or(WriteFault::None);
        let request = world.requests.borrow().len();
        let commands = sending.commands.to_vec();
        world.requests.borrow_mut().push(Request { life: self.life, commands });
        world.note(Happening::Asks { request });
        let outcome = match self.turned_away(&sending, fault, begun).await {
            Some(error) => Err(WriteError::NoEffect(error)),
            None => self.deliver(sending, request, fault, begun).await,
        };
        if !matches!(outcome, Err(WriteError::Unanswered(_))) {
            let done = outcome.iter().flatten().map(|answer| *answer == Answer::Done).collect();
            world.note(Happening::Answered { request, done });
        }
        outcome
    }

    /// The error of a request that has no effect: it was not sent in time, or refused whole.
    async fn turned_away(&self, sending: &Sending<'_>, fault: WriteFault, begun: Instant) -> Option<PortalError> {
        let world = &self.world;
        let longest = match sending.urgency {
            Urgency::Ordinary => MAX_WRITE_WAIT,
            Urgency::Removing => MAX_REMOVAL_WAIT,
            Urgency::Completing => Duration::MAX,
        };
        let waited = || failure(Class::Waited, "it waited for its turn");
        let send = async || {
            tokio::time::sleep(TRAVEL).await;
            (sending.note)(Transmission::Sent);
            tokio::time::sleep(TRAVEL).await;
        };
        match fault {
            WriteFault::Waited if longest < Duration::MAX => {
                world.count("writes that waited too long");
                tokio::time::sleep(longest + Duration::from_secs(1)).await;
                Some(waited())
            }
            WriteFault::Busy(seconds) => {
                world.count("busy portals");
                send().await;
                let wait = Duration::from_secs(seconds);
                if Instant::now() + wait >= self.until(Some(sending.urgency)) {
                    return Some(failure(Class::Busy, "it is busy"));
                }
                tokio::time::sleep(wait).await;
                if begun.elapsed() > longest {
                    return Some(waited());
                }
                (sending.note)(Transmission::Again);
                None
            }
            WriteFault::Refused(Refusal::Whole) => {
                world.count("requests refused");
                send().await;
                Some(failure(Class::Configuration, "it is refused"))
            }
            _ if sending.in_batch && world.case.no_batches && !world.calm.get() => {
                world.count("batches refused");
                send().await;
                Some(failure(Class::NoBatch, "it takes no batches"))
            }
            _ => None,
        }
    }

    /// Hands a request over to the portal, and waits for the answer.
    async fn deliver(
        &self,
        sending: Sending<'_>,
        request: usize,
        fault: WriteFault,
        begun: Instant,
    ) -> Result<Vec<Answer>, WriteError> {
        let world = &self.world;
        if matches!(fault, WriteFault::Busy(_)) {
            world.sent_again.borrow_mut().insert(request);
        }
        tokio::time::sleep(TRAVEL).await;
        let (tell, told) = oneshot::channel();
        let Sending { commands, halt, note, in_batch, .. } = sending;
        let job = Job { who: Who::Request { life: self.life, request }, request, commands, halt, fault, in_batch };
        // From here on it is the portal's.
        tokio::task::spawn_local(serve(world.clone(), job, tell));
        note(Transmission::Sent);
        let patience = (begun + WRITE_TIMEOUT).min(self.end + GRACE_PERIOD);
        match tokio::time::timeout_at(patience, told).await {
            Ok(Ok(Told::Answers(answers, added))) => {
                self.added.borrow_mut().extend(added);
                Ok(answers)
            }
            Ok(Ok(Told::Broken)) => Err(WriteError::Unclear(failure(Class::Transient, "INTERNAL_SERVER_ERROR"))),
            Ok(Ok(Told::Reset) | Err(_)) | Err(_) => {
                world.count("answers that were lost");
                Err(WriteError::Unanswered(failure(Class::Transient, "no answer came")))
            }
        }
    }
}

/// A request that is to be sent.
struct Sending<'a> {
    commands: Vec<Asked>,
    halt: Halt,
    urgency: Urgency,
    note: &'a dyn Fn(Transmission),
    in_batch: bool,
}

/// How long a request takes to the portal, and an answer back.
const TRAVEL: Duration = Duration::from_millis(8);

fn asked(command: &Command) -> Asked {
    let (address, png) = match command {
        Command::Add { address, png } => (address, Some(png.clone())),
        Command::Delete { address } => (address, None),
    };
    let code = address.code.to_string();
    Asked { key: key(address.kind, &code), code, png }
}

/// A request that has arrived.
struct Job {
    who: Who,
    request: usize,
    commands: Vec<Asked>,
    halt: Halt,
    fault: WriteFault,
    in_batch: bool,
}

/// The client of a request, as long as it waits.
struct Caller(Option<oneshot::Sender<Told>>);

impl Caller {
    fn tell(&mut self, told: Told) {
        if let Some(tell) = self.0.take() {
            // Where nobody waits any more, the answer is lost.
            let _ = tell.send(told);
        }
    }
}

/// Takes a request up, and answers if there is still somebody to answer.
async fn serve(world: Rc<World>, job: Job, tell: oneshot::Sender<Told>) {
    let arrived = Instant::now();
    let absent = {
        let entries = world.entries.borrow();
        job.commands.iter().map(|asked| asked.key.clone()).filter(|key| !entries.contains_key(key)).collect()
    };
    world.note(Happening::Arrives { request: job.request, absent });
    let mut caller = Caller(Some(tell));
    if let WriteFault::Late { seconds, hangs } = job.fault {
        world.count(match seconds {
            9 => "late requests, 9 s",
            25 => "late requests, 25 s",
            60 => "late requests, 60 s",
            _ => "late requests, 100 s",
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        if !hangs {
            caller.tell(Told::Reset);
        }
        tokio::time::sleep_until(arrived + Duration::from_secs(seconds)).await;
    }
    let answered = carry_out(&world, &job, arrived, &mut caller).await;
    tokio::time::sleep(TRAVEL).await;
    caller.tell(match (job.fault, answered) {
        (WriteFault::LostAfter, _) => Told::Reset,
        (_, Some((answers, added))) => Told::Answers(answers, added),
        (WriteFault::BrokenAfter(_), None) => Told::Broken,
        (_, None) => Told::Reset,
    });
}

/// The answers to the commands of a request, and where images were added.
type Answers = (Vec<Answer>, Vec<(Address, String)>);

/// Carries out a request, one command after the other; `None` when the portal stops in the middle.
async fn carry_out(world: &World, job: &Job, arrived: Instant, caller: &mut Caller) -> Option<Answers> {
    let begun = Instant::now();
    let (mut answers, mut added) = (Vec::with_capacity(job.commands.len()), Vec::new());
    let mut halted = false;
    for (index, asked) in job.commands.iter().enumerate() {
        if halted {
            answers.push(Answer::NotRun);
            continue;
        }
        let number = world.commands.replace(world.commands.get() + 1);
        let pace = world.case.paces[number % world.case.paces.len()];
        tokio::time::sleep(Duration::from_millis(u64::from(pace))).await;
        world.edit(Moment::BeforeCommand(number));
        let is_over = begun.elapsed() > MAX_EXECUTION || arrived.elapsed() > WINDOW;
        match job.fault {
            _ if is_over => return None,
            WriteFault::LostBefore => return None,
            WriteFault::CutAfter(most) | WriteFault::BrokenAfter(most) if index >= most => return None,
            WriteFault::ResetAfter(most) if index >= most => caller.tell(Told::Reset),
            _ => {}
        }
        let answer = refused(world, job, asked, index).unwrap_or_else(|| match world.carry_out(job.who, asked) {
            Ok(uri) => {
                let address = Address::new(asked.key.0, Code::new(asked.code.clone()));
                added.extend(uri.map(|uri| (address, uri)));
                Answer::Done
            }
            Err((code, description)) => Answer::Refused { class: Class::Refused, code: code.to_owned(), description },
        });
        halted = job.halt == Halt::OnError && matches!(answer, Answer::Refused { .. });
        let is_mute = matches!(job.fault, WriteFault::Mute(at) if at == index);
        answers.push(if is_mute { Answer::Unknown("the answer does not mention it".to_owned()) } else { answer });
    }
    Some((answers, added))
}

/// The refusal of one command that the portal would take at another time.
fn refused(world: &World, job: &Job, asked: &Asked, index: usize) -> Option<Answer> {
    let answer = |class, code: &str| {
        world.count("commands refused");
        Some(Answer::Refused { class, code: code.to_owned(), description: "no".to_owned() })
    };
    let is_add = asked.png.is_some();
    match job.fault {
        WriteFault::Refused(Refusal::Adds) if is_add => answer(Class::Refused, "FILE_SAVE_ERROR"),
        WriteFault::Refused(Refusal::Deletes) if !is_add => answer(Class::Refused, "ACCESS_DENIED"),
        WriteFault::Refused(Refusal::Allowance(from)) if index >= from => answer(Class::Busy, "OPERATION_TIME_LIMIT"),
        WriteFault::Refused(Refusal::InBatch) if job.in_batch => {
            answer(Class::NoBatch, "ERROR_BATCH_METHOD_NOT_ALLOWED")
        }
        _ => None,
    }
}

impl ReadPortal for ModelPortal {
    async fn list(&self) -> Result<Listing, PortalError> {
        self.read(|| self.world.list(self.life)).await
    }

    async fn list_to_write(&self) -> Result<(Listing, bool), PortalError> {
        self.read(|| (self.world.list(self.life), true)).await
    }

    async fn get(&self, addresses: &[Address]) -> Result<Vec<Option<Listed>>, PortalError> {
        self.read(|| {
            let keys = addresses.iter().map(|address| key(address.kind, &address.code.to_string())).collect();
            self.world.note(Happening::Gets { life: self.life, keys });
            addresses.iter().map(|address| self.world.get(address)).collect()
        })
        .await
    }

    async fn download(&self, file_uri: &str) -> Result<Vec<u8>, PortalError> {
        let world = &self.world;
        let lie = |passes| world.lies.borrow_mut().push((self.life, file_uri.to_owned(), passes));
        let found = self.read(|| world.file(file_uri)).await;
        let found = found.and_then(|file| file.ok_or_else(|| failure(Class::Refused, "404")));
        let bytes = found.inspect_err(|_| lie(false))?;
        let Some(form) = world.lie_about(file_uri) else { return Ok(bytes.to_vec()) };
        lie(matches!(form, Lie::Placeholder));
        let kind = if brandctl::domain::png::dimensions(&bytes) == Some((24, 24)) { Kind::Icon } else { Kind::Logo };
        world.count(match form {
            Lie::Placeholder => "downloads answered with a placeholder",
            Lie::WrongSize => "downloads answered in the wrong size",
            Lie::Cut => "downloads cut short",
            Lie::Gif => "downloads answered with a GIF",
            Lie::Nothing => "downloads refused",
        });
        form.instead_of(kind, &bytes).ok_or_else(|| failure(Class::Refused, "403"))
    }

    fn added_files(&self) -> Vec<(Address, String)> {
        self.added.take()
    }

    fn begin_grace_period(&self) {
        self.in_grace_period.set(true);
    }

    fn time_left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

impl WritePortal for ModelPortal {
    async fn permitted_pairs(&self, commands: &[Command]) -> Result<usize, WriteError> {
        Ok(commands.len() / 2)
    }

    async fn write(
        &self,
        commands: &[Command],
        halt: Halt,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Vec<Answer>, WriteError> {
        let commands = commands.iter().map(asked).collect();
        self.exchange(Sending { commands, halt, urgency, note, in_batch: true }).await
    }

    async fn write_single(
        &self,
        command: &Command,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Answer, WriteError> {
        let sending = Sending { commands: vec![asked(command)], halt: Halt::Never, urgency, note, in_batch: false };
        let mut answers = self.exchange(sending).await?;
        Ok(answers.pop().unwrap_or(Answer::NotRun))
    }
}
