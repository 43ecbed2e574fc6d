//! The first minutes: from an artefact of a release to a first plan, on a machine that has the program and nothing else. No
//! Git, no certificates, no HOME, no user of that number, no /tmp, no /dev, no /proc, no locale, and a root that cannot be
//! written. bubblewrap makes such a machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use brandctl::sandbox::{Options, Protocol, start};

use super::built::{TARGET, built, succeeds};
use super::pip::Environment;

/// A machine with the program and a folder for the brand.
struct Machine {
    program: PathBuf,
    brand: tempfile::TempDir,
    /// What else there is, as options of bubblewrap.
    more: Vec<String>,
    /// `--bind`, or `--ro-bind` where the brand cannot be written either.
    bind: &'static str,
}

impl Machine {
    fn with(program: &Path) -> Self {
        let brand = tempfile::tempdir().unwrap();
        Self { program: program.to_owned(), brand, more: Vec::new(), bind: "--bind" }
    }

    /// A brand that was started there.
    fn started(program: &Path) -> Self {
        let machine = Self::with(program);
        machine.passes("init . --ci none --owns acme-*", "Created a branding repository in /brand");
        machine
    }

    fn having(mut self, more: &[&str]) -> Self {
        self.more.extend(more.iter().map(|&option| option.to_owned()));
        self
    }

    /// Runs a command there: its exit code, and what it printed.
    fn run(&self, line: &str) -> (Option<i32>, String) {
        let mut bwrap = Command::new("bwrap");
        bwrap.args([
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--uid",
            "4242",
            "--gid",
            "4242",
            "--clearenv",
        ]);
        bwrap.args(["--die-with-parent", "--ro-bind"]).arg(&self.program).arg("/brandctl");
        bwrap.arg(self.bind).arg(self.brand.path()).args(["/brand", "--chdir", "/brand"]);
        bwrap.args(&self.more).args(["--remount-ro", "/", "--", "/brandctl"]).args(line.split(' '));
        let output = bwrap.stdin(std::process::Stdio::null()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    #[track_caller]
    fn passes(&self, line: &str, expected: &str) {
        let (code, text) = self.run(line);
        assert!(code == Some(0) && text.contains(expected), "{line}: {code:?}\n{text}");
    }

    #[track_caller]
    fn fails(&self, line: &str, expected: &[&str]) {
        let (code, text) = self.run(line);
        assert_eq!(code, Some(1), "{line}\n{text}");
        expected.iter().for_each(|expected| assert!(text.contains(expected), "{line}: {expected}\n{text}"));
    }
}

/// The program out of the archive.
fn unpacked(folder: &Path) -> PathBuf {
    succeeds(Command::new("tar").arg("-xzf").arg(built().file("gnu.tar.gz")).arg("-C").arg(folder));
    folder.join(format!("brandctl-{}-{TARGET}/brandctl", env!("CARGO_PKG_VERSION")))
}

#[test]
fn every_artefact_leads_to_a_first_plan() {
    let folder = tempfile::tempdir().unwrap();
    let environment = Environment::new();
    assert!(environment.install(&built().file(".whl"), &[]).status.success());
    succeeds(Command::new("dpkg-deb").arg("-x").arg(built().file(".deb")).arg(folder.path().join("deb")));
    let programs =
        [unpacked(folder.path()), environment.path().join("bin/brandctl"), folder.path().join("deb/usr/bin/brandctl")];
    for program in programs {
        let machine = Machine::started(&program);
        machine.passes("validate", "Valid: 2 images.");
        machine.passes("plan --sandbox", "Plan: 2 to create, 0 to replace, 0 to delete.");
        machine.passes("doctor --sandbox", "Everything that apply needs works.");
        machine.passes("apply --sandbox --yes", "Applied 2 changes and read back.");
        machine.passes("plan --sandbox", "Nothing to do. 2 unchanged");
    }
}

#[test]
fn a_portal_is_reached_over_http_and_over_https_without_certificates_on_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let program = unpacked(folder.path());
    for protocol in [Protocol::Http, Protocol::Https] {
        let data = tempfile::tempdir().unwrap();
        let portal = start(Options { protocol, ..Options::new(data.path()) }).unwrap();
        let machine = Machine::started(&program).having(&["--setenv", "BITRIX24_WEBHOOK_URL", &portal.admin_webhook()]);
        let plan = "Plan: 2 to create, 0 to replace, 0 to delete.";
        if protocol == Protocol::Http {
            machine.passes("plan", plan);
            machine.passes("doctor", "Everything that apply needs works.");
        } else {
            let expected = ["is not trusted", "--ca-cert"];
            machine.fails("plan", &expected);
            machine.fails("doctor", &expected);
            let certificate = data.path().join("ca.pem");
            let machine = machine.having(&["--ro-bind", certificate.to_str().unwrap(), "/ca.pem"]);
            machine.passes("plan --ca-cert /ca.pem", plan);
            machine.having(&["--setenv", "SSL_CERT_FILE", "/ca.pem"]).passes("plan", plan);
        }
    }
}

#[test]
fn what_is_missing_is_named_with_the_way_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = unpacked(folder.path());
    let nothing = Machine::with(&program);
    nothing.fails("plan --sandbox", &["the manifest does not exist", "brandctl init"]);
    nothing.fails("validate", &["the manifest does not exist", "brandctl init"]);
    let machine = Machine::started(&program);
    for line in ["plan", "doctor", "apply --yes"] {
        machine.fails(line, &["no credentials", "set BITRIX24_WEBHOOK_URL", "--sandbox"]);
    }
    let offline =
        ["--unshare-net", "--setenv", "BITRIX24_WEBHOOK_URL", "https://acme.bitrix24.com/rest/1/abcdefgh12345678/"];
    let machine = machine.having(&offline);
    machine.fails("doctor", &["acme.bitrix24.com has no address", "check the portal's host and the network's DNS"]);
    machine.fails("plan --timeout 1", &["acme.bitrix24.com", "help: "]);
    machine.passes("plan --sandbox", "Plan: 2 to create");
}

#[test]
fn a_brand_that_cannot_be_written_can_be_planned_and_the_folder_for_the_rest_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let portal = start(Options::new(data.path())).unwrap();
    let mut machine = Machine::started(&unpacked(folder.path()));
    machine.bind = "--ro-bind";
    let machine = machine.having(&["--setenv", "BITRIX24_WEBHOOK_URL", &portal.admin_webhook(), "--tmpfs", "/state"]);
    machine.passes("validate", "Valid: 2 images.");
    machine.passes("plan", "Plan: 2 to create");
    let asked = "use --state-dir to name a writable folder";
    machine.fails("apply --yes", &["Read-only file system", asked]);
    machine.fails("plan --sandbox", &["Read-only file system", asked]);
    machine.fails("init other --ci none --owns acme-*", &["Read-only file system", "name a writable folder"]);
    machine.passes("plan --sandbox --state-dir /state", "Plan: 2 to create");
    machine.passes("apply --yes --state-dir /state", "Applied 2 changes and read back.");
    assert_eq!(
        fs::read_dir(machine.brand.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name() == ".brandctl")
            .count(),
        0
    );
}
