//! An apply inside this process, wired as the command wires it, that can be killed at any request and any journal write.
//!
//! A kill unwinds: all that the apply knew is lost, its connections and its lock are gone, and its files stay.

use std::cell::{Cell, RefCell};
use std::fs;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use brandctl::domain::asset::{Address, Digest};
use brandctl::domain::command::{Answer, Command, Halt};
use brandctl::domain::diff::Unbacked;
use brandctl::domain::guard::{self, Allowances, ApprovedPlan, Empty, InUse, IncompleteCheckout};
use brandctl::domain::journal::{JournalEntry, RunState};
use brandctl::domain::last_known::LastKnown;
use brandctl::domain::plan::Contents;
use brandctl::domain::report::{NextCommands, Report};
use brandctl::domain::resumption::Resumption;
use brandctl::domain::rules::Aim;
use brandctl::domain::state::{Listed, Listing, Selection};
use brandctl::format::Published;
use brandctl::ops::apply::{self, NotApplied, Tools};
use brandctl::ops::events::{Event, Observer};
use brandctl::ops::observe::{Freshness, Reader};
use brandctl::ops::ports::{
    DOWNLOADS, Interrupt, Journal, OpenRun, PortalError, PreparedRun, ReadPortal, Runs, StoreError, Transmission,
    Urgency, WriteError, WritePortal,
};
use brandctl::ops::recover::{self, Closing, Patience, Settling};
use brandctl::ops::{plan, validate};
use brandctl::portal::{Access, Client, Deadlines, Rate, Throttle, TrustStore, Webhook};
use brandctl::store::cache::Cache;
use brandctl::store::lock::{Lock, LockError, LockPurpose};
use brandctl::store::repository::Repository;
use brandctl::store::runs::{Clock, RunStore};
use brandctl::store::state_dir::StateDir;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::common::Brand;

/// What happens to an apply from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strike {
    /// Nothing.
    None,
    /// It is killed at its n-th request.
    Request(u32, Moment),
    /// It is killed at its n-th journal write.
    Journal(u32, Moment),
    /// It is killed while it makes its run's folder, when so much of it is there.
    Begin(Remnant),
    /// Its n-th journal write fails, and all after it.
    JournalFails(u32),
    /// Its n-th journal write fails alone.
    JournalFailsOnce(u32),
    /// Its run's folder cannot be made, after so much of it is there.
    BeginFails(Remnant),
}

/// When, in the course of one request or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It has not left.
    Before,
    /// The request is at the portal, and nobody waits for the answer any more; half of the line is on disk.
    During,
    /// It was answered; it is on disk.
    After,
}

/// How much of a run's folder is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remnant {
    /// The folder, and this many old images.
    Images(usize),
    /// All old images and half of the plan.
    HalfPlan,
    /// All but the journal.
    NoJournal,
    /// All, and an empty journal.
    EmptyJournal,
    /// All, and half of the journal's first line.
    HalfLine,
    /// All of it.
    Whole,
}

/// How an apply ended.
#[derive(Debug)]
pub(crate) struct Life {
    /// Its exit code; `None` when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) report: Report,
    /// How often it asked the portal for something.
    pub(crate) calls: u32,
    /// How often it wrote into a journal, the first line apart.
    pub(crate) journal_writes: u32,
}

impl Life {
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{:#?}\n{:#?}", self.report.findings, self.report.run);
        self
    }
}

/// What a kill throws.
struct Killed;

fn die() -> ! {
    resume_unwind(Box::new(Killed))
}

/// For how long a portal here may go on after its client is gone.
pub(crate) const SETTLE: Duration = Duration::from_millis(100);

/// What somebody else does, right before the n-th request.
pub(crate) type Edit = (u32, Box<dyn FnOnce()>);

/// The circumstances of an apply.
pub(crate) struct Circumstances {
    pub(crate) strike: Strike,
    pub(crate) timeout: Duration,
    pub(crate) settle: Duration,
    pub(crate) edit: Option<Edit>,
}

impl Default for Circumstances {
    fn default() -> Self {
        Self { strike: Strike::None, timeout: TIMEOUT, settle: SETTLE, edit: None }
    }
}

/// How long an apply here may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// An apply of `brand` with its own state folder.
pub(crate) fn apply(brand: &Brand, strike: Strike) -> Life {
    apply_from(brand, brand.folder.path(), strike)
}

/// The same with a time of its own, for a portal that is waited for until the time is up.
pub(crate) fn apply_within(brand: &Brand, timeout: Duration) -> Life {
    run(brand, brand.folder.path(), Circumstances { timeout, ..Circumstances::default() })
}

/// An apply of the manifest in `folder` to the portal of `brand`.
pub(crate) fn apply_from(brand: &Brand, folder: &Path, strike: Strike) -> Life {
    run(brand, folder, Circumstances { strike, ..Circumstances::default() })
}

/// An apply under these circumstances.
pub(crate) fn run(brand: &Brand, folder: &Path, circumstances: Circumstances) -> Life {
    let Circumstances { strike, timeout, settle, edit } = circumstances;
    let counts = Counts::new(strike);
    counts.edit.replace(edit);
    let mut report = Report::default();
    let webhook = brand.portal.admin_webhook();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live_over_http(folder, &webhook, (timeout, settle), &counts, &mut report))
    }));
    counts.life(survived(ended), report)
}

async fn live_over_http(
    folder: &Path,
    webhook: &str,
    (timeout, settle): (Duration, Duration),
    counts: &Rc<Counts>,
    report: &mut Report,
) -> Result<(), Ended> {
    let access = Access::from(Webhook::parse(webhook, "the test").unwrap());
    let identity = access.host().to_owned();
    let rate = Rate { per_second: 10_000.0, burst: 1_000, headroom: 10 };
    let throttle = Throttle::new(rate, DOWNLOADS, Arc::new(Silent)).unwrap();
    let deadlines = Deadlines::new(Instant::now(), timeout);
    let client = Client::new(access, &TrustStore::new(None).unwrap(), throttle, deadlines).unwrap();
    let portal = Frail { inner: client, counts: counts.clone() };
    let setup = Setup {
        folder,
        identity: &identity,
        settle,
        clock: Timestamp::now,
        now: || std::time::UNIX_EPOCH.elapsed().unwrap(),
        max_deletes: 10,
        unbacked: Unbacked::Keep,
        observer: &Silent,
    };
    live(&setup, &portal, report).await
}

/// What came of it; `None` when it was killed.
pub(crate) fn survived<T>(ended: std::thread::Result<T>) -> Option<T> {
    match ended {
        Ok(ended) => Some(ended),
        Err(thrown) if thrown.is::<Killed>() => None,
        Err(thrown) => resume_unwind(thrown),
    }
}

/// The exit code, as the command's table has it.
fn code(report: &Report, ended: Result<(), Ended>) -> i32 {
    match ended {
        Err(Ended::Stale) => 5,
        Err(Ended::Refused) => 4,
        Err(Ended::Error) => 1,
        Ok(()) if report.partly_applied() => 3,
        Ok(()) if report.has_errors() || report.has_failed_steps() => 1,
        Ok(()) => 0,
    }
}

/// Why nothing was applied.
#[derive(Debug)]
pub(crate) enum Ended {
    Error,
    Refused,
    Stale,
}

struct Silent;

impl Observer for Silent {
    fn observe(&self, _: Event) {}
}

/// What an apply is made with, beside the portal.
pub(crate) struct Setup<'a> {
    /// The folder with the manifest, the art and the state.
    pub(crate) folder: &'a Path,
    /// The portal's identity.
    pub(crate) identity: &'a str,
    /// For how long a request without an answer may still be carried out.
    pub(crate) settle: Duration,
    /// What journals are stamped with.
    pub(crate) clock: Clock,
    /// The same clock, as the time since 1970.
    pub(crate) now: fn() -> Duration,
    pub(crate) max_deletes: usize,
    pub(crate) unbacked: Unbacked,
    pub(crate) observer: &'a dyn Observer,
}

/// An apply, from the manifest to the run's report.
pub(crate) async fn live<P: ReadPortal + WritePortal>(
    setup: &Setup<'_>,
    portal: &Frail<P>,
    report: &mut Report,
) -> Result<(), Ended> {
    let Setup { folder, identity, settle, clock, now, max_deletes, unbacked, observer } = *setup;
    let repository = Repository::at(&folder.join("brand.yaml"));
    let validated = validate::validate("brand.yaml", &repository, Aim::DesiredState, &Silent);
    report.findings = validated.checked.findings;
    let (Some(manifest), Some(desired)) = (validated.manifest, validated.checked.desired) else {
        return Err(Ended::Error);
    };
    let state = StateDir::new(&folder.join(".brandctl"), identity);
    let _lock = take_lock(&state);
    let cache = Cache::open(&state);
    let known = RefCell::default();
    let reader = || Reader { portal, cache: &cache, observer, known: &known };
    let runs = FrailRuns { inner: RunStore::new(state.clone(), None).with_clock(clock), counts: portal.counts.clone() };
    let error = |report: &mut Report, why: String| {
        report.findings.push(brandctl::domain::finding::Finding::error("apply", why));
        Ended::Error
    };
    let how = Settling { settle, closing: Closing::Write, patience: Patience::Wait, now };
    let next = NextCommands::default();
    let settled =
        recover::settle(&runs, &reader(), &next, how).await.map_err(|cause| error(report, cause.to_string()))?;
    report.findings.extend(settled);
    known.replace(LastKnown::of(runs.inner.all().unwrap().iter().map(|run| &run.state)));
    let allowances = Allowances {
        max_deletes: Some(max_deletes),
        empty: Empty::Allow,
        unbacked,
        in_use: InUse::Refuse,
        checkout: IncompleteCheckout::Refuse,
    };
    let request = plan::Request {
        portal: identity,
        manifest: "brand.yaml",
        desired: &desired,
        only: &Selection::All,
        unbacked: allowances.unbacked,
        freshness: Freshness::Cached,
        purpose: plan::Purpose::Write,
        record: None,
    };
    let planned = plan::plan(&request, &reader()).await.map_err(|cause| error(report, cause.to_string()))?;
    let listed = planned.listing.entries.iter().map(|listed| listed.file_uri.as_str()).collect();
    cache.save(&state, &listed).unwrap();
    report.findings.extend(planned.findings);
    let (seen, control) = (planned.seen, planned.control.clone());
    let evaluated = guard::evaluate(planned.plan, &manifest.ownership(), &planned.counts_by_kind, allowances);
    report.plan = Some(evaluated.plan().clone());
    report.guards = evaluated.verdicts().to_vec();
    let published = Published::new(evaluated, None, &planned.origins, &report.findings).unwrap();
    report.portal = Some(identity.to_owned());
    report.plan_sha256 = Some(published.digest());
    if report.findings.iter().any(brandctl::domain::finding::Finding::is_error) {
        return Err(Ended::Error);
    }
    let approved = published.approve().map_err(|_| Ended::Refused)?;
    let interrupt = Interrupt::default();
    let tools = Tools {
        reader: reader(),
        runs: &runs,
        control,
        interrupt: &interrupt,
        settle,
        in_flight: NonZeroUsize::new(8).unwrap(),
        next: NextCommands::default(),
    };
    let applied = apply::apply(&approved, seen, &Resumption::default(), &tools).await;
    cache.save_all(&state).unwrap();
    match applied {
        Ok(None) => {}
        Ok(Some(applied)) => {
            report.findings.extend(applied.findings);
            report.run = Some(applied.run);
        }
        Err(NotApplied::Stale(findings)) => {
            report.findings.extend(findings);
            return Err(Ended::Stale);
        }
        Err(cause) => return Err(error(report, cause.to_string())),
    }
    if let Some(run) = &report.run {
        let mut document = approved.document().clone();
        document.add_run(run);
        runs.inner.write_report(&run.id, &document).unwrap();
    }
    Ok(())
}

/// Takes the lock. A child that another test forks has every open file of this process until its exec, the lock of the run
/// before among them, which stays taken for that moment.
fn take_lock(state: &StateDir) -> Lock {
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    loop {
        match Lock::take(state, LockPurpose::Apply, "2026-01-01T00:00:00Z".to_owned()) {
            Err(LockError::Held(_)) if std::time::Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            taken => return taken.unwrap(),
        }
    }
}

/// What was done so far, and when to strike.
pub(crate) struct Counts {
    strike: Strike,
    edit: RefCell<Option<Edit>>,
    calls: Cell<u32>,
    writes: Cell<u32>,
}

impl Counts {
    pub(crate) fn new(strike: Strike) -> Rc<Self> {
        Rc::new(Self { strike, edit: RefCell::default(), calls: Cell::new(0), writes: Cell::new(0) })
    }

    /// The apply that was counted. `ended` is `None` when it was killed.
    pub(crate) fn life(&self, ended: Option<Result<(), Ended>>, report: Report) -> Life {
        let code = ended.map(|ended| code(&report, ended));
        Life { code, report, calls: self.calls.get(), journal_writes: self.writes.get() }
    }
}

// ---- The portal ----

/// A portal whose caller can be killed at each request.
pub(crate) struct Frail<P> {
    pub(crate) inner: P,
    pub(crate) counts: Rc<Counts>,
}

impl<P> Frail<P> {
    async fn around<T>(&self, asking: impl Future<Output = T>) -> T {
        let count = self.counts.calls.get() + 1;
        self.counts.calls.set(count);
        if let Some((_, edit)) = self.counts.edit.borrow_mut().take_if(|(nth, _)| *nth == count) {
            edit();
        }
        let moment = match self.counts.strike {
            Strike::Request(nth, moment) if nth == count => moment,
            _ => return asking.await,
        };
        match moment {
            Moment::Before => {}
            // Long enough to arrive, and not to be answered: the portal is slow in these tests.
            Moment::During => drop(tokio::time::timeout(Duration::from_millis(20), asking).await),
            Moment::After => drop(asking.await),
        }
        die()
    }
}

impl<P: ReadPortal> ReadPortal for Frail<P> {
    async fn list(&self) -> Result<Listing, PortalError> {
        self.around(self.inner.list()).await
    }
    async fn get(&self, addresses: &[Address]) -> Result<Vec<Option<Listed>>, PortalError> {
        self.around(self.inner.get(addresses)).await
    }
    async fn download(&self, file_uri: &str) -> Result<Vec<u8>, PortalError> {
        self.around(self.inner.download(file_uri)).await
    }
    async fn list_to_write(&self) -> Result<(Listing, bool), PortalError> {
        self.around(self.inner.list_to_write()).await
    }
    fn added_files(&self) -> Vec<(Address, String)> {
        self.inner.added_files()
    }
    fn begin_grace_period(&self) {
        self.inner.begin_grace_period();
    }
    fn time_left(&self) -> Duration {
        self.inner.time_left()
    }
}

impl<P: WritePortal> WritePortal for Frail<P> {
    async fn permitted_pairs(&self, commands: &[Command]) -> Result<usize, WriteError> {
        self.inner.permitted_pairs(commands).await
    }
    async fn write(
        &self,
        commands: &[Command],
        halt: Halt,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Vec<Answer>, WriteError> {
        self.around(self.inner.write(commands, halt, urgency, note)).await
    }
    async fn write_single(
        &self,
        command: &Command,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Answer, WriteError> {
        self.around(self.inner.write_single(command, urgency, note)).await
    }
}

// ---- The store ----

struct FrailRuns {
    inner: RunStore,
    counts: Rc<Counts>,
}

impl Runs for FrailRuns {
    fn prepare(&self, plan: &Published<ApprovedPlan>) -> Result<Box<dyn PreparedRun>, StoreError> {
        Ok(Box::new(FrailPrepared { inner: self.inner.prepare(plan)?, counts: self.counts.clone() }))
    }

    fn open(&self) -> Result<Vec<OpenRun>, StoreError> {
        self.inner.open()
    }

    fn append(&self, run: &RunState, entries: &[JournalEntry]) -> Result<(), StoreError> {
        let runs = self.inner.all().unwrap();
        let found = runs.iter().find(|found| found.state.run == run.run).unwrap();
        self.counts.journal(found.folder(), || self.inner.append(run, entries))
    }
}

struct FrailPrepared {
    inner: Box<dyn PreparedRun>,
    counts: Rc<Counts>,
}

impl PreparedRun for FrailPrepared {
    fn keep(&self, copies: &Contents) -> Result<(), StoreError> {
        self.inner.keep(copies)
    }

    fn begin(self: Box<Self>) -> Result<Box<dyn Journal>, StoreError> {
        let inner = self.inner.begin()?;
        match self.counts.strike {
            Strike::Begin(remnant) => {
                leave(inner.folder(), remnant);
                die()
            }
            Strike::BeginFails(remnant) => {
                leave(inner.folder(), remnant);
                Err(full())
            }
            _ => Ok(Box::new(FrailJournal { inner, counts: self.counts.clone() })),
        }
    }
}

fn full() -> StoreError {
    StoreError("no space left on device".to_owned())
}

/// Takes away from a run's folder what would not have been there yet.
fn leave(folder: &Path, remnant: Remnant) {
    let (journal, plan) = (folder.join("journal.jsonl"), folder.join("plan.json"));
    let cut = |path: &PathBuf, part: usize| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() * part / 2]).unwrap();
    };
    match remnant {
        Remnant::Whole => {}
        Remnant::HalfLine => cut(&journal, 1),
        Remnant::EmptyJournal => cut(&journal, 0),
        Remnant::NoJournal => fs::remove_file(&journal).unwrap(),
        Remnant::HalfPlan => {
            fs::remove_file(&journal).unwrap();
            cut(&plan, 1);
        }
        Remnant::Images(kept) => {
            fs::remove_file(&journal).unwrap();
            fs::remove_file(&plan).unwrap();
            for image in fs::read_dir(folder.join("old")).unwrap().skip(kept) {
                fs::remove_file(image.unwrap().path()).unwrap();
            }
        }
    }
}

struct FrailJournal {
    inner: Box<dyn Journal>,
    counts: Rc<Counts>,
}

impl Journal for FrailJournal {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn folder(&self) -> &Path {
        self.inner.folder()
    }

    fn copy(&self, digest: Digest) -> Option<Arc<[u8]>> {
        self.inner.copy(digest)
    }

    fn append_all(&self, entries: &[JournalEntry]) -> Result<(), StoreError> {
        self.counts.journal(self.folder(), || self.inner.append_all(entries))
    }
}

impl Counts {
    /// One write to the journal in `folder`, unless this is when to strike.
    fn journal(&self, folder: &Path, write: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let count = self.writes.get() + 1;
        self.writes.set(count);
        match self.strike {
            Strike::JournalFails(from) if count >= from => Err(full()),
            Strike::JournalFailsOnce(nth) if count == nth => Err(full()),
            Strike::Journal(nth, moment) if count == nth => {
                let path = folder.join("journal.jsonl");
                let before = fs::metadata(&path).unwrap().len();
                if moment != Moment::Before {
                    write().unwrap();
                }
                if moment == Moment::During {
                    let torn = before + (fs::metadata(&path).unwrap().len() - before) / 2;
                    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(torn).unwrap();
                }
                die()
            }
            _ => write(),
        }
    }
}
