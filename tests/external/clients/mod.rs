//! Other people's clients, as their registries have them, against `brandctl sandbox`: what they can do with it is what
//! they could do with a portal. Each script goes through the same story and prints the answers that it got.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/external/clients");

/// The answers that every client must get.
fn story() -> Value {
    json!({
        "system": [50, 41],
        "added": [false, false],
        "duplicate": "BX_INVALID_VALUE",
        "got": ["sdk+icon", "sdk+logo"],
        "log": "Title & co",
        "entries": 1,
        "undeletable": "REMOVING_DISABLED",
        "batch": ["sdk+icon", "sdk+logo", "Ünï=code"],
        "deleted": [true, true],
        "gone": "NOT_FOUND",
    })
}

/// A `brandctl sandbox` that is stopped when it is dropped.
struct Portal {
    process: Child,
    webhook: String,
    ca_cert: Option<PathBuf>,
    _data: tempfile::TempDir,
}

impl Portal {
    fn start(options: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_brandctl"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--format", "json", "--data"])
            .arg(data.path())
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let told = serde_json::Deserializer::from_reader(BufReader::new(process.stdout.take().unwrap()))
            .into_iter::<Value>()
            .next()
            .unwrap()
            .unwrap();
        let webhook = told["webhooks"][0]["url"].as_str().unwrap().to_owned();
        let ca_cert = told["ca_cert"].as_str().map(PathBuf::from);
        Self { process, webhook, ca_cert, _data: data }
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Where the clients are; the first test that asks installs them.
fn clients() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
        let status = Command::new(format!("{HERE}/install")).arg(&into).status().unwrap();
        assert!(
            status.success(),
            "tests/external/clients/install needs python3 with venv, and a way to the registries"
        );
        into
    })
}

/// Runs a script against a portal and gives what it printed.
fn drive(script: &str, portal: &Portal) -> Value {
    let clients = clients();
    let interpreter = if script.ends_with(".py") { "python3" } else { "node" };
    // Node looks for packages beside the script.
    for name in [script, "story.mjs"] {
        std::fs::copy(Path::new(HERE).join(name), clients.join(name)).unwrap();
    }
    let art = |kind: &str, name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme").join(kind).join(name);
        STANDARD.encode(std::fs::read(path).unwrap())
    };
    let mut command = Command::new(clients.join("bin").join(interpreter));
    command
        .arg(clients.join(script))
        .arg(&portal.webhook)
        .arg(art("icons", "acme-call.png"))
        .arg(art("logos", "acme-brand.png"));
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    if let Some(path) = &portal.ca_cert {
        command.env("REQUESTS_CA_BUNDLE", path).env("NODE_EXTRA_CA_CERTS", path);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{script} printed no JSON: {error}"))
}

#[test]
fn b24pysdk_works_over_tls() {
    assert_eq!(drive("with_b24pysdk.py", &Portal::start(&["--tls"])), story());
}

#[test]
fn b24jssdk_works_over_tls() {
    assert_eq!(drive("with_b24jssdk.mjs", &Portal::start(&["--tls"])), story());
}

#[test]
fn fast_bitrix24_works_over_http() {
    assert_eq!(drive("with_fast_bitrix24.py", &Portal::start(&[])), story());
}

#[test]
fn bitrix_works_over_http() {
    assert_eq!(drive("with_bitrix.mjs", &Portal::start(&[])), story());
}
