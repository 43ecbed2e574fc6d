//! `brandctl sandbox`

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::runtime::Runtime;

use crate::domain::asset::{Address, Code};
use crate::domain::finding::Finding;
use crate::render;
use crate::render::html::{Holding, HoldingOrigin};
use crate::render::json::{SandboxDocument, WebhookDocument};
use crate::sandbox::{
    self, AuthorityOrigin, CustomEntry, Faults, HtmlPage, KindContents, Operating, Options, PortalContents, Protocol,
    RateLimit, Recording, Sandbox, SandboxError,
};
use crate::store::files::UserInput;
use crate::store::state_dir::{self, StateDir, StateError};
use crate::text::escaped;

use super::exit::Exit;
use super::output;
use super::resources;
use super::settings::{Format, Globals, rate};
use super::signals::Signals;

/// The maximum size of a script of failures, in bytes.
const MAX_SCRIPT_BYTES: u64 = 16 * 1024 * 1024;

/// Run a portal on this machine, with the real server's behaviour
///
/// Prints its webhooks on standard output, ready to paste into another terminal; any client can use them. Its data and
/// the webhooks' secrets stay in its folder. Ctrl-C ends it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8024")]
    listen: SocketAddr,
    /// The folder that holds the portal; one process at a time uses it [default: sandbox in the state folder, the portal
    /// of `--sandbox`]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Use TLS, with a certificate from an authority of its own: ca.pem in the folder
    #[arg(long)]
    tls: bool,
    /// Answer any number of requests
    #[arg(long, conflicts_with_all = ["rate", "burst"])]
    no_limits: bool,
    /// Requests per second that the portal allows in the long run
    #[arg(long, value_name = "R", default_value = "2", value_parser = rate)]
    rate: f64,
    /// Requests that the portal allows at once
    #[arg(long, value_name = "B", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    burst: u32,
    /// Failures to simulate: a script, or a file that holds one; see below
    #[arg(long, value_name = "FILE|SPEC")]
    faults: Option<String>,
}

/// Examples, and the syntax of failures.
const AFTER_HELP: &str = "\
Examples:
  brandctl sandbox                                  the portal of `apply --sandbox`, for other clients too
  brandctl sandbox --data /tmp/portal --no-limits   another portal, without limits
  brandctl sandbox --tls                            for clients that insist on https
  brandctl sandbox --faults failures.txt            with the failures in a file

Failures: rules, separated by `;` or new lines; # begins a comment, and words with spaces are quoted as in
JSON. A rule has three parts: the requests, which of those fail (default: all), and the failure:
  any, write, download, METHOD, inner:METHOD   METHOD is a name such as crm.timeline.icon.add, or
                                               an end such as *.add; inner: only in a batch
  every, 3, 3+, 2.5%, 2.5%@7                   the third, from the third on, by chance, with a seed
  error CODE ERROR [TEXT]                      an error in JSON, no effect; error-after with effect
  status CODE [BODY [TYPE]]                    any answer; status-after
  html CODE                                    a proxy's page; html-after
  image WIDTHxHEIGHT                           a grey PNG, as an image service puts in a file's place
  delay TIME                                   wait first: 250ms, 1.5s
  drop-before, drop-after, drop-during         no answer: before, after and while it takes effect
  truncate N, tear N, empty                    N bytes of the answer, whole or torn off; none
  cut N [unanswered]                           a batch ends after N commands
  refuse METHOD CODE ERROR [TEXT]              such commands are refused from then on
  disk-full                                    no file can be stored from then on
  no-batch                                     batches that write are not allowed
  no-inner [METHOD]                            such commands, or all that write, are not allowed inside
                                               batches: each is refused in the answer, the others run
  rate-limited N, time-limit, overload         the portal's refusals; rate-limited N times
  expired-token                                the credentials have expired
Such as:
  --faults 'write 2 drop-after; download 5%@7 html 502'
  --faults 'crm.timeline.icon.add 3+ error 500 INTERNAL_SERVER_ERROR'
  --faults 'any 10 refuse *.add 400 ACCESS_DENIED \"Access denied\"'";

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    if globals.sandbox.is_some() {
        return refuse(globals, "--sandbox is for the other commands: name the folder with --data");
    }
    match start(globals, arguments) {
        Ok((sandbox, ending)) => serve(globals, &sandbox, ending),
        Err(message) => refuse(globals, &message),
    }
}

/// Reports why it does not start.
fn refuse(globals: &Globals, message: &str) -> Exit {
    match globals.format {
        Format::Human => output::complain(message),
        Format::Json => {
            let (header, findings) = (globals.invocation.header(Exit::Error), [Finding::error("sandbox", message)]);
            let none = SandboxDocument::default();
            return output::json(render::json::print::<SandboxDocument>(&header, None, none, &findings), Exit::Error);
        }
    }
    Exit::Error
}

/// The signals, and the runtime to wait for them.
type SignalWait = (Runtime, Signals);

fn start(globals: &Globals, arguments: &Arguments) -> Result<(Sandbox, SignalWait), String> {
    let runtime = resources::runtime().map_err(|error| format!("the sandbox cannot start: {error}"))?;
    // Before anything is printed: the caller may end it as soon as it has read the webhooks.
    let entered = runtime.enter();
    let signals = Signals::catch().map_err(|error| format!("signals cannot be caught: {error}"))?;
    drop(entered);
    let sandbox = sandbox::start(options(globals, arguments)?)
        .map_err(|error| format!("the sandbox cannot start: {error}{}", how_to_start(&error)))?;
    Ok((sandbox, (runtime, signals)))
}

/// The folder of `--sandbox` without a value, created where state is kept out of Git. `option` names another one.
pub(super) fn own_folder(state: &Path, option: &str) -> Result<PathBuf, String> {
    let folder = StateDir::checked(state, "sandbox").map_err(|error| format!("{error}: {}", error.help()))?;
    let made = folder.ensure().map(|folder| folder.path().to_owned());
    let refused = |error| format!("its folder {} cannot be created: {error}", folder.path().display());
    made.map_err(|error| format!("{}; use {option} to name a writable folder", refused(error)))
}

/// The folder that the user names with this option. It must not come from a commit, or be a folder of Git.
pub(super) fn named_folder(folder: &Path, option: &str) -> Result<PathBuf, String> {
    let refused = |error: StateError| format!("{error}: {}", error.help_with(option));
    state_dir::refuse_committed(folder).map_err(refused).map(|()| folder.to_owned())
}

fn options(globals: &Globals, arguments: &Arguments) -> Result<Options, String> {
    let beside = || own_folder(&globals.state_root(globals.repository().folder()), "--data");
    let bucket = RateLimit { rate_per_second: arguments.rate, burst: arguments.burst };
    Ok(Options {
        listen: arguments.listen,
        faults: arguments.faults.as_deref().map_or_else(|| Ok(Faults::none()), faults)?,
        limits: (!arguments.no_limits).then_some(bucket),
        operating: (!arguments.no_limits).then(Operating::default),
        recording: Recording::Nothing,
        page,
        protocol: if arguments.tls { Protocol::Https } else { Protocol::Http },
        ..Options::new(arguments.data.as_deref().map_or_else(beside, |folder| named_folder(folder, "--data"))?)
    })
}

/// The page at `/`, drawn as reports are.
fn page(contents: &PortalContents) -> HtmlPage {
    let of_kind = |contents: &KindContents| {
        let kind = contents.kind;
        let address = move |code: &str| Address::new(kind, Code::new(code));
        let custom = contents.custom.iter().map(move |entry| (address(&entry.code), Some(entry.clone())));
        custom.chain(contents.system.iter().map(move |code| (address(code), None))).collect::<Vec<_>>()
    };
    let entries: Vec<_> = contents.kinds.iter().flat_map(of_kind).collect();
    let added: Vec<_> = entries.iter().map(|(_, custom)| custom.as_ref().map(added).unwrap_or_default()).collect();
    let holdings: Vec<_> = entries
        .iter()
        .zip(&added)
        .map(|((address, custom), added)| Holding {
            address,
            origin: match custom {
                None => HoldingOrigin::System,
                Some(CustomEntry { hidden: true, .. }) => HoldingOrigin::Custom("custom, hidden by a system code"),
                Some(_) => HoldingOrigin::Custom("custom"),
            },
            bytes: custom.as_ref().map(|custom| custom.content.as_ref()),
            added,
        })
        .collect();
    let remark = "Reload the page to see later changes.";
    // The page states its own policy; only this part of it needs a header.
    HtmlPage { html: render::html::holdings("sandbox", remark, &holdings), policy: "frame-ancestors 'none'".to_owned() }
}

/// When an entry was added, to the second; empty if that was not recorded.
fn added(custom: &CustomEntry) -> String {
    custom.added.map(|added| added.strftime("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default()
}

/// The script in the file of that name, or in the text itself if there is no such file.
fn faults(given: &str) -> Result<Faults, String> {
    const HINT: &str = "`brandctl sandbox --help` shows the syntax of failures";
    let file = UserInput::at(Path::new(given));
    let (source, text) = if file.kind().is_some() {
        let text = file
            .read_text(MAX_SCRIPT_BYTES)
            .map_err(|error| format!("the file of --faults, {given}, cannot be read: {error}"))?;
        (given, text)
    } else if !given.is_empty() && !given.contains(char::is_whitespace) {
        // A rule has two words at least.
        return Err(format!("there is no file {given} for --faults; {HINT}"));
    } else {
        ("--faults", given.to_owned())
    };
    let faults: Faults = text.parse().map_err(|error| format!("{source}:{error}"))?;
    if faults.rules.is_empty() { Err(format!("{source} has no rules; {HINT}")) } else { Ok(faults) }
}

fn serve(globals: &Globals, sandbox: &Sandbox, (runtime, mut signals): SignalWait) -> Exit {
    let welcome = welcome(sandbox);
    let printed = match globals.format {
        Format::Human => output::data(&for_people(&welcome), Exit::Success),
        Format::Json => {
            let header = globals.invocation.header(Exit::Success);
            output::json(render::json::print::<SandboxDocument>(&header, None, welcome, &[]), Exit::Success)
        }
    };
    if printed != Exit::Success {
        return printed;
    }
    if !sandbox.address().ip().is_loopback() {
        let address = sandbox.address();
        output::note(globals, &format!("warning: anyone who can reach {address} can see what this portal holds"));
    }
    if let Some(why) = sandbox.authority().and_then(|authority| why_new(authority.origin)) {
        output::note(
            globals,
            &format!("note: ca.pem is new, {why}: clients that trusted the old one must load it again"),
        );
    }
    output::note(globals, &format!("listening on {}; Ctrl-C ends it", sandbox.address()));
    runtime.block_on(signals.next());
    output::note(globals, "ended; its data stays in its folder");
    Exit::Success
}

const fn why_new(origin: AuthorityOrigin) -> Option<&'static str> {
    match origin {
        AuthorityOrigin::Kept | AuthorityOrigin::New => None,
        AuthorityOrigin::Expired => Some("because the old one was about to expire"),
        AuthorityOrigin::Damaged => Some("because the old one is damaged or another portal's"),
    }
}

/// What to add to the message of a sandbox that cannot start. `option` is the one that names the sandbox's folder.
pub(super) fn how_to_fix(error: &SandboxError, option: &str) -> String {
    match error {
        SandboxError::Io { .. } => format!("; use {option} to name a writable folder"),
        SandboxError::InUse { .. } => format!("; end that one, or use {option} to name another folder"),
        SandboxError::NotASandbox { .. } => format!("; use {option} to name another one"),
        SandboxError::Damaged { .. } => format!("; use {option} to name another folder, or remove this one"),
        SandboxError::Listen { .. } | SandboxError::System(_) | SandboxError::Random(_) => String::new(),
    }
}

/// The same for `brandctl sandbox`, which has an option for the address too.
fn how_to_start(error: &SandboxError) -> String {
    match error {
        SandboxError::Listen { .. } => "; use --listen to name another address, or port 0 for a free port".to_owned(),
        _ => how_to_fix(error, "--data"),
    }
}

/// The owners of a sandbox's three webhooks: in a word, and for people.
const WEBHOOKS: [(&str, &str); 3] = [
    ("administrator", "an administrator"),
    ("user", "a user who is not an administrator"),
    ("without-crm", "an administrator, without the scope crm"),
];

/// What users need to know when it starts.
fn welcome(sandbox: &Sandbox) -> SandboxDocument {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let urls = [sandbox.admin_webhook(), sandbox.user_webhook(), sandbox.scopeless_webhook()];
    let webhooks = WEBHOOKS.iter().zip(urls).map(|((role, _), url)| WebhookDocument { role, url });
    SandboxDocument {
        page: sandbox.url(),
        data: absolute(sandbox.folder()),
        webhooks: webhooks.collect(),
        oauth_file: absolute(&sandbox.oauth_file()),
        ca_cert: sandbox.authority().map(|authority| authority.file.clone()),
    }
}

/// Lines for a shell. Comments are on separate lines, because not every shell allows them after a command.
fn for_people(welcome: &SandboxDocument) -> String {
    let SandboxDocument { page, data, webhooks, oauth_file, ca_cert } = welcome;
    let mut text =
        format!("# a separate portal; its page is {page}\n# and its data is in {}\n", escaped(data.display()));
    for (index, (WebhookDocument { url, .. }, (_, owner))) in webhooks.iter().zip(WEBHOOKS).enumerate() {
        // If all lines are pasted, the first webhook is the one that is set.
        let mark = if index == 0 { "" } else { "# " };
        let _ = write!(text, "# the webhook of {owner}:\n{mark}export BITRIX24_WEBHOOK_URL={}\n", quoted(url));
    }
    let _ = write!(
        text,
        "# an application of the administrator; a webhook that is set takes precedence:\n# export BITRIX24_OAUTH_FILE={}\n",
        quoted(&oauth_file.to_string_lossy())
    );
    if let Some(path) = ca_cert {
        let path = quoted(&path.to_string_lossy());
        let _ = write!(
            text,
            "# to trust it: brandctl --ca-cert {path}, curl --cacert {path}; for Python's requests and Node:\n\
             export REQUESTS_CA_BUNDLE={path}\nexport NODE_EXTRA_CA_CERTS={path}\n",
        );
    }
    text
}

/// A word that is quoted for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
