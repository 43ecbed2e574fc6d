//! `brandctl validate`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::manifest::schema_copy;
use crate::domain::png;
use crate::domain::report::{Subject, Validation, Warnings};
use crate::domain::rules::{self, Aim};
use crate::ops;
use crate::ops::validate::{Validated, beside};
use crate::render::{self, picture::Pictures, screen::Colours};
use crate::store::files::place;
use crate::store::paths::{PathFilter, is_manifest};
use crate::store::repository::Repository;
use crate::store::root;
use crate::text;

use super::exit::Exit;
use super::in_repository;
use super::output;
use super::paths;
use super::progress::Progress;
use super::reports::Reports;
use super::settings::{AnyFormat, Globals};

/// Check the manifest and its PNGs, offline
///
/// Needs no portal and no credentials, and reports everything that it finds, not only the first error.
///
/// With PATHs, as pre-commit passes them, checks the manifest, and only those images that are named or lie in a named
/// folder; images are compared with each other only among these. If the manifest itself is one of the PATHs, everything
/// is checked. A PATH called brand.yaml, brandctl.yaml or NAME.brandctl.yaml is the manifest, unless -f names one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl validate\n  brandctl validate --deny-warnings\n  brandctl validate icons/acme-call.png logos/\n  brandctl validate -f examples/acme/brand.yaml --format sarif\n\nExit codes: 0 no error (nor warning, with --deny-warnings, except schema-copy), 1 error."
)]
pub(super) struct Arguments {
    /// Check only these images, or the images in these folders [default: everything]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Fail on warnings as well as on errors
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    pub(super) reports: Reports,
}

impl Arguments {
    /// The manifest among the paths, if the user names none with `-f`: it is known by its name. Of several, none is
    /// checked, because the result would seem to be that of all.
    pub(super) fn manifest(&self, globals: &Globals) -> Result<Option<PathBuf>, String> {
        if globals.names_manifest() {
            return Ok(None);
        }
        let named: BTreeMap<_, _> =
            self.paths.iter().filter(|path| is_manifest(path)).map(|path| (place::of(path), path)).collect();
        let mut named = named.into_values();
        match (named.next(), named.next()) {
            (None, _) => Ok(None),
            (Some(only), None) => Ok(Some(only.clone())),
            (Some(first), Some(second)) => {
                let [first, second] = [first, second].map(|path| text::escaped(path.display()));
                let first_word = text::shell_word(&first).into_owned();
                Err(format!(
                    "{first} and {second} are two manifests: check one at a time, with `brandctl validate -f {first_word}`"
                ))
            }
        }
    }
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let manifest = from_here(globals.manifest());
    let chosen = PathFilter::of(&arguments.paths, &manifest);
    let repository = globals.repository_at(&manifest).limited_to(chosen.clone());
    let progress = Progress::new(globals);
    let mut validated = ops::validate::validate(repository.name(), &repository, Aim::Findings, progress.as_ref());
    progress.clear();
    limit(globals, &mut validated, &chosen, repository.name());
    if let Some(finding) = schema_copy(&repository, &validated.source) {
        validated.checked.findings.push(finding);
        rules::sort(&mut validated.checked.findings);
    }
    let pictures = match globals.any_format {
        AnyFormat::Human if output::image_colours() == Ok(Colours::True) => pictures(&validated),
        _ => Pictures::new(),
    };
    let subject = Subject { portal: None, manifest: root::path_in_repository(globals.manifest()) };
    let mut validation = Validation {
        subject,
        heading: arguments.reports.heading(|| globals.invocation.started(), &repository),
        manifest: repository.name().to_owned(),
        source: validated.source,
        images: validated.images,
        findings: validated.checked.findings,
        art: validated.art,
        warnings: if arguments.deny_warnings { Warnings::Denied } else { Warnings::Allowed },
    };
    let hit = paths::among(&globals.outputs, validation.art.iter().map(|piece| PathBuf::from(&piece.file)));
    validation.findings.extend(hit.iter().map(|named| named.would_overwrite("an image")));
    let spared: Vec<_> = hit.into_iter().map(|named| named.path().to_owned()).collect();
    let header = globals.invocation.header(exit_of(&validation));
    validation.findings.extend(arguments.reports.write_validation(&validation, &header, &spared));
    let exit = exit_of(&validation);
    match globals.any_format {
        // `diff` was refused before.
        AnyFormat::Human | AnyFormat::Diff => {
            output::data(&render::human::validation(&validation, &pictures, &output::screen()), exit)
        }
        AnyFormat::Json => {
            output::json(render::json::print_validation(&globals.invocation.header(exit), &validation), exit)
        }
        AnyFormat::Github => output::data(&render::github::validation(&in_repository::validation(&validation)), exit),
        AnyFormat::Sarif => output::json(render::sarif::validation(&in_repository::validation(&validation)), exit),
        AnyFormat::Junit => output::data(&render::junit::validation(&in_repository::validation(&validation)), exit),
    }
}

/// The finding about a copy of the schema beside the manifest that another brandctl wrote.
fn schema_copy(repository: &Repository, source: &str) -> Option<Finding> {
    let (path, place) = schema_copy::named(source).filter(|_| !source.is_empty())?;
    let copy = repository.small_file(&path, schema_copy::MAX_COPY_BYTES)?;
    schema_copy::finding(&copy, &beside(repository.name(), &path), repository.name(), place)
}

/// How a check ends.
fn exit_of(validation: &Validation) -> Exit {
    if validation.passed() { Exit::Success } else { Exit::Error }
}

/// The manifest's path from the current folder: annotations and alerts are about files of a repository.
fn from_here(manifest: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let manifest = manifest.strip_prefix(&here).unwrap_or(manifest);
    let below = manifest.strip_prefix(".").unwrap_or(manifest);
    if below.as_os_str().is_empty() { Path::new(".") } else { below }.to_owned()
}

/// Leaves out findings about files that the user did not name, and notes each path for which the manifest declares
/// nothing.
fn limit(globals: &Globals, validated: &mut Validated, chosen: &PathFilter, manifest: &str) {
    let findings = &mut validated.checked.findings;
    findings
        .retain(|finding| finding.path.as_deref().is_none_or(|path| path == manifest || chosen.holds(path.as_ref())));
    let known = validated
        .art
        .iter()
        .map(|piece| &piece.file)
        .chain(findings.iter().filter_map(|finding| finding.path.as_ref()))
        .map(Path::new);
    for path in chosen.unmatched(known).existing {
        let path = path.display();
        output::note(globals, &format!("note: {path} is skipped: {manifest} declares nothing there"));
    }
}

/// The images with findings. A damaged one cannot be shown.
fn pictures(validated: &Validated) -> Pictures {
    let about: BTreeSet<_> = validated.checked.findings.iter().filter_map(|finding| finding.path.as_deref()).collect();
    let drawn = validated.art.iter().filter(|piece| about.contains(piece.file.as_str()));
    drawn.filter_map(|piece| Some((piece.file.clone(), png::read(piece.bytes.as_deref()?).ok()?.pixels))).collect()
}
