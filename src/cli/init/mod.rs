//! `brandctl init`

mod given;
mod portal;
mod questions;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::init::{
    self, Brand, CiSystem, FileContent, FolderInGit, InitAnswers, InitReport, MANIFEST, Owned, PinnedPortal, Tool,
};
use crate::domain::report::{ExportReport, FailureKind, Report};
use crate::ops::ports::Interrupt;
use crate::portal::PendingRenewals;
use crate::render;
use crate::render::json::InitDocument;
use crate::store::files::place::with_slashes;
use crate::store::init::{InitError, NewRepository, write};

use given::{Answers, Ci, Complete, Source};

use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::settings::Globals;
use super::signals;

/// Start a branding repository: manifest, art, .gitignore, CI
///
/// It starts with sample art, or with what a portal holds, as `export` would write it: then validate finds no error, and
/// the first plan is empty. On a terminal, it asks for what no option sets, unless --ci is given with --owns or
/// --from-portal; elsewhere these options are required. It never overwrites a file, and writes all files or none. In a
/// folder of a larger Git repository, the CI file goes to that repository's root, and is for this folder.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl init\n  brandctl init brand --owns 'acme-*' --portal acme.bitrix24.com --ci github\n  brandctl init --owns 'icon/acme-*' --ci none\n  brandctl init --owns 'acme-*' --ci gitlab --tool https://HOST/OWNER/NAME\n  brandctl init brand --from-portal --ci gitlab     start with what the portal holds\n\nExit codes: 0 written, 1 error (nothing was written, unless the error is an image that could not be fetched), 130 interrupted."
)]
pub(super) struct Arguments {
    /// The repository's folder, created if it does not exist
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Start with what the portal of the credentials holds, instead of sample art
    #[arg(long)]
    from_portal: bool,
    /// The codes that the repository is the source of truth for, such as 'acme-*' [default with --from-portal: each code
    /// that the portal holds now]
    #[arg(long, value_name = "GLOB")]
    owns: Option<String>,
    /// The only portal that the manifest accepts, by its host, such as acme.bitrix24.com [default: any; with
    /// --from-portal, that portal]
    #[arg(long, value_name = "HOST")]
    portal: Option<String>,
    /// The CI system that runs plan, apply and drift
    #[arg(long, value_enum, value_name = "SYSTEM")]
    ci: Option<Ci>,
    /// Where CI installs brandctl from: the https URL of an archive, as in https://HOST/brandctl.tar.gz#sha256=SUM, or of a
    /// repository with releases. Without #sha256=SUM, the archive is checked against the file URL.sha256. `none`: CI uses the
    /// brandctl that its machine has, and fails if there is none, which is the default until brandctl is published
    #[arg(long, value_name = "URL")]
    tool: Option<String>,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let writing = Interrupt::default();
    let renewals = PendingRenewals::default();
    signals::leave_unless(&writing, &renewals, globals.last_words());
    let prepared = prepare(globals, arguments, renewals);
    let kind = prepared.as_ref().err().map(|failure| failure.kind);
    // From here on, a signal waits: all is written, or nothing.
    writing.raise();
    let report = match prepared {
        Ok(prepared) => write_all(globals, prepared),
        Err(failure) => InitReport { findings: failure.findings, ..InitReport::default() },
    };
    let manifest = arguments.folder.join(MANIFEST);
    let manifest = manifest.strip_prefix(".").unwrap_or(&manifest).display().to_string();
    let report = InitReport { manifest, ..report };
    let exit = error::exit_of_reading(kind, report.findings.iter().any(Finding::is_error));
    let human = || render::init::report(&report);
    let portal = report.export.as_ref().and_then(|export| export.portal.clone());
    let about = Report { portal, ..Report::default() };
    output::result::<InitDocument>(globals, &report, exit, human, &report.findings, &about)
}

/// A new branding repository that is not written yet.
struct Prepared {
    /// Where the files' paths begin.
    root: PathBuf,
    in_git: bool,
    ci: Option<CiSystem>,
    tool: Option<Tool>,
    export: Option<ExportReport>,
    files: BTreeMap<String, FileContent>,
}

/// Asks the questions that no option answers, and reads the portal if the repository begins with what it holds.
fn prepare(globals: &Globals, arguments: &Arguments, renewals: PendingRenewals) -> Result<Prepared, Failure> {
    let given = check(globals, arguments)?;
    let NewRepository { folder: place, git } = NewRepository::at(&arguments.folder).map_err(unwritable)?;
    let Complete { source, portal, ci, tool } = match given {
        Answers { source: Some(source), portal, ci: Some(ci), tool } => {
            Complete { source, portal, ci, tool: tool.unwrap_or_else(Tool::of_release) }
        }
        given if io::stdin().is_terminal() && io::stderr().is_terminal() => questions::ask(given, globals)?,
        given => return Err(Failure { kind: FailureKind::Usage, findings: missing(&given) }),
    };
    let ci = ci.system();
    if ci.is_none() && arguments.tool.as_deref().is_some_and(|tool| tool != "none") {
        let finding = Finding::error("usage", "--tool is for a CI file, and none is written");
        return Err(Failure::new(FailureKind::Usage, finding.help("leave it out, or choose a CI system with --ci")));
    }
    let in_git = git.is_some();
    let (root, folder) = match git {
        Some(git) if ci.is_some_and(CiSystem::reads_root) => {
            let folder = below(&git, &place)?;
            (git, folder)
        }
        _ => (place.clone(), FolderInGit::root()),
    };
    let (brand, portal, export) = match source {
        Source::Samples(owns) => (Brand::Samples(owns), portal, None),
        Source::Portal(owns) => {
            let (brand, portal, export) = portal::read(&Context::renewing(globals, renewals), owns, portal)?;
            (brand, portal, Some(ExportReport { folder: place.display().to_string(), ..export }))
        }
    };
    let files = init::files(&InitAnswers { brand, portal, ci, tool: tool.clone(), folder });
    Ok(Prepared { root, in_git, ci, tool, export, files })
}

fn write_all(globals: &Globals, Prepared { root, in_git, ci, tool, export, files }: Prepared) -> InitReport {
    let files = match write(&root, &files) {
        Ok(files) => files,
        Err(error) => return InitReport { export, findings: unwritable(error).findings, ..InitReport::default() },
    };
    let root = root.display().to_string();
    if !in_git {
        output::note(globals, &format!("note: {root} is not in a Git repository yet: run `git init` there"));
    }
    if let Some(note) = ci.and_then(|system| about_tool(system, tool.as_ref())) {
        output::note(globals, &note);
    }
    let findings = export.as_ref().map(|export| export.findings.clone()).unwrap_or_default();
    InitReport { root: Some(root), ci, installs: tool.is_some(), export, files, findings, ..InitReport::default() }
}

/// What CI cannot be sure of, if anything.
fn about_tool(system: CiSystem, tool: Option<&Tool>) -> Option<String> {
    let file = system.path();
    match tool {
        None => Some(format!(
            "note: {file} does not install brandctl: its jobs use the one that their machine has, and fail if it has none. To \
             install it, set BRANDCTL_TOOL in it to the https URL of an archive, or pass --tool URL"
        )),
        Some(tool) if tool.is_pinned() => None,
        Some(_) => Some(format!(
            "note: {file} checks brandctl against the sum beside its archive, which only proves that the download is \
             complete. To pin it, pass --tool URL#sha256=SUM with the archive's own URL"
        )),
    }
}

/// Checks the values of the options. clap would repeat a wrong value, and a webhook may be pasted for a host.
fn check(globals: &Globals, arguments: &Arguments) -> Result<Answers, Failure> {
    let mut findings = Vec::new();
    if globals.names_manifest() {
        findings.push(Finding::error("usage", format!("-f cannot be used here: init writes DIR/{MANIFEST}")));
    }
    let mut wrong = |option: &str, why: String| findings.push(Finding::error("usage", format!("{option}: {why}")));
    let owns = arguments.owns.as_deref();
    let source = if arguments.from_portal {
        owns.map(init::pattern).transpose().map(Source::Portal).map(Some)
    } else {
        owns.map(Owned::parse).transpose().map(|owns| owns.map(Source::Samples))
    };
    let source = source.map_err(|why| wrong("--owns", why)).ok().flatten();
    let portal = arguments.portal.as_deref().map(PinnedPortal::parse).transpose();
    let portal = portal.map_err(|why| wrong("--portal", why)).ok().flatten();
    let tool = arguments.tool.as_deref().map(given::tool).transpose();
    let tool = tool.map_err(|why| wrong("--tool", why)).ok().flatten();
    if findings.is_empty() {
        Ok(Answers { source, portal, ci: arguments.ci, tool })
    } else {
        Err(Failure { kind: FailureKind::Usage, findings })
    }
}

/// Reports the required options that are missing.
fn missing(given: &Answers) -> Vec<Finding> {
    let needed = |option: &str, help: &str| {
        let what = format!("{option} is missing, and brandctl cannot ask: this is not a terminal");
        Finding::error("usage", what).help(help)
    };
    let help = "name the codes that you own, as in --owns 'acme-*', or pass --from-portal";
    let owns = given.source.is_none().then(|| needed("--owns", help));
    let ci = given.ci.is_none().then(|| needed("--ci", "write --ci github, --ci gitlab, --ci shell or --ci none"));
    owns.into_iter().chain(ci).collect()
}

/// The path of the branding repository from the root of the Git repository.
fn below(git: &Path, folder: &Path) -> Result<FolderInGit, Failure> {
    let relative = folder.strip_prefix(git).unwrap_or(folder);
    let refused = |why| Failure::new(FailureKind::Usage, Finding::error("usage", why).help("pass --ci none"));
    FolderInGit::parse(&with_slashes(relative)).map_err(refused)
}

fn unwritable(error: InitError) -> Failure {
    let help = match &error {
        InitError::Exists(paths) if CiSystem::ALL.iter().any(|system| *paths == [system.path()]) => {
            "pass --ci none, and add the jobs to yours: they are in examples/ci of brandctl's repository"
        }
        InitError::Exists(_) => "init never overwrites a file: name a new folder, or move these files away",
        InitError::NotAFolder(_) | InitError::Link(_) => "name another folder, or move it away",
        InitError::Io { .. } => "name a writable folder",
    };
    Failure::new(FailureKind::Store, Finding::error("init", error.to_string()).help(help))
}
