//! Commands for the user to type, with the options that the present one was given and the next one needs.

use std::path::Path;

use crate::text::shell_word;

use super::settings::Globals;

impl Globals {
    /// A command about the same manifest, portal and state folder.
    pub(super) fn typed(&self, command: &str) -> String {
        let mut typed = format!("brandctl {command}");
        let mut add = |option: &str, path: &Path| {
            typed.push_str(&format!(" {option}{}", shell_word(&path.display().to_string())));
        };
        if self.names_manifest() {
            add("-f ", self.manifest());
        }
        if let Some(root) = &self.root {
            add("--root ", root);
        }
        if let Some(folder) = &self.state_dir {
            add("--state-dir ", folder);
        }
        match &self.sandbox {
            Some(Some(folder)) => add("--sandbox=", folder),
            Some(None) => typed.push_str(" --sandbox"),
            None => {}
        }
        typed
    }
}
