//! Where things are that belong to a manifest: the Git repository around it, its path from there, its state.

use std::path::{Path, PathBuf};

use super::files::place::{self, with_slashes};

/// The root of the Git repository that holds `folder`, which is named without links.
pub(crate) fn git_root(folder: &Path) -> Option<&Path> {
    // It is a file where the checkout is a worktree or a submodule.
    folder.ancestors().find(|above| place::exists(&above.join(".git")))
}

/// The path of `file` from the root of the Git repository that it is in, with `/` between its parts; outside of one, its
/// name. So it is called the same wherever the repository is checked out.
pub(crate) fn path_in_repository(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    let Ok(folder) = place::real(place::folder_of(file)) else { return name.to_string_lossy().into_owned() };
    let root = git_root(&folder).unwrap_or(&folder);
    with_slashes(&folder.strip_prefix(root).unwrap_or(Path::new("")).join(name))
}

/// The folder for state unless the user names another place: beside the manifest, in its folder.
pub(crate) fn state_beside(folder: &Path) -> PathBuf {
    // Beside a manifest that is named without a folder, it is named without one too.
    folder.strip_prefix(".").unwrap_or(folder).join(".brandctl")
}
