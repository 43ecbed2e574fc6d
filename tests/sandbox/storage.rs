//! What outlives the process.

use std::time::{Duration, Instant};

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
    let before = Instant::now();
    let list = portal.result("crm.timeline.icon.list", json!({})).await;
    assert_eq!(list["icons"].as_array().unwrap().len(), 10_049);
    let mut large = png(24, 0);
    large.resize(20_000_000, 7);
    portal.result("crm.timeline.icon.add", json!({ "code": "large", "fileContent": base64(&large) })).await;
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    let portal = portal.reopened();
    assert_eq!(portal.sandbox.entries()[10_000].content, large);
}
