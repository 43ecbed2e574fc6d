//! The options that every command has.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use crate::domain::diff::Unbacked;
use crate::domain::guard::{Allowances, Empty, InUse, IncompleteCheckout};
use crate::domain::manifest::Policy;
use crate::domain::scope::{Pattern, Scope};
use crate::domain::state::Selection;
use crate::domain::usage::{Items, Span, TooMany};
use crate::ops::observe::Freshness;
use crate::store::repository::Repository;
use crate::store::root::state_beside;
use crate::text;

use super::complete;
use super::invocation::Invocation;
use super::paths::NamedFile;
use super::reports::Reports;
use super::unfinished::LastWords;

/// Options that go with every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// The manifest, which declares codes and their PNGs [default: brand.yaml]
    #[arg(short, long, global = true, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The folder that the manifest's paths must stay in, `..` and links included [default: the Git repository around the
    /// manifest, else its folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Where to keep the cache, the lock and the runs [default: .brandctl beside the manifest]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
    /// Use a portal inside this program instead of a real one; its data is kept in DIR [default: sandbox in the state
    /// folder]
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub(super) sandbox: Option<Option<PathBuf>>,
    /// How to print the result on standard output
    #[arg(long = "format", global = true, value_enum, default_value_t = AnyFormat::Human, value_name = "FORMAT")]
    pub(super) any_format: AnyFormat,
    /// The format for commands that have only text and JSON: [`Globals::settle`] sets it.
    #[arg(skip)]
    pub(super) format: Format,
    /// The command, and when it began: set after parsing.
    #[arg(skip)]
    pub(super) invocation: Invocation,
    /// The files that the command reads, if they are named one by one.
    #[arg(skip)]
    pub(super) inputs: Vec<NamedFile>,
    /// The files that the command writes, apart from the state folder's.
    #[arg(skip)]
    pub(super) outputs: Vec<NamedFile>,
    /// When to use colour; auto means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    /// Print results and errors only: no progress, no notes
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// List unmanaged entries too, and log each request on standard error, without secrets; -vv logs more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Print waits as lines instead of a progress bar
    #[arg(long, global = true)]
    pub(super) no_progress: bool,
    /// Stop the command after this time; what it began on the portal is then finished, or its outcome found out, within
    /// another 180 seconds; only a replaced image that waits for the portal's method time limit may take 15 minutes
    #[arg(long, global = true, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Requests per second that the portal's plan allows; Enterprise plans allow 5
    #[arg(long, global = true, value_name = "N", default_value = "2", value_parser = rate)]
    pub(super) rps: f64,
    /// Also trust the certificate authorities in this PEM file, for portals with their own authority
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) ca_cert: Option<PathBuf>,
}

/// The formats on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AnyFormat {
    /// Text for people
    Human,
    /// JSON for programs, complete also when the command fails
    Json,
    /// Annotations of a pull request on GitHub (validate, plan, apply, drift, show, restore)
    Github,
    /// SARIF 2.1.0, for code scanning (validate)
    Sarif,
    /// JUnit XML, for GitLab, Jenkins and others (validate)
    Junit,
    /// A unified diff of the portal and the manifest (plan, drift, show)
    Diff,
}

impl AnyFormat {
    /// The format of a command whose output is for other programs already.
    pub(super) const TEXT_ONLY: &[Self] = &[Self::Human];
    /// The formats of most commands.
    pub(super) const USUAL: &[Self] = &[Self::Human, Self::Json];
    /// The formats of the commands that write entries.
    pub(super) const OF_RUNS: &[Self] = &[Self::Human, Self::Json, Self::Github];
    /// The formats of the commands that show a plan.
    pub(super) const OF_PLANS: &[Self] = &[Self::Human, Self::Json, Self::Diff, Self::Github];
    /// The formats of `validate`.
    pub(super) const OF_CHECKS: &[Self] = &[Self::Human, Self::Json, Self::Github, Self::Sarif, Self::Junit];

    /// The commands that have it.
    const fn commands(self) -> &'static str {
        match self {
            Self::Human | Self::Json => "other commands",
            Self::Diff => "`plan`, `drift` and `show`",
            Self::Github => "`validate`, `plan`, `apply`, `drift`, `show` and `restore`",
            Self::Sarif | Self::Junit => "`validate`",
        }
    }

    /// Its name, as the user types it.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// The formats that every command can print on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    /// Text for people
    #[default]
    Human,
    /// JSON for programs, complete also when the command fails
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Globals {
    /// Sets the format, if it is among those that the command has; the error lists them. `any_format` keeps all formats
    /// apart.
    pub(super) fn settle(&mut self, formats: &[AnyFormat]) -> Result<(), String> {
        let wanted = self.any_format;
        if !formats.contains(&wanted) {
            let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
            let has = text::listed(&names.iter().map(String::as_str).collect::<Vec<_>>(), "and");
            let (name, commands) = (wanted.name(), wanted.commands());
            return Err(format!("`--format {name}` is for {commands} only: this command has {has}"));
        }
        if wanted == AnyFormat::Json {
            self.format = Format::Json;
        }
        Ok(())
    }

    /// What is printed if a signal ends the command at once.
    pub(super) fn last_words(&self) -> LastWords {
        match self.format {
            Format::Json => LastWords::Json(self.invocation),
            Format::Human => LastWords::None,
        }
    }

    /// Applies the choices that affect the whole process.
    pub(super) fn set_up_output(&self) {
        match self.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::write_global(anstream::ColorChoice::Always),
            Color::Never => anstream::ColorChoice::write_global(anstream::ColorChoice::Never),
        }
        if self.verbose > 0 {
            // Only our own messages: those of the HTTP library contain whole requests, and so the webhook.
            let filter = tracing_subscriber::filter::Targets::new()
                .with_target("brandctl", if self.verbose > 1 { tracing::Level::TRACE } else { tracing::Level::DEBUG });
            let layer = tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never);
            use tracing_subscriber::layer::SubscriberExt as _;
            use tracing_subscriber::util::SubscriberInitExt as _;
            // A second subscriber in one process is refused; the first one stays.
            let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
        }
    }

    /// The manifest, as the user named it.
    pub(super) fn manifest(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("brand.yaml"))
    }

    /// The branding repository.
    pub(super) fn repository(&self) -> Repository {
        self.repository_at(self.manifest())
    }

    /// The branding repository, its manifest named like this.
    pub(super) fn repository_at(&self, manifest: &Path) -> Repository {
        Repository::at(manifest).below(self.root.as_deref())
    }

    /// Whether the user named a manifest: then it must exist, even for commands that need none.
    pub(super) const fn names_manifest(&self) -> bool {
        self.file.is_some()
    }

    /// The folder where state is kept.
    pub(super) fn state_root(&self, repository: &Path) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| state_beside(repository))
    }
}

/// Options of the commands that read a portal's entries.
#[derive(Debug, Args)]
pub(super) struct SelectArgs {
    /// Limit the command to matching entries, such as 'acme-*' or 'icon/acme-*'; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = pattern, add = complete::patterns())]
    pub(super) only: Vec<Pattern>,
    /// Download every image again instead of using the cache
    #[arg(long)]
    refresh: bool,
}

/// Options of the commands that compare.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) reports: Reports,
    #[command(flatten)]
    pub(super) show: ShowArgs,
    #[command(flatten)]
    pub(super) settle: SettleArgs,
    #[command(flatten)]
    pub(super) checkout: CheckoutArgs,
    #[command(flatten)]
    pub(super) guards: GuardArgs,
    #[command(flatten)]
    pub(super) usage: UsageArgs,
}

/// Whether a folder of art must be checked out completely before entries that it does not declare are deleted.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Guards")]
pub(super) struct CheckoutArgs {
    /// Allow deletes of a kind whose folder lacks files that Git tracks there (sparse checkout, submodule), or if Git
    /// cannot show that none are missing
    #[arg(long)]
    pub(super) allow_incomplete_checkout: bool,
}

impl CheckoutArgs {
    const fn allowance(self) -> IncompleteCheckout {
        if self.allow_incomplete_checkout { IncompleteCheckout::Allow } else { IncompleteCheckout::Refuse }
    }
}

/// Whether to look for codes in use before they are deleted or replaced.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Guards")]
pub(super) struct UsageArgs {
    /// Check whether timeline log entries use the codes that would be deleted or replaced; deleting an icon that they use
    /// is refused
    #[arg(long, requires = "entities")]
    pub(super) check_usage: bool,
    /// With --check-usage: the CRM items whose log entries are read, such as deal:12 or deal:1-500; may be repeated
    #[arg(long = "entity", value_name = "TYPE:ID[-ID]", requires = "check_usage", value_parser = parsed::<Span>)]
    pub(super) entities: Vec<Span>,
    /// Allow deleting icons that log entries use, or may use
    #[arg(long)]
    pub(super) allow_in_use: bool,
}

impl UsageArgs {
    /// The items to search, if any.
    pub(super) fn items(&self) -> Result<Option<Items>, TooMany> {
        if self.check_usage { Items::new(self.entities.iter().copied()).map(Some) } else { Ok(None) }
    }
}

impl PlanArgs {
    /// The exceptions that the user allows in this run.
    pub(super) fn allowances(&self, policy: &Policy) -> Allowances {
        let in_use = if self.usage.allow_in_use { InUse::Allow } else { InUse::Refuse };
        Allowances { in_use, checkout: self.checkout.allowance(), ..self.guards.allowances(policy) }
    }
}

/// How a plan is shown to people.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct ShowArgs {
    /// On a terminal with colours, draw the images of each change before and after
    #[arg(long)]
    pub(super) preview: bool,
}

/// How long a portal may still work on what it was sent.
#[derive(Debug, Args)]
pub(super) struct SettleArgs {
    /// How long the portal may still carry out a request after it was sent, if no answer came: until then brandctl does
    /// not judge the code that the request is about, and does not write to it again
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(super) settle: Duration,
}

/// The guards' options.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Guards")]
pub(super) struct GuardArgs {
    /// Allow at most N deletes of each kind [default: `max_deletes` of the manifest, else 10 or half of the owned
    /// entries, whichever is less, at least 1]
    #[arg(long, value_name = "N")]
    pub(super) max_deletes: Option<u32>,
    /// Allow deletes of a kind for which the manifest declares nothing, as in `icons: {}`
    #[arg(long)]
    pub(super) allow_empty: bool,
    /// Allow replacing or deleting entries whose image could not be downloaded first
    #[arg(long)]
    pub(super) allow_unbacked: bool,
}

impl SelectArgs {
    /// The addresses that the command is limited to.
    pub(super) fn selection(&self) -> Result<Selection, String> {
        if self.only.is_empty() {
            return Ok(Selection::All);
        }
        Scope::new(self.only.clone()).map(Selection::Matching).map_err(|error| error.to_string())
    }

    pub(super) const fn freshness(&self) -> Freshness {
        if self.refresh { Freshness::Refetched } else { Freshness::Cached }
    }
}

impl GuardArgs {
    /// Whether entries of unknown content are changed anyway.
    pub(super) const fn unbacked(&self) -> Unbacked {
        if self.allow_unbacked { Unbacked::Change } else { Unbacked::Keep }
    }

    pub(super) fn allowances(&self, policy: &Policy) -> Allowances {
        Allowances {
            max_deletes: self
                .max_deletes
                .or(policy.max_deletes)
                .map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
            empty: if self.allow_empty { Empty::Allow } else { Empty::Refuse },
            unbacked: self.unbacked(),
            // Only commands that can look for codes in use can allow deleting them.
            in_use: InUse::Refuse,
            // Only commands that delete what a folder does not declare have this one.
            checkout: IncompleteCheckout::Refuse,
        }
    }
}

/// A value that has its own syntax. The error is escaped, because clap prints it unchanged.
pub(super) fn parsed<T: FromStr<Err: Display>>(word: &str) -> Result<T, String> {
    word.parse().map_err(|error: T::Err| text::escape(&error.to_string()).into_owned())
}

/// A pattern over codes.
pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|error| error.to_string())
}

/// A number of seconds above 0.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && seconds <= 31_536_000.0 => Ok(duration),
        _ => Err("give a number of seconds above 0 and at most a year".to_owned()),
    }
}

/// A number of requests per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 && rate <= 10_000.0 => Ok(rate),
        _ => Err("give a number above 0 and at most 10000".to_owned()),
    }
}
