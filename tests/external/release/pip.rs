//! pip: it installs the wheel, and finds the wheel to install when it is given the source.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::built::{ROOT, built, command, kept, mirror, succeeds};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The environment with pre-commit and hadolint. It is installed once for each list of them.
pub(super) fn tools() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = kept("python");
        let list = Path::new(ROOT).join("tests/external/release/requirements.txt");
        let done = folder.join("installed");
        if fs::read(&done).unwrap_or_default() != fs::read(&list).unwrap() {
            succeeds(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
            let options = ["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-r"];
            succeeds(Command::new(folder.join("bin/pip")).args(options).arg(&list));
            fs::copy(&list, &done).unwrap();
        }
        folder
    })
}

/// An empty environment. The pip of `tools` installs into it, because a pip of its own takes seconds.
pub(super) struct Environment(tempfile::TempDir);

impl Environment {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        succeeds(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(folder.path()));
        Self(folder)
    }

    /// Installs without any index: what is needed must be there.
    pub(super) fn install(&self, what: &Path, variables: &[(&str, &str)]) -> Output {
        let mut pip = command(tools().join("bin/pip"));
        pip.arg("--python")
            .arg(self.0.path().join("bin/python"))
            .args(["install", "--no-index", "--no-cache-dir", "--disable-pip-version-check"])
            .arg(what);
        pip.envs(variables.iter().copied()).output().unwrap()
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    #[track_caller]
    fn has_brandctl(&self) {
        let printed = succeeds(Command::new(self.0.path().join("bin/brandctl")).arg("--version"));
        assert!(printed.contains(VERSION), "{printed}");
    }
}

#[track_caller]
fn refuses(output: &Output, why: &str) {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(!output.status.success() && text.contains(why), "{text}");
}

#[test]
fn the_wheel_installs_the_program_its_pages_and_its_completions() {
    let environment = Environment::new();
    let output = environment.install(&built().file(".whl"), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    environment.has_brandctl();
    for path in
        ["man/man1/brandctl-plan.1", "bash-completion/completions/brandctl", "fish/vendor_completions.d/brandctl.fish"]
    {
        assert!(environment.0.path().join("share").join(path).is_file(), "{path}");
    }
    let metadata = succeeds(
        Command::new(environment.0.path().join("bin/python"))
            .args(["-c", "from importlib.metadata import metadata as m; print(m('brandctl'))"]),
    );
    // Nothing there resolves a link relative to this repository.
    assert!(metadata.contains("brandctl keeps the custom icons") && !metadata.contains("]("), "{metadata}");
    assert!(metadata.contains("MIT OR Apache-2.0"), "{metadata}");
}

#[test]
fn the_wheel_serves_glibc_and_musl() {
    let wheel = built().file(".whl");
    let name = wheel.file_name().unwrap().to_str().unwrap();
    for tag in ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "musllinux_1_1_x86_64"] {
        assert!(name.contains(tag), "{name}");
    }
    // The one place from which the hook takes a release has this very name.
    let backend = fs::read_to_string(Path::new(ROOT).join("release/brandctl_backend.py")).unwrap();
    let tags = name.strip_prefix(&format!("brandctl-{VERSION}-py3-none-")).unwrap().strip_suffix(".whl").unwrap();
    assert!(backend.contains(&format!("TAGS = \"{tags}\"")), "{name}");
}

#[test]
fn the_source_takes_the_wheel_that_is_named() {
    let wheel = built().file(".whl");
    let environment = Environment::new();
    let output = environment.install(Path::new(ROOT), &[("BRANDCTL_WHEEL", wheel.to_str().unwrap())]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    environment.has_brandctl();
    let with = |value: &str| Environment::new().install(Path::new(ROOT), &[("BRANDCTL_WHEEL", value)]);
    refuses(&with(&format!("{}#sha256=0000", wheel.display())), "does not have the sum 0000");
    refuses(&with(wheel.file_name().unwrap().to_str().unwrap()), "neither an absolute path nor an https address");
    let insecure = format!("http://127.0.0.1:9/{}#sha256=00", wheel.file_name().unwrap().display());
    refuses(&with(&insecure), "neither an absolute path nor an https address");
    refuses(&with("/nowhere/brandctl-0.0.0-py3-none-any.whl"), "is not a wheel of brandctl");
}

/// A server over TLS on loopback for the files in a folder. It is stopped when it is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn of(folder: &Path, certificate: &Path, key: &Path) -> Self {
        let mut python = command("python3");
        python.arg(Path::new(ROOT).join("tests/external/release/serve.py")).args([folder, certificate, key]);
        let mut process = python.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { process, address: format!("https://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn the_source_takes_the_release_of_its_version_once_there_is_an_address() {
    let wheel = built().file(".whl");
    let bytes = fs::read(&wheel).unwrap();
    let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = tempfile::tempdir().unwrap();
    for (owner, sum) in [("good", sum), ("changed", "0".repeat(64)), ("absent", String::new())] {
        let release = folder.path().join(owner).join(format!("releases/download/v{VERSION}"));
        fs::create_dir_all(&release).unwrap();
        if !sum.is_empty() {
            let copy = release.join(wheel.file_name().unwrap());
            fs::write(&copy, &bytes).unwrap();
            fs::write(format!("{}.sha256", copy.display()), format!("{sum}  name\n")).unwrap();
        }
    }
    let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
    let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(&certificate, pair.cert.pem()).unwrap();
    fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    let server = Server::of(folder.path(), &certificate, &key);
    let source = tempfile::tempdir().unwrap();
    mirror(source.path());
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let with = |owner: &str| {
        let repository = format!("[package]\nrepository = \"{}/{owner}\"\n", server.address);
        fs::write(source.path().join("Cargo.toml"), manifest.replacen("[package]\n", &repository, 1)).unwrap();
        let environment = Environment::new();
        let output = environment.install(source.path(), &[("SSL_CERT_FILE", certificate.to_str().unwrap())]);
        (environment, output)
    };
    let (environment, output) = with("good");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    environment.has_brandctl();
    refuses(&with("changed").1, "does not have the sum 000");
    // A commit that was not released is compiled, by a tool that no index of this test has.
    refuses(&with("absent").1, "maturin==");
}

#[test]
fn the_source_names_the_compiler_that_it_needs_without_a_wheel() {
    refuses(&Environment::new().install(Path::new(ROOT), &[]), "maturin==");
    let pinned = fs::read_to_string(Path::new(ROOT).join("release/tools.txt")).unwrap();
    assert_eq!(pinned.matches("maturin==").count(), 1);
}
