//! What outlives the process.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::{Options, start};
use serde_json::json;

use super::common::{Portal, add, base64, delete, png, portal, portal_with};

#[tokio::test]
async fn state_and_identity_outlive_a_restart() {
    let portal = portal();
    let (id, path) = (portal.sandbox.id().to_owned(), portal.sandbox.admin_webhook());
    portal.batch(false, json!([add("a", 24, 1), add("b", 60, 2), delete("a"), add("A", 24, 3), add("a", 24, 4)])).await;
    let before = portal.sandbox.entries();
    let address = portal.sandbox.address().to_string();
    let portal = portal.reopened();
    assert_eq!((portal.sandbox.entries(), portal.sandbox.orphans()), (before.clone(), 1));
    assert_eq!(portal.sandbox.id(), id);
    assert_eq!(portal.sandbox.admin_webhook(), path.replace(&address, &portal.sandbox.address().to_string()));
    assert_eq!(portal.download(&before[0].file_uri).await, (200, png(24, 3)));
    let other = portal_with(|_| {});
    assert_ne!(other.sandbox.id(), id);
}

#[tokio::test]
async fn a_torn_end_of_the_log_is_forgotten() {
    let portal = portal();
    portal.batch(false, json!([add("a", 24, 1), add("b", 24, 2)])).await;
    let Portal { sandbox, client, folder } = portal;
    sandbox.stop();
    let log = folder.path().join("log.jsonl");
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, &whole[..whole.len() - 9]).unwrap();
    let portal = Portal { sandbox: start(Options::new(folder.path())).unwrap(), client, folder };
    assert_eq!(portal.codes(), ["icon/a"]);
    portal.batch(false, json!([add("c", 24, 3)])).await;
    assert_eq!(portal.reopened().codes(), ["icon/a", "icon/c"]);
}

#[tokio::test]
async fn ten_thousand_entries_and_a_body_of_many_megabytes() {
    let portal = portal();
    for code in 0..10_000 {
        portal.sandbox.seed(Kind::Icon, &format!("acme-{code}"), &png(24, 0)).unwrap();
    }
    let list = portal.result("crm.timeline.icon.list", json!({})).await;
    assert_eq!(list["icons"].as_array().unwrap().len(), 10_050);
    let mut large = png(24, 0);
    large.resize(20_000_000, 7);
    portal.result("crm.timeline.icon.add", json!({ "code": "large", "fileContent": base64(&large) })).await;
    let portal = portal.reopened();
    assert_eq!(portal.sandbox.entries()[10_000].content, large);
}

/// Says to the process that [`a_full_disk_leaves_nothing_half_written`] starts that it is that process.
#[cfg(unix)]
const FULL_DISK: &str = "BRANDCTL_TEST_FULL_DISK";

/// The disk is "full" when the log is as long as a file of the process may be: what is written past that is torn, as it is
/// on a disk. A limit holds for a whole process, so the test starts itself once more.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_leaves_nothing_half_written() {
    if let Some(folder) = std::env::var_os(FULL_DISK) {
        return fill(folder.into()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "sandbox::storage::a_full_disk_leaves_nothing_half_written";
    // 16 blocks of 512 bytes; without the signal the write fails, as it does on a disk.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" --exact \"$1\" --test-threads 1";
    let output = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(FULL_DISK, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let sandbox = start(Options::new(folder.path())).unwrap();
    let codes: Vec<_> = sandbox.entries().into_iter().map(|entry| entry.code).collect();
    assert_eq!(codes, ["0", "small"], "what was refused is not there, what came later is");
}

/// Adds until the disk is full, then something that still fits.
#[cfg(unix)]
async fn fill(folder: std::path::PathBuf) {
    let mut options = Options::new(folder);
    options.limits = None;
    let sandbox = start(options).unwrap();
    let client = super::common::client();
    let url = sandbox.admin_webhook() + "crm.timeline.icon.add";
    let large = base64(&[png(24, 0), vec![7; 4000]].concat());
    let mut errors = Vec::new();
    for (code, content) in [("0", &large), ("1", &large), ("2", &large), ("small", &base64(&png(24, 0)))] {
        let request = client.post(&url).json(&json!({ "code": code, "fileContent": content }));
        let answer: serde_json::Value =
            serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        errors.push(answer["error"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(errors, ["", "FILE_SAVE_ERROR", "FILE_SAVE_ERROR", ""]);
    let wrote: Vec<_> = sandbox.requests().iter().map(|request| request.wrote).collect();
    assert_eq!(wrote, [true, false, false, true]);
}
