//! The answers: values that are parsed from a user's text, and from which every file can be written.

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::manifest;
use crate::domain::quote::quoted;
use crate::domain::rulebook::CODE_STYLE;
use crate::domain::scope::Pattern;

/// The name of the sample art, after the prefix of the owned codes.
const SAMPLE: &str = "sample";

/// The longest code, in bytes, whose file every system can keep: names may have 255, with the extension.
const MAX_CODE_BYTES: usize = 251;

/// The codes that the manifest owns: a pattern that leaves room for the sample art.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pattern: Pattern,
    code: Code,
}

/// Reads a pattern over codes, with errors for the person who typed it.
pub(crate) fn pattern(text: &str) -> Result<Pattern, String> {
    if text.is_empty() {
        return Err("write the prefix of your codes and `*`, for example `acme-*`".to_owned());
    }
    let named = quoted(text);
    let pattern = Pattern::parse(text).map_err(|error| {
        let help = error.help().map(|help| format!(": {help}")).unwrap_or_default();
        format!("{named} is not a pattern: {}{help}", error.reason())
    })?;
    match text.chars().find(|c| !Code::can_hold(*c)) {
        Some(odd) => Err(format!(
            "{named} holds {}, which a code cannot hold: codes are printable ASCII",
            quoted(&odd.to_string())
        )),
        None => Ok(pattern),
    }
}

impl Owned {
    /// Reads a pattern such as `acme-*` or `icon/acme-*`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let named = quoted(text);
        let pattern = pattern(text)?;
        let glob = pattern.kind().and_then(|kind| text.strip_prefix(kind.name())?.strip_prefix('/')).unwrap_or(text);
        let prefix = glob.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default();
        let owned = Self { code: Code::new(format!("{prefix}{SAMPLE}")), pattern };
        if owned.samples().is_empty() {
            return Err(format!(
                "{named} does not match all codes with one prefix: write the prefix and `*`, for example `acme-*`; \
                 you can write other patterns in brand.yaml later"
            ));
        }
        if !is_file_name(owned.code.as_str()) {
            return Err(format!(
                "codes that match {named} cannot be file names on every system: let them begin with letters, digits, `-`, `_` or \
                 `.`, such as `acme-*`"
            ));
        }
        Ok(owned)
    }

    pub(crate) const fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The entries of the sample art: one of each kind that is owned.
    pub(crate) fn samples(&self) -> Vec<Address> {
        let address = |kind| Address::new(kind, self.code.clone());
        Kind::ALL.into_iter().map(address).filter(|address| self.pattern.matches(address)).collect()
    }

    pub(crate) const fn code(&self) -> &Code {
        &self.code
    }

    /// Whether the codes follow the style that the rules recommend.
    pub(super) fn is_plain(&self) -> bool {
        CODE_STYLE.of_code(&self.code, None).is_none()
    }
}

/// Whether a code can be a file's name on every system, and on the portal.
fn is_file_name(code: &str) -> bool {
    let is_good =
        |c: char| Code::can_hold(c) && !matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '$');
    code.len() <= MAX_CODE_BYTES && !code.starts_with(['.', ' ']) && code.chars().all(is_good)
}

/// A portal's host, in the form in which hosts are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PinnedPortal(String);

impl PinnedPortal {
    /// Reads a host such as `acme.bitrix24.com`, also from a URL on it. The rest of a webhook is a secret, and is
    /// dropped.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        manifest::portal_host(text).map(Self)
    }

    /// The host, with its port if that is not 443.
    pub(crate) fn host(&self) -> &str {
        &self.0
    }
}

/// The folder of the branding repository in its Git repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FolderInGit(String);

impl FolderInGit {
    /// The Git repository's own folder.
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// Reads a path below the root, with `/`; empty is the root itself.
    pub(crate) fn parse(path: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
        if path.is_empty() {
            Ok(Self::root())
        } else if path.chars().all(is_plain) && !path.starts_with('-') {
            Ok(Self(format!("{path}/")))
        } else {
            Err(format!(
                "a CI file cannot name the folder {}: use letters, digits, `-`, `_` and `.`, or choose no CI file",
                quoted(path)
            ))
        }
    }

    /// The prefix of the paths of its files: nothing, or the folder and a slash.
    pub(crate) fn prefix(&self) -> &str {
        &self.0
    }
}
