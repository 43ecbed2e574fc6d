//! The binary: with an application's tokens, what it says, what it keeps, and what is left when it is killed; and with a
//! portal whose words are hostile.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::server::*;

const SECRETS: [&str; 5] = ["access-1", "access-2", "refresh-1", "refresh-2", "cl1entS3cr3t"];

/// A portal without entries and its token server. The token in the file has expired; `renewals` are answered in turn.
async fn portal(folder: &Path, renewals: Vec<Step>) -> Server {
    let mut renewals = renewals.into_iter();
    let server = Server::deciding(move |request| {
        if request.target().starts_with("/oauth/token/") {
            return renewals.next().unwrap_or(Step::Close);
        }
        match request.json()["auth"].as_str() {
            Some("access-2") => lists(&json!([]), &json!([]), [0, 0]),
            _ => error(401, "expired_token"),
        }
    })
    .await;
    std::fs::write(folder.join("brand.yaml"), "version: 1\nowns: [\"acme-*\"]\nicons: icons/\n").unwrap();
    std::fs::create_dir(folder.join("icons")).unwrap();
    std::fs::create_dir(folder.join("secret")).unwrap();
    let endpoint = format!("http://{}/rest/", server.address);
    let tokens = json!({
        "domain": "acme.bitrix24.com", "access_token": "access-1", "refresh_token": "refresh-1",
        "client_id": "local.1", "client_secret": "cl1entS3cr3t",
        "client_endpoint": endpoint, "server_endpoint": endpoint,
    });
    std::fs::write(folder.join("secret/oauth.json"), tokens.to_string()).unwrap();
    server
}

fn new_pair() -> Step {
    answer(200, &json!({"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3600}))
}

fn plan(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brandctl"));
    command.current_dir(folder).env_clear().env("BITRIX24_OAUTH_FILE", "secret/oauth.json");
    command.args(["plan", "-vv", "-o", "plan.json", "--timeout", "20"]).stdin(Stdio::null());
    command
}

fn tokens(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("secret/oauth.json")).unwrap()).unwrap()
}

/// Runs it to its end: the code, and both streams without a secret in them or in any file but the token file.
async fn run(folder: &Path) -> (Option<i32>, String) {
    let mut command = plan(folder);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let files: Vec<_> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file() && !entry.path().ends_with("secret/oauth.json"))
        .map(|entry| {
            (
                entry.path().display().to_string(),
                String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned(),
            )
        })
        .collect();
    assert!(!files.is_empty());
    for (place, text) in files.iter().chain([&("what was printed".to_owned(), text.clone())]) {
        for secret in SECRETS.iter().chain(&["grant_type"]) {
            assert!(!text.contains(secret), "{secret} in {place}: {text}");
        }
    }
    (output.status.code(), text)
}

#[tokio::test]
async fn the_source_is_named_and_the_tokens_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = portal(folder.path(), vec![new_pair()]).await;
    let (code, text) = run(folder.path()).await;
    assert_eq!(code, Some(0), "{text}");
    let source = format!("portal: {}, with the application of the file of BITRIX24_OAUTH_FILE", server.address);
    assert!(text.contains(&source) && text.contains("renewing the access token"), "{text}");
    assert_eq!(tokens(folder.path())["refresh_token"], "refresh-2");
}

#[tokio::test]
async fn what_a_token_server_repeats_is_not_told() {
    let page = "<html>cannot GET /oauth/token/?client_secret=cl1entS3cr3t&refresh_token=refresh-1</html>";
    let words = json!({"error": "invalid_grant", "error_description": "refresh-1 of cl1entS3cr3t is spent"});
    for refusal in [html(404, page), answer(400, &words)] {
        let folder = tempfile::tempdir().unwrap();
        let _server = portal(folder.path(), vec![refusal]).await;
        let (code, text) = run(folder.path()).await;
        assert!(code == Some(1) && text.contains("[secret]"), "{text}");
        assert_eq!(tokens(folder.path())["refresh_token"], "refresh-1");
    }
}

#[tokio::test]
async fn kill_9_in_the_middle_of_a_renewal_leaves_a_whole_file_and_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let server = portal(folder.path(), vec![Step::Silence, new_pair()]).await;
    let mut child = plan(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..400 {
        if server.requests().iter().any(|request| request.target().starts_with("/oauth/token/")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(server.asked(), 2, "it waits for the token server");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(tokens(folder.path())["refresh_token"], "refresh-1");
    // What is left beside it has no secret in it: `run` looks.
    let (code, text) = run(folder.path()).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(tokens(folder.path())["refresh_token"], "refresh-2");
}

#[tokio::test]
async fn processes_at_the_same_time_renew_once() {
    let folder = tempfile::tempdir().unwrap();
    let Step::Bytes(pair) = new_pair() else { panic!("an answer is bytes") };
    // A second renewal would get no answer.
    let server = portal(folder.path(), vec![Step::Late(Duration::from_millis(500), pair)]).await;
    let runs = (0..4).map(|index| {
        let mut command = plan(folder.path());
        command.args(["--state-dir", &format!("state-{index}")]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    });
    for run in futures_util::future::join_all(runs).await {
        let output = run.unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let renewals = server.requests().iter().filter(|request| request.target().starts_with("/oauth/token/")).count();
    assert_eq!(renewals, 1);
    assert_eq!(tokens(folder.path())["access_token"], "access-2");
}

/// Messages hold a portal's words raw: the code that prints them must escape them, and JSON gives them back as they
/// were.
#[tokio::test]
async fn a_hostile_portals_words_are_escaped_wherever_they_are_shown() {
    const HOSTILE: &str = "\u{1b}]0;title\u{7}\u{9b}31m it's \u{202e}der\u{200b} \u{ad}\u{e0041}\rred";
    for (status, code) in [(400, "NO_\u{1b}[2J\u{202e}SUCH"), (401, "NO_AUTH_FOUND"), (400, "invalid_grant")] {
        let folder = tempfile::tempdir().unwrap();
        let body = json!({"error": code, "error_description": format!("{HOSTILE}\nmore")});
        let page = format!("<html>{HOSTILE}</html>");
        let mut is_page = false;
        let server = Server::deciding(move |_| {
            is_page = !is_page && status == 401;
            if is_page { html(status, &page) } else { answer(status, &body) }
        })
        .await;
        drop(portal(folder.path(), Vec::new()).await);
        let webhook = format!("http://{}/rest/1/{SECRET}/", server.address);
        for line in ["plan", "drift", "list", "log get 7", "log delete 7", "export out", "doctor", "apply --yes"] {
            for format in ["human", "json"] {
                let mut command = Command::new(env!("CARGO_BIN_EXE_brandctl"));
                command.current_dir(folder.path()).env_clear().env("BITRIX24_WEBHOOK_URL", &webhook);
                command.args(line.split(' ')).args(["--format", format, "--timeout", "20", "-vv"]);
                command.stdin(Stdio::null());
                let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
                let streams = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
                let text = streams.concat();
                let moving = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{ad}\u{e0041}".contains(c);
                assert!(!text.contains(moving), "{line} {format}: {text:?}");
                assert!(text.contains("it's"), "{line} {format}: {text}");
                if format == "json" {
                    let parsed: Value = serde_json::from_str(&streams[0]).unwrap();
                    let raw = HOSTILE.trim();
                    assert!(holds(&parsed, raw), "{line}: {parsed:#}");
                } else {
                    assert!(text.contains("\\u{1b}]0;title\\u{7}\\u{9b}31m it's \\u{202e}der"), "{line}: {text}");
                }
            }
        }
    }
}

/// Whether some text in a JSON value holds this text.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(fields) => fields.values().any(|field| holds(field, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
