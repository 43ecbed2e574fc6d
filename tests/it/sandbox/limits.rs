//! The leaky bucket, and the limit on method time.

use std::time::Duration;

use brandctl::sandbox::{Latency, Operating, RateLimit};
use serde_json::json;

use super::common::{base64, is, png, portal_with, refusal};

#[tokio::test]
async fn the_bucket_refuses_without_effect_and_leaks() {
    let portal = portal_with(|options| options.limits = Some(RateLimit { rate_per_second: 2.0, burst: 3 }));
    let mut refused = Vec::new();
    for code in 0..6 {
        let parameters = json!({ "code": code.to_string(), "fileContent": base64(&png(24, 0)) });
        let (status, answer) = portal.call("crm.timeline.icon.add", parameters).await;
        if status != 200 {
            refused.push(refusal(status, &answer));
        }
    }
    assert!((1..=3).contains(&refused.len()), "{refused:?}");
    assert_eq!(refused[0], is(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"));
    assert_eq!(portal.codes().len(), 6 - refused.len());
    let uri = portal.sandbox.entries()[0].file_uri.clone();
    for _ in 0..5 {
        assert_eq!(portal.download(&uri).await.0, 200, "downloads do not count");
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    let commands: Vec<_> = (0..50).map(|_| "user.admin").collect();
    assert_eq!(
        portal.batch(false, json!(commands)).await["result"].as_array().unwrap().len(),
        50,
        "a batch is one request"
    );
}

#[tokio::test]
async fn method_time_blocks_a_method_until_its_window_ends() {
    // Without a bucket: the two limits have nothing to do with each other.
    let (limit, window, cost) = (Duration::from_secs(30), Duration::from_secs(5), Duration::from_secs(10));
    let portal = portal_with(|options| {
        options.operating = Some(Operating { limit, window, parts: 1, cost, ..Operating::default() })
    });
    let mut reset_at = 0;
    for cost in [10.0, 20.0, 30.0] {
        let (status, answer) = portal.call("user.admin", json!({})).await;
        let operating = answer["time"]["operating"].as_f64().unwrap();
        assert!(status == 200 && (cost..cost + 1.0).contains(&operating), "{answer}");
        reset_at = answer["time"]["operating_reset_at"].as_i64().unwrap();
    }
    let text = "Method is blocked due to operation time limit.";
    assert_eq!(portal.refused("user.admin", json!({})).await, is(429, "OPERATION_TIME_LIMIT", text));
    let batch = portal.batch(false, json!({ "a": "scope", "b": "user.admin" })).await;
    assert_eq!(batch["result"], json!({ "a": ["crm"] }));
    assert_eq!(batch["result_error"]["b"], json!({ "error": "OPERATION_TIME_LIMIT", "error_description": text }));
    assert!(batch["result_time"]["a"]["operating"].as_f64().unwrap() >= 10.0);
    let left = jiff::Timestamp::from_second(reset_at).unwrap().duration_since(jiff::Timestamp::now());
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
    let (status, answer) = portal.call("user.admin", json!({})).await;
    assert_eq!(status, 200, "at the time that was told: {answer}");
    assert!((10.0..11.0).contains(&answer["time"]["operating"].as_f64().unwrap()));
    assert!(answer["time"]["operating_reset_at"].as_i64().unwrap() > reset_at);
}

/// What somebody else used is reported, and is free again at its own time.
#[tokio::test]
async fn one_reset_may_not_free_enough_method_time() {
    let limit = Duration::from_secs(30);
    let portal = portal_with(|options| options.operating = Some(Operating { limit, ..Operating::default() }));
    portal.sandbox.spend_method_time("user.admin", 5.0, Duration::from_secs(2));
    portal.sandbox.spend_method_time("user.admin", 25.0, Duration::from_secs(4));
    portal.sandbox.spend_method_time("scope", 29.0, Duration::from_secs(4));
    assert_eq!(portal.call("user.admin", json!({})).await.0, 429);
    let (status, answer) = portal.call("scope", json!({})).await;
    let time = &answer["time"];
    let left = time["operating_reset_at"].as_f64().unwrap() - time["finish"].as_f64().unwrap();
    assert!(status == 200 && time["operating"].as_f64().unwrap() >= 29.0 && (2.0..=4.0).contains(&left), "{answer}");
    let mut operating = Vec::new();
    while operating.last() != Some(&0) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (status, answer) = portal.call("user.admin", json!({})).await;
        let used = answer["time"]["operating"].as_f64().map_or(30, |used| used as u64);
        assert_eq!(status == 429, used == 30, "{answer}");
        if operating.last() != Some(&used) {
            operating.push(used);
        }
    }
    assert_eq!(operating, [30, 25, 0]);
}

#[tokio::test]
async fn method_time_has_the_portals_limit_and_can_be_off() {
    let usual = Operating::default();
    assert_eq!((usual.limit.as_secs(), usual.window.as_secs(), usual.parts, usual.cost.as_secs()), (480, 600, 10, 0));
    let cost = Duration::from_secs(240);
    let portal = portal_with(|options| options.operating = Some(Operating { cost, ..usual }));
    let commands = json!(["scope", "scope", "scope"]);
    assert_eq!(portal.batch(false, commands.clone()).await["result_error"]["2"]["error"], "OPERATION_TIME_LIMIT");
    let portal = portal_with(|options| options.operating = None);
    assert_eq!(portal.batch(false, commands).await["result_error"], json!([]));
}

#[tokio::test]
async fn time_tells_what_a_method_took() {
    let latency = Latency { per_request: Duration::ZERO, per_command: Duration::from_millis(30) };
    let portal = portal_with(|options| options.latency = latency);
    let operating = async || {
        let (_, answer) = portal.call("scope", json!({})).await;
        let time = &answer["time"];
        assert!(time["duration"].as_f64().unwrap() >= 0.03, "{time}");
        let window = time["operating_reset_at"].as_f64().unwrap() - time["start"].as_f64().unwrap();
        assert!((590.0..=600.0).contains(&window), "{time}");
        time["operating"].as_f64().unwrap()
    };
    let first = operating().await;
    assert!(first >= 0.03 && operating().await >= first + 0.03, "it adds up");
}
