//! Files named from the root of the Git repository, with `/`, as tools expect that show findings beside the files of a
//! commit. Files outside of a repository are named from the current folder, or keep their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::domain::diff::Action;
use crate::domain::report::{Report, Validation};
use crate::ops::validate::beside;
use crate::store::root;
use crate::text::slashed;

/// The folders that were looked up: the path of each from its repository's root, or `None` outside of one.
#[derive(Default)]
struct Names(BTreeMap<PathBuf, Option<String>>);

impl Names {
    fn rename(&mut self, path: &mut String) {
        let file = Path::new(path.as_str());
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return };
        let known = self.0.entry(folder.to_owned()).or_insert_with(|| root::folder_from_git_root(folder));
        let name = name.to_string_lossy();
        *path = match known {
            Some(folder) if folder.is_empty() => name.into_owned(),
            Some(folder) => format!("{folder}/{name}"),
            None => {
                let here = std::env::current_dir().unwrap_or_default();
                slashed(file.strip_prefix(here).unwrap_or(file))
            }
        };
    }
}

/// The result of `validate` with such names.
pub(super) fn validation(validation: &Validation) -> Validation {
    let (mut names, mut validation) = (Names::default(), validation.clone());
    names.rename(&mut validation.manifest);
    let paths = validation.findings.iter_mut().filter_map(|finding| finding.path.as_mut());
    paths.chain(validation.art.iter_mut().map(|piece| &mut piece.file)).for_each(|path| names.rename(path));
    validation
}

/// The result of a command that compares or writes, with such names.
pub(super) fn report(report: &Report) -> Report {
    let (mut names, mut named) = (Names::default(), report.clone());
    names.rename(&mut named.manifest);
    let paths = named.findings.iter_mut().filter_map(|finding| finding.path.as_mut());
    paths.chain(named.art.iter_mut().map(|piece| &mut piece.file)).for_each(|path| names.rename(path));
    for change in named.plan.iter_mut().flat_map(|plan| &mut plan.diff.changes) {
        if let Action::Create(after) | Action::Replace(_, after) = &mut change.action {
            // A plan names files from its manifest.
            after.file = beside(&report.manifest, &after.file);
            names.rename(&mut after.file);
        }
    }
    named
}
