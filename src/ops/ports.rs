//! The traits that the adapters fill. Reading and writing are two, so that a plan cannot write.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::asset::{Address, Digest, Kind};
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::Change;
use crate::domain::doctor::{Greeting, Inquiry, Setup};
use crate::domain::finding::{Finding, Problem};
use crate::domain::guard::ApprovedPlan;
use crate::domain::journal::{JournalEntry, RunState};
use crate::domain::logmessage::{Entity, LogEntry, LogOrder, LogPage, NewLogEntry};
use crate::domain::manifest::Manifest;
use crate::domain::origin::past::{Located, ObjectId, Past};
use crate::domain::plan::Contents;
use crate::domain::retry::Class;
use crate::domain::rules::Art;
use crate::domain::state::{Content, Listed, Listing};
use crate::format::Published;

/// The port that reads a branding repository.
pub trait ReadArt {
    /// The manifest's bytes, or the finding about why they cannot be read.
    fn manifest(&self) -> Result<Vec<u8>, Box<Finding>>;
    /// The images that the manifest declares and what lies beside them, and findings about those that cannot be read.
    fn art(&self, manifest: &Manifest) -> (Art, Vec<Finding>);
    /// How many entries of each kind the manifest declares, without reading an image.
    fn declared(&self, manifest: &Manifest) -> BTreeMap<Kind, usize>;
}

/// The reason why a history is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoHistory {
    /// No history exists, and why: this needs no finding.
    Outside(String),
    /// A history may exist, but cannot be read.
    Unreadable(Problem),
}

/// The contents of files by their names in Git.
pub(crate) type Blobs = BTreeMap<ObjectId, Arc<[u8]>>;

/// The history of a branding repository in Git. Implementations write nothing and fetch nothing.
pub(crate) trait History {
    /// The log of the manifest and of all that lies in its folder.
    fn past(&self) -> Result<Past, NoHistory>;
    /// Where paths lead through links, from the root of the repository. Paths that lead to themselves are left out.
    fn locate(&self, paths: &BTreeSet<String>) -> BTreeMap<String, Located>;
    /// The contents with these names, as far as this clone has them.
    fn blobs(&self, ids: &[ObjectId]) -> Blobs;
}

/// The reason why the portal did not give what was requested. It never holds a secret. Otherwise the texts are raw: code
/// that draws them escapes them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PortalError {
    /// The kind of failure, which decides whether a request is repeated.
    pub class: Class,
    /// The portal's error code, if it gave one, as a string.
    pub code: Option<String>,
    /// One sentence that names the host, and the status or cause: lower case, no full stop.
    pub message: String,
    /// How to fix it, in the same form.
    pub hint: Option<String>,
}

/// How many downloads run at once. They do not count against the portal's rate, and an image is small: most of the time
/// is spent waiting for the network, which many downloads can share.
pub const DOWNLOADS: usize = 128;

/// The port that reads a portal. Implementations wait, retry what may be retried, and keep within the command's deadline.
#[expect(async_fn_in_trait, reason = "the futures stay on the thread that makes them")]
pub trait ReadPortal {
    /// Reads both lists completely.
    async fn list(&self) -> Result<Listing, PortalError>;
    /// Reads both lists completely, and whether the caller may write, seen at one moment.
    async fn list_to_write(&self) -> Result<(Listing, bool), PortalError>;
    /// Entries, read past the server's list cache: one answer for each address in order, `None` for a missing entry. An
    /// answer may repeat the spelling of the address instead of the stored one.
    async fn get(&self, addresses: &[Address]) -> Result<Vec<Option<Listed>>, PortalError>;
    /// The bytes behind a `fileUri`, without credentials.
    async fn download(&self, file_uri: &str) -> Result<Vec<u8>, PortalError>;
    /// The locations of the images that the portal reports as added since this was last called, by the addresses that
    /// were asked for.
    fn added_files(&self) -> Vec<(Address, String)>;
    /// From here on, reading serves to determine the outcome of writes, and may continue past the command's end for a
    /// while.
    fn begin_grace_period(&self);
    /// The time until the command's end.
    fn time_left(&self) -> Duration;
}

impl From<PortalError> for Problem {
    fn from(error: PortalError) -> Self {
        Self { message: error.message, help: error.hint }
    }
}

/// The port that checks the way to a portal step by step. Nothing is written.
pub(crate) trait DoctorPort {
    /// The connection settings of the portal.
    fn setup(&self) -> Setup;
    /// Checks that credentials that expire can be renewed; others need not be.
    fn renewable(&self) -> Result<(), Problem>;
    /// The IP addresses of the host that connections are made to; at least one.
    async fn resolve(&self) -> Result<Vec<String>, Problem>;
    /// The first of these addresses that takes a connection.
    async fn connect(&self, addresses: &[String]) -> Result<String, Problem>;
    /// Sends the web server one request without credentials.
    async fn greet(&self) -> Result<Greeting, PortalError>;
    /// Asks what the caller may do, and whether the portal has these methods.
    async fn inquire(&self, methods: &[String]) -> Result<Inquiry, PortalError>;
}

/// The file that keeps an application's tokens.
pub trait TokenStore {
    /// Its name in messages.
    fn name(&self) -> &str;
    /// The bytes of the file.
    fn read(&self) -> io::Result<Vec<u8>>;
    /// Keeps others from renewing the tokens until the value and its clones are dropped. `None` if another process does.
    fn try_lock(&self) -> io::Result<Option<TokenLock>>;
    /// Makes sure that the file can be replaced by one that is about as long, or overwritten. This happens before tokens
    /// are renewed: if it fails, the refresh token is not used up in vain.
    fn prepare(&self) -> io::Result<Box<dyn TokenReplacement>>;
}

/// The lock of a token file.
pub type TokenLock = Arc<dyn Any + Send + Sync>;

/// A place on the disk for new tokens.
pub trait TokenReplacement: Send {
    /// The bytes of the file, which others may have changed since this was made.
    fn read(&self) -> io::Result<Vec<u8>>;
    /// Gives the token file new content. On return it is on disk, under the file's name.
    fn store(self: Box<Self>, contents: &[u8]) -> io::Result<()>;
}

/// A write request without a proper answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Refused as a whole, without effect.
    #[error("{0}")]
    NoEffect(PortalError),
    /// The portal answered, but the answer does not have the result. Nothing of it is carried out any more.
    #[error("{0}")]
    Unclear(PortalError),
    /// No answer of the portal came: it may have had its effect, in whole or in part, and may still be having it.
    #[error("{0}")]
    Unanswered(PortalError),
}

/// The urgency of a write: whether it may be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// It may be skipped.
    Ordinary,
    /// It may be skipped, and removes what was read just now: it is not sent on older knowledge.
    Removing,
    /// It completes a replace: until it takes effect, a code that had an image has none. It is also sent when the
    /// command's time is up.
    Completing,
}

impl Urgency {
    /// Whether a write may be skipped.
    pub(crate) fn may_be_left_undone(self) -> bool {
        self != Self::Completing
    }
}

/// What happens to a request on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transmission {
    /// The portal refused it without effect. It is sent again later.
    Refused,
    /// It is about to be sent again.
    Again,
    /// Its last byte was sent, and no answer is there yet.
    Sent,
}

/// The port that writes to a portal. Implementations never send a request twice unless the first was refused without
/// effect.
#[expect(async_fn_in_trait, reason = "the futures stay on the thread that makes them")]
pub trait WritePortal {
    /// How many of these replaces, each a delete and then an add, may be sent in one request so that the time that the
    /// portal gives each method lasts for both halves of them all. At least one: if there is not enough time for one, it
    /// waits until there is more, and then asks for another reading of the portal ([`Class::Waited`]).
    async fn permitted_pairs(&self, commands: &[Command]) -> Result<usize, WriteError>;
    /// Sends at most 50 commands in one batch request; one answer for each, in order. `note` is called with what happens
    /// to the request.
    async fn write(
        &self,
        commands: &[Command],
        halt: Halt,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Vec<Answer>, WriteError>;
    /// Sends one command in a request of its own, for portals that refuse batches. `note` is as in
    /// [`WritePortal::write`].
    async fn write_single(
        &self,
        command: &Command,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Answer, WriteError>;
}

/// The most pages of log entries in one request.
pub(crate) const PAGES_AT_ONCE: usize = 50;

/// The port that reads timeline log entries, as [`ReadPortal`] reads.
pub(crate) trait ReadLog {
    async fn log_entry(&self, id: u64) -> Result<LogEntry, PortalError>;
    /// The page of an item's entries that begins at `start`, if the portal respects that.
    async fn log_page(&self, entity: Entity, order: LogOrder, start: usize) -> Result<LogPage, PortalError>;
    /// The pages of several items' entries, each with where it begins, at most [`PAGES_AT_ONCE`]: one answer for each, in
    /// order. A failure that is about one item alone is in its answer; the error is about all of them.
    async fn log_pages(
        &self,
        wanted: &[(Entity, usize)],
        order: LogOrder,
    ) -> Result<Vec<Result<LogPage, PortalError>>, PortalError>;
}

/// The port that writes timeline log entries, as [`WritePortal`] writes: never twice unless the first had no effect.
pub(crate) trait WriteLog {
    async fn add_log_entry(&self, entity: Entity, draft: &NewLogEntry) -> Result<LogEntry, WriteError>;
    async fn delete_log_entry(&self, id: u64) -> Result<(), WriteError>;
}

/// The facts and bytes that are known of each `fileUri`. Losing the cache costs downloads, nothing else.
pub trait ContentCache {
    /// The facts of the bytes, if they were seen before.
    fn content(&self, file_uri: &str) -> Option<Content>;
    /// Notes the facts of bytes just seen.
    fn remember(&self, file_uri: &str, content: &Content);
    /// Forgets what was noted, because it is not trusted any more.
    fn forget(&self, file_uri: &str);
    /// Returns bytes that were kept.
    fn bytes(&self, digest: Digest) -> Option<Arc<[u8]>>;
    /// Keeps bytes that a plan needs.
    fn keep(&self, digest: Digest, bytes: &[u8]);
}

/// A file that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// The store of runs.
pub trait Runs {
    /// Makes a run's folder with the plan's document in it.
    fn prepare(&self, plan: &Published<ApprovedPlan>) -> Result<Box<dyn PreparedRun>, StoreError>;
    /// The runs whose journal has no end, the oldest first.
    fn open(&self) -> Result<Vec<OpenRun>, StoreError>;
    /// Adds lines to an open run's journal. All of them are on disk on return.
    fn append(&self, run: &RunState, entries: &[JournalEntry]) -> Result<(), StoreError>;
}

/// A run whose journal has no end.
#[derive(Debug)]
pub struct OpenRun {
    pub(crate) state: RunState,
    pub(crate) changes: Vec<Change>,
}

/// A run's folder without a journal: the run has not begun. One that is dropped takes its folder along.
pub trait PreparedRun {
    /// Keeps copies of old images.
    fn keep(&self, copies: &Contents) -> Result<(), StoreError>;
    /// Begins the run's journal. It is on disk on return, with all copies.
    fn begin(self: Box<Self>) -> Result<Box<dyn Journal>, StoreError>;
}

/// The journal of one run.
pub trait Journal {
    /// The run's id.
    fn id(&self) -> &str;
    /// The run's folder.
    fn folder(&self) -> &Path;
    /// The copy that was kept of an old image.
    fn copy(&self, digest: Digest) -> Option<Arc<[u8]>>;
    /// Adds lines. All of them are on disk on return.
    fn append_all(&self, entries: &[JournalEntry]) -> Result<(), StoreError>;
    /// Adds a line. It is on disk on return.
    fn append(&self, entry: &JournalEntry) -> Result<(), StoreError> {
        self.append_all(std::slice::from_ref(entry))
    }
}

/// The handling of files that exist already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// They are kept, and then nothing is written.
    Kept,
    /// They are replaced (`--overwrite`).
    Replaced,
}

/// The port that puts images of a portal into a branding repository. Files are named from the manifest's folder, with
/// `/`.
pub(crate) trait TakeImages {
    /// Every declared entry with its file, sorted by address.
    fn declared_images(&self, manifest: &Manifest) -> Vec<(Address, String)>;
    /// The bytes of a declared image, if it can be read.
    fn image(&self, file: &str) -> Option<Arc<[u8]>>;
    /// The reason why a file is not overwritten; `None` if there is none, or if Git has what would be lost.
    fn why_kept(&self, manifest: &Manifest, file: &str) -> Option<String>;
    /// A name in `folder` that no file has but one with these bytes, and that is not declared; `None` if no file can be
    /// written there.
    fn free_file(&self, folder: &str, stem: &str, bytes: &[u8], is_declared: &dyn Fn(&str) -> bool) -> Option<String>;
    /// Writes images, and then the manifest, if it is edited and still holds the text that was read. Returns the files
    /// that were written, and what prevented the others.
    fn write(
        &self,
        files: &[(String, Arc<[u8]>)],
        manifest: (&str, Option<&str>),
    ) -> (Vec<String>, Option<Box<Finding>>);
}

pub(crate) trait WriteExport {
    /// Writes files, by their paths with `/`, in their order. Never through a link, and each completely or not at all.
    /// The findings are about what an earlier export left there; the error is what keeps these files from being written.
    fn write(&self, files: &[(String, Arc<[u8]>)], existing: Existing) -> Result<Vec<Finding>, Box<Finding>>;
}

/// The flag that the user asked to stop. Cheap to ask and to copy.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<watch::Sender<bool>>);

impl Interrupt {
    pub(crate) fn raise(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_raised(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the user asks to stop.
    pub(crate) async fn raised(&self) {
        // The sender is this very value: it is not dropped while somebody waits.
        let _ = self.0.subscribe().wait_for(|raised| *raised).await;
    }
}
