//! `--report`: files that a command writes beside what it prints, whatever came of it.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::report::{Report, Validation};
use crate::render;
use crate::store::atomic;

/// The files that the user wants.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Reports {
    /// Also write a report to PATH, an HTML page or JSON by its extension or as in html=PATH; may be repeated
    #[arg(long = "report", value_name = "[FORMAT=]PATH", value_parser = parse)]
    files: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    format: Format,
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Html,
    Json,
}

impl Format {
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "html" => Some(Self::Html),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A format that is named wins over the extension; what stands before another `=` belongs to the path.
fn parse(text: &str) -> Result<File, String> {
    if let Some((name, path)) = text.split_once('=')
        && let Some(format) = Format::named(name)
    {
        return if path.is_empty() {
            Err(format!("a path is missing after `{name}=`"))
        } else {
            Ok(File { format, path: path.into() })
        };
    }
    let extension = Path::new(text).extension().and_then(|extension| extension.to_str());
    match extension.and_then(Format::named) {
        Some(format) => Ok(File { format, path: text.into() }),
        None => {
            Err("its extension names no format: end it in .html or .json, or write html=PATH or json=PATH".to_owned())
        }
    }
}

impl Reports {
    /// Writes what `command` found out and did; the findings say what could not be written.
    pub(super) fn write(&self, report: &Report, command: &str) -> Vec<Finding> {
        self.write_each(|format| match format {
            Format::Html => Ok(render::html::report(report, command)),
            Format::Json => render::json::report(report),
        })
    }

    /// Writes what `validate` found; the findings say what could not be written.
    pub(super) fn write_validation(&self, validation: &Validation) -> Vec<Finding> {
        self.write_each(|format| match format {
            Format::Html => Ok(render::html::validation(validation)),
            Format::Json => render::json::validation(validation),
        })
    }

    fn write_each(&self, render: impl Fn(Format) -> Result<String, serde_json::Error>) -> Vec<Finding> {
        let write = |file: &File| {
            let text = render(file.format)?;
            atomic::write(&file.path, text.as_bytes())
        };
        self.files
            .iter()
            .filter_map(|file| {
                let error = write(file).err()?;
                let message = format!("the report cannot be written to {}: {error}", file.path.display());
                Some(Finding::error("output", message))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_named_or_follows_from_the_extension() {
        let file = |format, path: &str| Ok(File { format, path: path.into() });
        assert_eq!(parse("out/x.html"), file(Format::Html, "out/x.html"));
        assert_eq!(parse("X.JSON"), file(Format::Json, "X.JSON"));
        assert_eq!(parse("html=page"), file(Format::Html, "page"));
        assert_eq!(parse("json=x.html"), file(Format::Json, "x.html"));
        assert_eq!(parse("a=b.html"), file(Format::Html, "a=b.html"));
        for wrong in ["report", "x.pdf", "html=", "pdf=x", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
