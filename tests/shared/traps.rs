//! What a repository can hold that makes Git start a program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// The keys of a repository's settings that name a program, and those that make Git use one or look elsewhere.
const EXECUTING: [(&str, &str); 25] = [
    ("core.fsmonitor", "EVIL"),
    ("core.hooksPath", "HOOKS"),
    ("core.pager", "EVIL"),
    ("core.editor", "EVIL"),
    ("core.sshCommand", "EVIL"),
    ("core.askPass", "EVIL"),
    ("core.gitProxy", "EVIL"),
    ("core.alternateRefsCommand", "EVIL"),
    ("credential.helper", "!EVIL"),
    ("diff.external", "EVIL"),
    ("diff.evil.textconv", "EVIL"),
    ("diff.evil.command", "EVIL"),
    ("filter.evil.clean", "EVIL"),
    ("filter.evil.smudge", "EVIL"),
    ("filter.evil.process", "EVIL"),
    ("filter.evil.required", "true"),
    ("gpg.program", "EVIL"),
    ("log.showSignature", "true"),
    ("pager.log", "EVIL"),
    ("alias.log", "!EVIL"),
    ("alias.ls-tree", "!EVIL"),
    ("alias.rev-parse", "!EVIL"),
    ("uploadpack.packObjectsHook", "EVIL"),
    ("trace2.eventTarget", "EVIL"),
    ("core.worktree", "/etc"),
];

const HOOKS: [&str; 5] =
    ["post-index-change", "post-checkout", "fsmonitor-watchman", "reference-transaction", "pre-auto-gc"];

/// A program at `path` that runs these lines of a shell.
pub(crate) fn script(path: &Path, lines: &str) -> String {
    fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Sets every trap for Git in the file `settings` of a repository, with programs in `folder`. One that is sprung makes `mark`.
pub(crate) fn set(folder: &Path, settings: &Path, mark: &Path) {
    let hooks = folder.join("hooks");
    fs::create_dir_all(&hooks).unwrap();
    let evil = script(&folder.join("evil"), &format!("env >> {}; cat", mark.display()));
    for hook in HOOKS {
        script(&hooks.join(hook), &format!("touch {}", mark.display()));
        if let Some(own) = settings.parent().map(|folder| folder.join("hooks")).filter(|own| own.is_dir()) {
            fs::copy(hooks.join(hook), own.join(hook)).unwrap();
        }
    }
    for (key, value) in EXECUTING {
        configure(settings, key, &value.replace("EVIL", &evil).replace("HOOKS", hooks.to_str().unwrap()));
    }
    let more = folder.join("more.config");
    fs::write(&more, format!("[core]\n\tfsmonitor = {evil}\n[filter \"evil\"]\n\tclean = {evil}\n")).unwrap();
    configure(settings, "include.path", more.to_str().unwrap());
}

/// Adds a line to a file of settings.
pub(crate) fn configure(settings: &Path, key: &str, value: &str) {
    let mut command = Command::new("git");
    command
        .current_dir(settings.parent().unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let status = command.args(["config", "--file"]).arg(settings).args([key, value]).status().unwrap();
    assert!(status.success(), "{key}");
}
