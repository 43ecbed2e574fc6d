//! `brandctl sandbox` as a process: what it prints, what it survives, and `brandctl` against it by webhook.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brandctl::domain::asset::Kind;
use serde_json::{Value, json};

use crate::common::{Brand, art, command, timeless};

/// A running `brandctl sandbox`, killed at the end.
struct Server {
    child: Child,
    /// What it printed at its start.
    welcome: Value,
}

impl Server {
    fn start(folder: &Path, line: &str) -> Self {
        Self::of(folder, line.split_whitespace())
    }

    fn failing(folder: &Path, line: &str, faults: &str) -> Self {
        Self::of(folder, line.split_whitespace().chain(["--faults", faults]))
    }

    fn of<'a>(folder: &Path, arguments: impl Iterator<Item = &'a str>) -> Self {
        let arguments: Vec<_> = arguments.collect();
        let mut command = command(folder);
        command.args(["sandbox", "--format", "json"]).args(&arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.as_mut().unwrap();
        let welcome = serde_json::Deserializer::from_reader(stdout).into_iter().next();
        let Some(Ok(welcome)) = welcome else {
            let mut told = String::new();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("it printed no JSON: {told}");
        };
        Self { child, welcome }
    }

    fn webhook(&self, role: &str) -> String {
        let webhooks = self.welcome["webhooks"].as_array().unwrap();
        webhooks.iter().find(|webhook| webhook["role"] == role).unwrap()["url"].as_str().unwrap().to_owned()
    }

    fn admin(&self) -> String {
        self.webhook("administrator")
    }

    fn page(&self) -> &str {
        self.welcome["page"].as_str().unwrap()
    }

    /// `127.0.0.1:8024`, say.
    fn address(&self) -> String {
        self.page().split('/').nth(2).unwrap().to_owned()
    }

    /// Sends a signal, waits for the end, and gives its exit code and what it said.
    #[cfg(unix)]
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let code = self.child.wait().unwrap().code();
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (code, told)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn client() -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn call(client: &reqwest::Client, url: String, parameters: Value) -> reqwest::Result<(u16, Value)> {
    let answer = client.post(url).json(&parameters).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// The custom codes of a list, each with its path.
async fn listed(client: &reqwest::Client, webhook: &str, kind: Kind) -> BTreeMap<String, String> {
    let url = format!("{webhook}crm.timeline.{}.list", kind.name());
    let (_, answer) = call(client, url, json!({})).await.unwrap();
    let entries = answer["result"][kind.plural()].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries
        .iter()
        .filter(|entry| entry["isSystem"] == false)
        .map(|entry| (text(&entry["code"]), text(&entry["fileUri"])))
        .collect()
}

/// Runs `brandctl` against it.
fn brandctl(brand: &Brand, server: &Server, line: &str) -> (i32, String) {
    let output =
        command(brand.folder.path()).args(line.split_whitespace()).env("BITRIX24_WEBHOOK_URL", server.admin()).output();
    let output = output.unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    let secret = server.admin().trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    assert!(!text.contains(&secret), "{text}");
    (output.status.code().unwrap(), text)
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_and_a_restart_has_the_same_webhooks() {
    let folder = tempfile::tempdir().unwrap();
    let first = Server::start(folder.path(), "--data portal");
    let (welcome, address) = (first.welcome.clone(), first.address());
    assert!(welcome["data"].as_str().unwrap().ends_with("/portal") && welcome["ca_cert"].is_null(), "{welcome}");
    assert_eq!(welcome["webhooks"][0]["role"], "administrator");
    let (code, told) = first.end("-INT");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.ends_with("ended; its data stays in its folder\n"), "{told}");
    let second = Server::start(folder.path(), &format!("--data portal --listen {address}"));
    assert_eq!(timeless(&second.welcome), timeless(&welcome));
    assert_eq!(second.end("-TERM").0, Some(0));
}

#[cfg(unix)]
#[test]
fn what_it_prints_can_be_pasted_into_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let mut started = command(folder.path());
    started.args(["sandbox", "--listen", "127.0.0.1:0", "--tls", "--data", "it's $HOME"]);
    let mut child = started.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut printed = String::new();
    let mut byte = [0];
    let stdout = child.stdout.as_mut().unwrap();
    while !printed.contains("NODE_EXTRA_CA_CERTS='") || !printed.ends_with('\n') {
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "it ended after {printed}");
        printed.push(char::from(byte[0]));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let script =
        format!("{printed}\necho \"$BITRIX24_WEBHOOK_URL\"; cat \"$REQUESTS_CA_BUNDLE\" \"$NODE_EXTRA_CA_CERTS\"");
    let output = Command::new("sh")
        .args(["-eu", "-c", &script])
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{printed}\n{:?}", output.stderr);
    assert!(told.starts_with("https://127.0.0.1:") && told.contains("/rest/1/"), "{told}");
    assert_eq!(told.matches("BEGIN CERTIFICATE").count(), 2, "{told}");
    let second: Vec<_> = printed.lines().filter(|line| line.contains("/rest/2/")).collect();
    assert!(second.len() == 1 && second[0].starts_with("# export BITRIX24_WEBHOOK_URL="), "{printed}");
}

#[test]
fn what_keeps_the_sandbox_of_a_command_from_starting_is_explained_with_its_own_options() {
    let brand = Brand::new();
    std::fs::write(brand.path("file"), "").unwrap();
    let running = Server::start(brand.folder.path(), "--data taken");
    for (line, expected) in [
        ("plan --sandbox --state-dir file/state", "; use --state-dir to name a writable folder"),
        ("plan --sandbox=file", "; use --sandbox=DIR to name a writable folder"),
        ("plan --sandbox=taken", "; end that one, or use --sandbox=DIR to name another folder"),
    ] {
        let output = command(brand.folder.path()).args(line.split(' ')).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && stderr.contains(expected), "{line}: {stderr}");
    }
    drop(running);
}

#[test]
fn what_keeps_it_from_starting_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let running = Server::start(folder.path(), "--data taken");
    std::fs::write(folder.path().join("file"), "").unwrap();
    std::fs::write(folder.path().join("faults"), "# one\nany drop-aftr\n").unwrap();
    std::fs::write(folder.path().join("empty"), "# one\n").unwrap();
    let address = running.address();
    let cases: [(Vec<&str>, &str); 18] = [
        (vec!["--data", "new", "--listen", &address], "; use --listen to name another address"),
        (vec!["--data", "taken"], "taken is in use by another sandbox; end that one"),
        (vec!["--data", "file"], "; use --data to name a writable folder"),
        (vec!["--listen", "nowhere"], "'--listen <ADDRESS:PORT>'"),
        (vec!["--faults", "any drop-aftr"], "--faults:1:5: `drop-aftr` is not an action; did you mean `drop-after`?"),
        (vec!["--faults", "faults"], "faults:2:5: `drop-aftr` is not an action"),
        (vec!["--faults", "empty"], "empty has no rules"),
        (vec!["--faults", ""], "--faults has no rules"),
        (vec!["--faults", "no/such/file"], "there is no file no/such/file for --faults"),
        (vec!["--faults", "failures.txt"], "there is no file failures.txt for --faults"),
        (vec!["--faults", "."], "the file of --faults, ., cannot be read"),
        (vec!["--faults", "any \u{1b}[31m\u{202e}'x"], "--faults:1:5: `\\u{1b}[31m\\u{202e}'x` is not an action"),
        (vec!["--faults", "any \"\\u001b[2J\""], "--faults:1:5: `\\u{1b}[2J` is not an action"),
        (vec!["--faults", "no\u{9b}31m"], "there is no file no\\u{9b}31m for --faults"),
        (vec!["--rate", "0"], "give a number above 0"),
        (vec!["--burst", "0"], "0 is not in 1.."),
        (vec!["--no-limits", "--burst", "5"], "cannot be used with"),
        (vec!["--sandbox"], "--sandbox is for the other commands"),
    ];
    for (arguments, told) in cases {
        let mut command = command(folder.path());
        command.arg("sandbox").args(&arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(1), b"".as_slice()),
            "{arguments:?}: {stderr}"
        );
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
        assert!(stderr.chars().all(|c| c == '\n' || brandctl::text::is_plain(c)), "{arguments:?}: {stderr:?}");
    }
}

#[test]
fn it_is_the_portal_of_the_other_commands() {
    let brand = Brand::new().declares("icon/acme-call", 1).declares("logo/acme-brand", 2);
    brand.run(["apply", "--yes", "--sandbox", "--settle", "0.1"]).ends_with(0);
    let server = Server::start(brand.folder.path(), "");
    let (code, told) = brandctl(&brand, &server, "plan --detailed-exitcode");
    assert_eq!(code, 0, "{told}");
    brand.draw("icon/acme-call", &art(Kind::Icon, 3));
    let (code, told) = brandctl(&brand, &server, "apply --yes --settle 0.1");
    assert_eq!(code, 0, "{told}");
    let client = client();
    let page = run(async {
        let answer = client.get(server.page()).send().await.unwrap();
        assert_eq!(answer.headers()["content-security-policy"], "frame-ancestors 'none'");
        answer.text().await.unwrap()
    });
    // What a header need not say, the page says itself.
    assert!(page.contains("default-src 'none'; img-src data:; ") && page.contains("script-src 'sha256-"), "{page}");
    assert!(page.contains("<code>acme-call</code>") && page.contains("<code>acme-brand</code>"), "{page}");
    drop(server);
    brand.run(["plan", "--sandbox", "--detailed-exitcode"]).ends_with(0);
}

#[test]
fn its_limits_can_be_set_and_switched_off() {
    let statuses = |arguments: &str| {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), arguments);
        let (client, mut seen) = (client(), Vec::new());
        run(async {
            for _ in 0..60 {
                seen.push(call(&client, server.admin() + "scope", json!({})).await.unwrap().0);
            }
        });
        seen.iter().take_while(|status| **status == 200).count()
    };
    // Slow enough that nothing leaks while this test runs.
    assert_eq!(statuses("--rate 0.001 --burst 3"), 3);
    assert_eq!(statuses("--rate 0.001"), 50);
    assert_eq!(statuses("--no-limits"), 60);
}

#[test]
fn scripted_failures_meet_plan_and_apply() {
    let brand = || Brand::new().declares("icon/acme-new", 1).declares("icon/acme-other", 2);
    let apply = "apply --yes --settle 0.1 --rps 1000";
    for spec in [
        "write 1 drop-after",
        "write 1 drop-during; write 1 delay 200ms",
        "write 1 cut 1 unanswered",
        "write 1 error-after 500 INTERNAL_SERVER_ERROR",
        "any 1 rate-limited 1; any 3 html 502",
        "write no-batch",
        "write no-inner *.add",
        "download 30%@3 html 502",
    ] {
        let brand = brand();
        brand.rewrite("version: 1\nowns: [\"acme-*\"]\nicons: icons/\n");
        std::fs::write(brand.path("faults.txt"), format!("# what goes wrong\n{}\n", spec.replace("; ", "\n"))).unwrap();
        let server = Server::start(brand.folder.path(), "--no-limits --data portal --faults faults.txt");
        let (code, told) = brandctl(&brand, &server, apply);
        assert_eq!(code, 0, "{spec}: {told}");
        // What was not answered may be carried out for so long.
        std::thread::sleep(Duration::from_millis(150));
        let (code, told) = brandctl(&brand, &server, "plan --detailed-exitcode --settle 0.1");
        assert_eq!(code, 0, "{spec}: {told}");
    }
    for (spec, line, exit, message) in [
        ("any expired-token", "plan", 1, "expired_token"),
        ("any overload", "plan", 1, "OVERLOAD_LIMIT"),
        ("any 1 disk-full", apply, 1, "FILE_SAVE_ERROR"),
        ("any 1 refuse *.add 400 ACCESS_DENIED", apply, 1, "ACCESS_DENIED"),
    ] {
        let brand = brand();
        let server = Server::failing(brand.folder.path(), "--data portal", spec);
        let (code, told) = brandctl(&brand, &server, line);
        assert!(code == exit && told.contains(message), "{spec}: {code}, {told}");
    }
}

/// The examples of the help are scripts that can be read.
#[test]
fn the_failures_of_the_help_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let help = command(folder.path()).args(["sandbox", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let specs: Vec<_> =
        help.lines().filter_map(|line| line.trim().strip_prefix("--faults '")?.strip_suffix('\'')).collect();
    assert_eq!(specs.len(), 3, "{help}");
    for spec in specs {
        let faults: brandctl::sandbox::Faults = spec.parse().unwrap_or_else(|error| panic!("{spec}: {error}"));
        assert!(!faults.rules.is_empty());
    }
    let list = "status, status-after, error, error-after, html, html-after, delay, drop-before, drop-after, drop-during, truncate, tear, empty, cut, refuse, no-batch, no-inner, rate-limited, time-limit, overload, expired-token, disk-full";
    for action in list.split(", ") {
        assert!(help.contains(action), "the help does not tell of {action}");
    }
}

#[cfg(unix)]
#[test]
fn verbose_logs_every_request_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::failing(folder.path(), "-vv --data portal", "scope drop-after");
    let (admin, client) = (server.admin(), client());
    let secret = admin.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    run(async {
        call(&client, format!("{admin}profile"), json!({})).await.unwrap();
        call(&client, format!("{admin}profile?auth={secret}"), json!({ "auth": secret })).await.unwrap();
        // Where the secret is in the wrong place.
        call(&client, admin.replace("/1/", "/"), json!({})).await.unwrap();
        assert!(call(&client, format!("{admin}scope"), json!({})).await.is_err());
        client.get(format!("{}{secret}", server.page())).send().await.unwrap();
    });
    let (code, told) = server.end("-TERM");
    assert_eq!(code, Some(0));
    for line in [
        "method=profile status=200",
        "an unknown method status=404",
        "method=scope seconds=",
        "an unknown path status=404",
    ] {
        assert!(told.contains(line), "{line} is not in:\n{told}");
    }
    assert!(!told.contains(&secret), "{told}");
}

/// Clients write while it is killed: what was acknowledged is there afterwards, and everything that is there is whole.
#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    const WRITERS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "--data portal --no-limits");
    let (address, admin) = (server.address(), server.admin());
    let acknowledged = Mutex::new(Vec::new());
    let content = |code: &str| [art(Kind::Icon, 1), code.as_bytes().to_vec()].concat();
    for round in 0..4 {
        let before = acknowledged.lock().unwrap().len();
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (admin, acknowledged) = (&admin, &acknowledged);
                scope.spawn(move || {
                    run(async {
                        let client = client();
                        for number in 0.. {
                            let code = format!("acme-{round}-{writer}-{number}");
                            let parameters = json!({ "code": code, "fileContent": STANDARD.encode(content(&code)) });
                            match call(&client, format!("{admin}crm.timeline.icon.add"), parameters).await {
                                Ok((200, _)) => acknowledged.lock().unwrap().push(code),
                                Ok(other) => panic!("{other:?}"),
                                // It was killed.
                                Err(_) => return,
                            }
                        }
                    });
                });
            }
            while acknowledged.lock().unwrap().len() < before + 40 * (round + 1) {
                std::thread::sleep(Duration::from_millis(1));
            }
            server.child.kill().unwrap();
            server.child.wait().unwrap();
        });
        server = Server::start(folder.path(), &format!("--data portal --no-limits --listen {address}"));
        assert_eq!(server.admin(), admin);
        run(async {
            let client = client();
            let listed = listed(&client, &admin, Kind::Icon).await;
            let known = acknowledged.lock().unwrap().clone();
            for code in &known {
                assert!(listed.contains_key(code), "{code} was acknowledged and is gone");
            }
            assert!(listed.len() <= known.len() + WRITERS * (round + 1), "more than was ever sent");
            for (code, path) in &listed {
                let url = format!("http://{address}{path}");
                let bytes = client.get(url).send().await.unwrap().bytes().await.unwrap();
                assert_eq!(bytes, content(code), "{code}");
            }
        });
    }
}
