//! The command line: one file a command (its arguments and its wiring), and what they share.

mod against;
mod apply;
mod attempt;
mod complete;
mod completions;
mod connection;
mod context;
mod credentials;
mod doctor;
mod drift;
mod error;
mod exit;
mod export;
mod guesses;
mod history;
mod in_repository;
mod init;
mod invocation;
mod list;
mod log;
mod man;
mod output;
mod pace;
mod paths;
mod plan;
mod planning;
mod progress;
mod recovery;
mod reports;
mod resources;
mod restore;
mod rules;
mod sandbox;
mod saved;
mod schema;
mod settings;
mod show;
mod signals;
mod stored;
mod typed;
mod unfinished;
mod usage;
mod validate;
mod writing;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::domain::export::SNAPSHOT;
use crate::ops::ports::Interrupt;
use crate::portal::PendingRenewals;
use crate::store::files::place;

use exit::Exit;
use invocation::Invocation;
use paths::NamedFile;
use reports::Reports;
use settings::{AnyFormat, Format, Globals};

/// Keep a Bitrix24 portal's custom timeline icons and logos equal to a Git repository
#[derive(Debug, Parser)]
#[command(
    name = "brandctl",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  brandctl validate                      check brand.yaml and its PNGs, offline\n  brandctl plan                          show what apply would do\n  brandctl apply                         do it, after a question\n  brandctl apply --sandbox --yes         try it on a portal inside this program\n\nExit codes: 0 success, 1 error, 2 changes are pending, 3 applied in part, 4 a guard refuses, 5 the plan is stale, 130 interrupted.\n\nCredentials also name the portal: set BITRIX24_WEBHOOK_URL to a webhook's URL, BITRIX24_WEBHOOK_URL_FILE to a file that holds one, or BITRIX24_OAUTH_FILE to a JSON file with an application's tokens. They need the scope crm; apply needs those of an administrator."
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Validate(validate::Arguments),
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Drift(drift::Arguments),
    List(list::Arguments),
    Usage(usage::Arguments),
    Export(export::Arguments),
    Log(log::Arguments),
    Doctor(doctor::Arguments),
    Show(show::Arguments),
    History(history::Arguments),
    Restore(restore::Arguments),
    Rules(rules::Arguments),
    Sandbox(sandbox::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

impl Cli {
    /// The files that the command reads, if they are named one by one.
    fn read(&self) -> Vec<NamedFile> {
        // Commands that do not need a manifest do not read the default one, and `export` writes one.
        let is_read = self.globals.names_manifest() || !matches!(self.command, Command::Export(_));
        let manifest = is_read.then(|| NamedFile::new("the manifest", self.globals.manifest()));
        let mut read: Vec<_> = manifest.into_iter().collect();
        read.extend(self.globals.ca_cert.iter().map(|path| NamedFile::new("the file of --ca-cert", path)));
        read.extend(
            credentials::files().map(|(variable, path)| NamedFile::new(format!("the file of {variable}"), path)),
        );
        match &self.command {
            Command::Validate(arguments) => {
                read.extend(arguments.paths.iter().map(|path| NamedFile::new("an image", path)))
            }
            Command::Apply(apply::Arguments { saved: Some(plan), .. }) => read.push(NamedFile::new("the plan", plan)),
            Command::Show(arguments) => read.push(NamedFile::new("the plan", &arguments.name)),
            Command::Plan(plan::Arguments { against: Some(folder), .. }) => {
                read.push(NamedFile::new("the export", folder.join(SNAPSHOT)));
            }
            _ => {}
        }
        read
    }
}

impl Command {
    /// The files that are written, apart from the state folder's.
    fn written(&self) -> Vec<NamedFile> {
        let reports = self.reports().into_iter().flat_map(|(reports, _)| reports.paths());
        let mut written: Vec<_> =
            reports.map(|path| NamedFile::new(format!("--report {}", path.display()), path)).collect();
        if let Self::Plan(plan::Arguments { output: Some(path), .. }) = self {
            written.push(NamedFile::new(format!("--output {}", path.display()), path));
        }
        written
    }

    /// Its name, as the user types it.
    const fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Validate(_) => "validate",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Drift(_) => "drift",
            Self::List(_) => "list",
            Self::Usage(_) => "usage",
            Self::Export(_) => "export",
            Self::Log(arguments) => arguments.name(),
            Self::Doctor(_) => "doctor",
            Self::Show(_) => "show",
            Self::History(_) => "history",
            Self::Restore(_) => "restore",
            Self::Rules(_) => "rules",
            Self::Sandbox(_) => "sandbox",
            Self::Schema(_) => "schema",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }

    /// The formats that it can print.
    const fn formats(&self) -> &'static [AnyFormat] {
        match self {
            Self::Validate(_) => AnyFormat::OF_CHECKS,
            Self::Plan(_) | Self::Drift(_) | Self::Show(_) => AnyFormat::OF_PLANS,
            Self::Apply(_) | Self::Restore(_) => AnyFormat::OF_RUNS,
            Self::Completions(_) | Self::Man(_) => AnyFormat::TEXT_ONLY,
            _ => AnyFormat::USUAL,
        }
    }

    /// The reports that the user wants of it, and the formats that it has for them.
    const fn reports(&self) -> Option<(&Reports, &'static [reports::ReportFormat])> {
        match self {
            Self::Validate(arguments) => Some((&arguments.reports, reports::ReportFormat::OF_CHECKS)),
            Self::List(arguments) => Some((&arguments.reports, reports::ReportFormat::OF_LISTS)),
            Self::Export(arguments) => Some((&arguments.reports, reports::ReportFormat::OF_EXPORTS)),
            Self::Show(arguments) => Some((&arguments.reports, reports::ReportFormat::OF_RUNS)),
            Self::Restore(arguments) => Some((&arguments.reports, reports::ReportFormat::OF_RUNS)),
            Self::Apply(apply::Arguments { plan, .. }) => Some((&plan.reports, reports::ReportFormat::OF_RUNS)),
            Self::Plan(plan::Arguments { plan, .. }) | Self::Drift(drift::Arguments { plan, .. }) => {
                Some((&plan.reports, reports::ReportFormat::OF_PLANS))
            }
            _ => None,
        }
    }

    /// Whether a signal may end the command at once. The other commands handle signals themselves.
    const fn can_end_at_once(&self) -> bool {
        matches!(self, Self::Validate(_) | Self::Show(_) | Self::History(_) | Self::Rules(_) | Self::Schema(_))
    }
}

/// Parses a command line, and checks what clap cannot check.
fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    if let Some(wrong) = guesses::secret(&arguments) {
        return Err(Cli::command().error(ErrorKind::InvalidValue, wrong));
    }
    if let Some(wrong) = guesses::single_dash(&arguments) {
        return Err(Cli::command().error(ErrorKind::UnknownArgument, wrong));
    }
    let parsed = Cli::try_parse_from(&arguments);
    let mut cli = parsed.map_err(|error| guesses::corrected(error, &arguments))?;
    let wrong = |what| Cli::command().error(ErrorKind::InvalidValue, what);
    cli.globals.settle(cli.command.formats()).map_err(wrong)?;
    if let Some((reports, formats)) = cli.command.reports() {
        reports.check_formats(formats).map_err(wrong)?;
    }
    if let Command::Plan(arguments) = &cli.command
        && arguments.prints_plan()
        && cli.globals.format == Format::Json
    {
        let both = "`--output -` and `--format json` both print JSON on standard output: save the plan to a file";
        return Err(Cli::command().error(ErrorKind::ArgumentConflict, both));
    }
    cli.globals.invocation.command = cli.command.name();
    (cli.globals.inputs, cli.globals.outputs) = (cli.read(), cli.command.written());
    paths::check_distinct(&cli.globals.inputs, &cli.globals.outputs).map_err(wrong)?;
    let state = cli.globals.state_root(place::folder_of(cli.globals.manifest()));
    paths::check_outside(&state, &cli.globals.outputs).map_err(wrong)?;
    Ok(cli)
}

/// Runs the command line `arguments` (the program's name first). Returns how the process ends.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (began, arguments) = (Invocation::default(), arguments.into_iter().collect::<Vec<_>>());
    credentials::keep_files_secret();
    if complete::answered(Cli::command, &arguments) {
        return Exit::Success.into();
    }
    let cli = match parse(arguments.clone()) {
        Ok(cli) => cli,
        Err(error) => {
            // clap ends usage errors with 2, which here means that changes are pending.
            let exit = if error.use_stderr() { Exit::Error } else { Exit::Success };
            if let Some(document) = unfinished::usage(Cli::command(), &arguments, &error, &began) {
                return output::json(document, exit).into();
            }
            return error.print().map_or(Exit::Error, |()| exit).into();
        }
    };
    cli.globals.set_up_output();
    resources::start_workers();
    if cli.globals.format == Format::Json && cli.command.can_end_at_once() {
        signals::leave_unless(&Interrupt::default(), &PendingRenewals::default(), cli.globals.last_words());
    }
    let exit = match &cli.command {
        Command::Init(arguments) => init::run(&cli.globals, arguments),
        Command::Validate(arguments) => validate::run(&cli.globals, arguments),
        Command::Plan(arguments) => plan::run(&cli.globals, arguments),
        Command::Apply(arguments) => apply::run(&cli.globals, arguments),
        Command::Drift(arguments) => drift::run(&cli.globals, arguments),
        Command::List(arguments) => list::run(&cli.globals, arguments),
        Command::Usage(arguments) => usage::run(&cli.globals, arguments),
        Command::Export(arguments) => export::run(&cli.globals, arguments),
        Command::Log(arguments) => log::run(&cli.globals, arguments),
        Command::Doctor(arguments) => doctor::run(&cli.globals, arguments),
        Command::Show(arguments) => show::run(&cli.globals, arguments),
        Command::History(arguments) => history::run(&cli.globals, arguments),
        Command::Restore(arguments) => restore::run(&cli.globals, arguments),
        Command::Rules(arguments) => rules::run(&cli.globals, arguments),
        Command::Sandbox(arguments) => sandbox::run(&cli.globals, arguments),
        Command::Schema(arguments) => schema::run(&cli.globals, arguments),
        Command::Completions(arguments) => completions::run(&cli.globals, arguments),
        Command::Man(arguments) => man::run(&cli.globals, arguments, Cli::command()),
    };
    exit.into()
}
