//! Commands for the user to type, with the options that the present one was given and the next one needs.

use std::path::Path;

use crate::domain::report::{NextCommands, OldImages};
use crate::text::shell_word;

use super::settings::{CheckoutArgs, Globals, GuardArgs, PlanArgs, UsageArgs};

impl PlanArgs {
    /// A command about the same entries, with the same exceptions from the guards.
    pub(super) fn typed(&self, globals: &Globals, command: &str) -> String {
        let only = self.select.only.iter().map(|only| format!(" --only {}", shell_word(&only.to_string())));
        let usage = self.usage.searched();
        globals.typed(command) + &only.collect::<String>() + &usage + &self.allowed()
    }

    /// The options that make exceptions from the guards, each after a space.
    pub(super) fn allowed(&self) -> String {
        self.guards.typed() + self.checkout.typed() + self.usage.allowed()
    }
}

impl CheckoutArgs {
    /// The option as it was typed, after a space.
    const fn typed(self) -> &'static str {
        if self.allow_incomplete_checkout { " --allow-incomplete-checkout" } else { "" }
    }
}

impl UsageArgs {
    /// The options of the search as they were typed, each after a space.
    fn searched(&self) -> String {
        let check = if self.check_usage { " --check-usage" } else { "" };
        self.entities
            .iter()
            .fold(check.to_owned(), |typed, span| format!("{typed} --entity {}", shell_word(&span.to_string())))
    }

    /// The exception as it was typed, after a space.
    const fn allowed(&self) -> &'static str {
        if self.allow_in_use { " --allow-in-use" } else { "" }
    }
}

impl GuardArgs {
    /// The options as they were typed, each after a space.
    pub(super) fn typed(&self) -> String {
        let mut typed = self.max_deletes.map(|count| format!(" --max-deletes {count}")).unwrap_or_default();
        let allowed = [(self.allow_empty, " --allow-empty"), (self.allow_unbacked, " --allow-unbacked")];
        typed.extend(allowed.into_iter().filter(|(is_given, _)| *is_given).map(|(_, option)| option));
        typed
    }
}

impl Globals {
    /// A command about the same manifest, portal and state folder.
    pub(super) fn typed(&self, command: &str) -> String {
        self.next().typed(command)
    }

    /// The commands that may follow, about the same manifest, portal and state folder.
    pub(super) fn next(&self) -> NextCommands {
        NextCommands { options: self.common(), images: OldImages::Run }
    }

    /// The options that name the manifest, the portal and the state folder, each after a space.
    fn common(&self) -> String {
        let mut typed = String::new();
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
