//! `--report`: files that a command writes besides its output, even if it failed.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use url::Url;

use crate::domain::finding::Finding;
use crate::domain::list::ListReport;
use crate::domain::report::{ExportReport, Heading, Report, Validation};
use crate::render;
use crate::render::json::{self, ExportDocument, Invoked, ListDocument, PlanDocument};
use crate::store::files::Output;
use crate::store::repository::Repository;

use super::in_repository;

/// The files that the user wants.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Reports {
    /// Also write a report to PATH; may be repeated. Its extension sets the format, or a prefix as in html=PATH. Formats:
    /// html, json, md, xml (JUnit), sarif, codequality (GitLab), terraform (GitLab's counts of a plan; without counts if
    /// an error leaves them unknown); not every command has all of them. A file is replaced in one step; a pipe or device
    /// is written directly
    #[arg(long = "report", value_name = "[FORMAT=]PATH", value_parser = parse)]
    files: Vec<ReportFile>,
    /// The address where the HTML report will be: Markdown links to it, because it cannot hold images itself
    #[arg(long = "report-url", value_name = "URL", value_parser = address, requires = "files")]
    url: Option<Url>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ReportFile {
    format: ReportFormat,
    path: PathBuf,
}

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportFormat {
    Html,
    Json,
    Markdown,
    Junit,
    Sarif,
    /// GitLab's findings beside the files of a merge request.
    CodeQuality,
    /// GitLab's counts of what a plan would do.
    Terraform,
}

impl ReportFormat {
    /// The formats for a comparison with a portal.
    pub(super) const OF_PLANS: &[Self] =
        &[Self::Html, Self::Json, Self::Markdown, Self::Junit, Self::CodeQuality, Self::Terraform];
    /// The formats for a run and for what is shown again: without the counts of what is still to do.
    pub(super) const OF_RUNS: &[Self] = &[Self::Html, Self::Json, Self::Markdown, Self::Junit, Self::CodeQuality];
    /// The formats for a portal's entries: without those for failures, because an entry is not a failure.
    pub(super) const OF_LISTS: &[Self] = &[Self::Html, Self::Json, Self::Markdown];
    /// The formats for an export, whose images are in its folder.
    pub(super) const OF_EXPORTS: &[Self] = &[Self::Json];
    /// The formats for a check.
    pub(super) const OF_CHECKS: &[Self] =
        &[Self::Html, Self::Json, Self::Markdown, Self::Junit, Self::Sarif, Self::CodeQuality];
    const ALL: [Self; 7] =
        [Self::Html, Self::Json, Self::Markdown, Self::Junit, Self::Sarif, Self::CodeQuality, Self::Terraform];

    /// Its extension first, if files of that format have one.
    const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Html => ["html", "htm"],
            Self::Json => ["json", "json"],
            Self::Markdown => ["md", "markdown"],
            Self::Junit => ["xml", "junit"],
            Self::Sarif => ["sarif", "sarif"],
            Self::CodeQuality => ["codequality", "codequality"],
            Self::Terraform => ["terraform", "terraform"],
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.names().contains(&name.to_ascii_lowercase().as_str()))
    }
}

/// A named format takes precedence over the extension; other text before a `=` is a part of the path.
fn parse(text: &str) -> Result<ReportFile, String> {
    const STANDARD: &str = "standard output is for --format: name a file, or /dev/stdout to print both there";
    if let Some((name, path)) = text.split_once('=')
        && let Some(format) = ReportFormat::named(name)
    {
        return match path {
            "" => Err(format!("a path is missing after `{name}=`")),
            "-" => Err(STANDARD.to_owned()),
            _ => Ok(ReportFile { format, path: path.into() }),
        };
    }
    if text == "-" {
        return Err(STANDARD.to_owned());
    }
    let extension = Path::new(text).extension().and_then(|extension| extension.to_str());
    match extension.and_then(ReportFormat::named) {
        Some(format) => Ok(ReportFile { format, path: text.into() }),
        None => {
            Err("the extension does not name a format: use .html, .json, .md, .xml or .sarif, or write html=PATH, \
                     codequality=PATH and so on"
                .to_owned())
        }
    }
}

/// A link that is safe to follow and to print: it is encrypted and holds no password. It is short enough for any comment.
fn address(text: &str) -> Result<Url, String> {
    const MAX_URL_CHARS: usize = 2000;
    match Url::parse(text) {
        Ok(url) if url.as_str().len() > MAX_URL_CHARS => {
            Err(format!("use an address of at most {MAX_URL_CHARS} characters"))
        }
        Ok(url) if url.scheme() == "https" && url.username().is_empty() && url.password().is_none() => Ok(url),
        _ => Err("use an address that begins with https://, without a user name or a password".to_owned()),
    }
}

impl Reports {
    /// Checks that the command has the formats of all these files; the error lists the formats that it has.
    pub(super) fn check_formats(&self, formats: &[ReportFormat]) -> Result<(), String> {
        if self.url.is_some() && !formats.contains(&ReportFormat::Markdown) {
            return Err("`--report-url` is for Markdown, and this command does not write it".to_owned());
        }
        let Some(file) = self.files.iter().find(|file| !formats.contains(&file.format)) else { return Ok(()) };
        let names: Vec<_> = formats.iter().map(|format| format.names()[0]).collect();
        let path = file.path.display();
        let [name, _] = file.format.names();
        Err(format!("`--report {path}`: this command does not write {name} reports; it writes {}", names.join(", ")))
    }

    /// The paths of the reports.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Whether a comment is written: its marker names what it is about.
    pub(super) fn comment(&self) -> bool {
        self.files.iter().any(|file| file.format == ReportFormat::Markdown)
    }

    /// Whether images are needed, for a page.
    pub(super) fn draw(&self) -> bool {
        self.files.iter().any(|file| file.format == ReportFormat::Html)
    }

    /// The time and the commit for a page or a comment; empty if neither is written, because finding the commit takes
    /// time.
    pub(super) fn heading(&self, started: impl FnOnce() -> String, repository: &Repository) -> Heading {
        if !self.draw() && !self.comment() {
            return Heading::default();
        }
        Heading { started: Some(started()), commit: repository.commit() }
    }

    /// Writes the reports of `command`, except to the files in `spared`. Each file that cannot be written gives a
    /// finding.
    pub(super) fn write(&self, report: &Report, command: &str, header: &Invoked, spared: &[PathBuf]) -> Vec<Finding> {
        self.write_each(
            report,
            spared,
            |report| &mut report.findings,
            |report, format| match format {
                ReportFormat::Html => Ok(Some(render::html::report(report, command))),
                ReportFormat::Json => {
                    let portal = report.portal.as_deref();
                    json::print::<PlanDocument>(header, portal, report, &report.findings).map(Some)
                }
                ReportFormat::Markdown => Ok(Some(render::markdown::report(report, command, self.link()))),
                ReportFormat::Junit => Ok(Some(render::junit::report(report, command))),
                ReportFormat::CodeQuality => {
                    render::codequality::report(&in_repository::report(report), command).map(Some)
                }
                ReportFormat::Terraform => render::terraform::report(report).map(Some),
                ReportFormat::Sarif => Ok(None),
            },
        )
    }

    /// Writes the reports about `portal` for `list`. Each file that cannot be written gives a finding.
    pub(super) fn write_list(
        &self,
        list: &ListReport,
        portal: Option<&str>,
        header: &Invoked,
        spared: &[PathBuf],
    ) -> Vec<Finding> {
        self.write_each(
            list,
            spared,
            |list| &mut list.findings,
            |list, format| match format {
                ReportFormat::Html => Ok(Some(render::html::list(list))),
                ReportFormat::Json => json::print::<ListDocument>(header, portal, list, &list.findings).map(Some),
                ReportFormat::Markdown => Ok(Some(render::markdown::list(list, self.link()))),
                _ => Ok(None),
            },
        )
    }

    /// Writes the reports of `export`. Each file that cannot be written gives a finding.
    pub(super) fn write_export(&self, export: &ExportReport, header: &Invoked, spared: &[PathBuf]) -> Vec<Finding> {
        self.write_each(
            export,
            spared,
            |export| &mut export.findings,
            |export, format| match format {
                ReportFormat::Json => {
                    json::print::<ExportDocument>(header, export.portal.as_deref(), export, &export.findings).map(Some)
                }
                _ => Ok(None),
            },
        )
    }

    /// Writes the reports of `validate`. Each file that cannot be written gives a finding.
    pub(super) fn write_validation(
        &self,
        validation: &Validation,
        header: &Invoked,
        spared: &[PathBuf],
    ) -> Vec<Finding> {
        self.write_each(
            validation,
            spared,
            |validation| &mut validation.findings,
            |validation, format| match format {
                ReportFormat::Html => Ok(Some(render::html::validation(validation))),
                ReportFormat::Json => json::print_validation(header, validation).map(Some),
                ReportFormat::Markdown => Ok(Some(render::markdown::validation(validation, self.link()))),
                ReportFormat::Junit => Ok(Some(render::junit::validation(&in_repository::validation(validation)))),
                ReportFormat::Sarif => render::sarif::validation(&in_repository::validation(validation)).map(Some),
                ReportFormat::CodeQuality => {
                    render::codequality::validation(&in_repository::validation(validation)).map(Some)
                }
                ReportFormat::Terraform => Ok(None),
            },
        )
    }

    fn link(&self) -> Option<&str> {
        self.url.as_ref().map(Url::as_str)
    }

    /// Writes what was `found`. A report that cannot be written is named in the others. `render` gives
    /// nothing for a format that the command does not have; [`Reports::check_formats`] refused it before.
    fn write_each<T: Clone>(
        &self,
        found: &T,
        spared: &[PathBuf],
        findings: impl Fn(&mut T) -> &mut Vec<Finding>,
        render: impl Fn(&T, ReportFormat) -> Result<Option<String>, serde_json::Error>,
    ) -> Vec<Finding> {
        const WHAT: &str = "report cannot be written";
        let (mut outputs, mut missing) = (Vec::new(), Vec::new());
        for file in self.files.iter().filter(|file| !spared.contains(&file.path)) {
            match Output::open(&file.path) {
                Ok(output) => outputs.push((file, output)),
                Err(error) => missing.push(unwritten(WHAT, &file.path, &error)),
            }
        }
        let mut found = Cow::Borrowed(found);
        if !missing.is_empty() {
            findings(found.to_mut()).extend(missing.iter().cloned());
        }
        let write = |format, output: Output| {
            let text = render(&found, format)?.ok_or_else(|| io::Error::other("this command has no such report"))?;
            output.write(text.as_bytes())
        };
        missing.extend(outputs.into_iter().filter_map(|(file, output)| {
            write(file.format, output).err().map(|error| unwritten(WHAT, &file.path, &error))
        }));
        missing
    }
}

/// The finding about a file that cannot be written. `what` is, for example, "report cannot be written".
pub(super) fn unwritten(what: &str, path: &Path, error: &io::Error) -> Finding {
    let message = format!("the {what} to {}: {error}", path.display());
    Finding::error("output", message).help("name a file in an existing, writable folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_named_or_follows_from_the_extension() {
        let file = |format, path: &str| Ok(ReportFile { format, path: path.into() });
        assert_eq!(parse("out/x.html"), file(ReportFormat::Html, "out/x.html"));
        assert_eq!(parse("X.JSON"), file(ReportFormat::Json, "X.JSON"));
        assert_eq!(parse("html=page"), file(ReportFormat::Html, "page"));
        assert_eq!(parse("json=x.html"), file(ReportFormat::Json, "x.html"));
        assert_eq!(parse("a=b.html"), file(ReportFormat::Html, "a=b.html"));
        assert_eq!(parse("comment.md"), file(ReportFormat::Markdown, "comment.md"));
        assert_eq!(parse("junit=x"), file(ReportFormat::Junit, "x"));
        assert_eq!(parse("x.xml"), file(ReportFormat::Junit, "x.xml"));
        assert_eq!(parse("x.sarif"), file(ReportFormat::Sarif, "x.sarif"));
        assert_eq!(parse("codequality=x.json"), file(ReportFormat::CodeQuality, "x.json"));
        assert_eq!(parse("terraform=x.json"), file(ReportFormat::Terraform, "x.json"));
        for wrong in ["report", "x.pdf", "html=", "pdf=x", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_link_is_https_and_holds_no_secret() {
        let link = address("https://ci.example/a b/<x>(1).html?a=1>").map(String::from);
        assert_eq!(link.as_deref(), Ok("https://ci.example/a%20b/%3Cx%3E(1).html?a=1%3E"));
        for wrong in
            ["http://ci.example/", "javascript:alert(1)", "ci.example", "https://user:secret@ci.example/", "https://"]
        {
            assert!(address(wrong).is_err(), "{wrong}");
            assert!(address(&format!("https://ci.example/{}", "x".repeat(2000))).is_err());
        }
    }

    #[test]
    fn a_format_that_a_command_lacks_is_refused() {
        let reports =
            Reports { files: vec![ReportFile { format: ReportFormat::Junit, path: "x.xml".into() }], url: None };
        assert_eq!(reports.check_formats(ReportFormat::OF_PLANS), Ok(()));
        let shown = "`--report x.xml`: this command does not write xml reports; it writes html, json, md";
        assert_eq!(reports.check_formats(ReportFormat::OF_LISTS), Err(shown.to_owned()));
        let linked = Reports { files: Vec::new(), url: address("https://ci.example/x.html").ok() };
        assert_eq!(linked.check_formats(ReportFormat::OF_LISTS), Ok(()));
        assert!(linked.check_formats(ReportFormat::OF_EXPORTS).is_err_and(|why| why.contains("`--report-url`")));
    }
}
