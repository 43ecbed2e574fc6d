//! The leaky bucket.

use std::time::Duration;

use brandctl::sandbox::Bucket;
use serde_json::json;

use super::common::{base64, is, png, portal_with, refusal};

#[tokio::test]
async fn the_bucket_refuses_without_effect_and_leaks() {
    let portal = portal_with(|options| options.limits = Some(Bucket { rate_per_second: 2.0, burst: 3 }));
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
