//! Applications: their files, their tokens, and the refresh.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use brandctl::sandbox::{Options, SandboxError, start};
use serde_json::{Value, json};

use super::common::{Portal, client, is, portal, portal_with, refusal};

const KEYS: [&str; 7] =
    ["domain", "access_token", "refresh_token", "client_id", "client_secret", "client_endpoint", "server_endpoint"];

/// The query of a refresh with what a file holds.
fn query(app: &Value) -> Vec<(&'static str, String)> {
    let of = |name: &str| app[name].as_str().unwrap().to_owned();
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", of("client_id")),
        ("client_secret", of("client_secret")),
        ("refresh_token", of("refresh_token")),
    ]
}

impl Portal {
    async fn refresh(&self, query: &[(&str, String)]) -> (u16, Value) {
        let url = format!("http://{}/oauth/token/", self.sandbox.address());
        let url = reqwest::Url::parse_with_params(&url, query).unwrap();
        let answer = self.client.get(url).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    async fn with_token(&self, method: &str, token: &Value) -> (u16, Value) {
        self.at(&self.rest(method), json!({ "auth": token })).await
    }

    /// Another start on the same folder, at the same address or at another.
    fn restarted(self, same_address: bool) -> Self {
        let Self { sandbox, folder, .. } = self;
        let address = sandbox.address();
        sandbox.stop();
        let mut options = Options::new(folder.path());
        options.listen = if same_address { address } else { SocketAddr::from(([127, 0, 0, 1], 0)) };
        // Meanwhile another test may have been given the port: it is had again when that one ends.
        let begun = Instant::now();
        let sandbox = loop {
            match start(options.clone()) {
                Err(SandboxError::Listen { .. }) if begun.elapsed() < Duration::from_secs(60) => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                started => break started.unwrap(),
            }
        };
        Self { sandbox, client: client(), folder }
    }
}

#[tokio::test]
async fn a_file_says_all_that_a_client_needs() {
    let portal = portal();
    let app = portal.app();
    assert_eq!(app.as_object().unwrap().keys().collect::<Vec<_>>(), KEYS);
    let address = portal.sandbox.address().to_string();
    assert_eq!(app["domain"], address);
    assert_eq!((&app["client_endpoint"], &app["server_endpoint"]), (&json!(portal.rest("")), &json!(portal.rest(""))));
    let id: Vec<_> = app["client_id"].as_str().unwrap().split('.').collect();
    assert_eq!((id[0], id[1].len(), id[2].len()), ("local", 14, 8));
    assert!(u64::from_str_radix(id[1], 16).is_ok() && id[2].parse::<u64>().is_ok());
    #[cfg(unix)]
    for file in
        [portal.sandbox.oauth_file(), portal.sandbox.other_oauth_file(), portal.folder.path().join("tokens.json")]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_token_can_come_in_every_way() {
    let portal = portal();
    let token = portal.app()["access_token"].as_str().unwrap().to_owned();
    let url = portal.rest("User.Admin.json");
    let requests = [
        portal.client.get(format!("{url}?auth={token}")),
        portal.client.post(format!("{url}/?auth={token}")).json(&json!({})),
        portal.client.post(&url).form(&[("auth", &token)]),
        portal.client.post(&url).json(&json!({ "auth": token })),
        portal.client.get(&url).header("authorization", format!("Bearer {token}")),
        portal.client.post(&url).header("Authorization", format!("bearer {token}")).json(&json!({ "auth": null })),
    ];
    for (number, request) in requests.into_iter().enumerate() {
        let answer: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        assert_eq!(answer["result"], true, "{number}: {answer}");
    }
    assert!(portal.sandbox.requests().iter().all(|request| request.user == Some(1)));
    let (_, answer) = portal.at(&portal.rest("batch"), json!({ "auth": token, "cmd": ["scope"] })).await;
    assert_eq!(answer["result"]["result"], json!([["crm"]]));
    let no_auth = is(401, "NO_AUTH_FOUND", "Wrong authorization data");
    for auth in [json!("unknown"), json!(""), json!(7), Value::Null] {
        let (status, answer) = portal.with_token("scope", &auth).await;
        assert_eq!(refusal(status, &answer), no_auth, "{auth}");
    }
    let basic = portal.client.get(portal.rest("scope")).header("authorization", format!("Basic {token}"));
    assert_eq!(basic.send().await.unwrap().status(), 401);
    let (status, answer) = portal.with_token("no.such", &Value::Null).await;
    assert_eq!(refusal(status, &answer).1, "ERROR_METHOD_NOT_FOUND", "the method comes before the token");
}

#[tokio::test]
async fn a_refresh_makes_a_new_pair() {
    let portal = portal();
    let old = portal.app();
    portal.sandbox.expire_access_tokens();
    let expired = is(401, "expired_token", "The access token provided has expired.");
    let (status, answer) = portal.with_token("scope", &old["access_token"]).await;
    assert_eq!(refusal(status, &answer), expired);
    let before = jiff::Timestamp::now().as_second();
    let (status, new) = portal.refresh(&query(&old)).await;
    assert_eq!(status, 200, "{new}");
    let keys = [
        "access_token",
        "expires",
        "expires_in",
        "scope",
        "domain",
        "server_endpoint",
        "status",
        "client_endpoint",
        "member_id",
        "user_id",
        "refresh_token",
    ];
    assert_eq!(new.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    assert_eq!((&new["expires_in"], &new["scope"], &new["user_id"]), (&json!(3600), &json!("crm"), &json!(1)));
    assert!((3600..3700).contains(&(new["expires"].as_i64().unwrap() - before)));
    for name in ["domain", "client_endpoint", "server_endpoint"] {
        assert_eq!(new[name], old[name]);
    }
    assert_eq!(portal.with_token("scope", &new["access_token"]).await.0, 200);
    assert_eq!(portal.with_token("scope", &old["access_token"]).await.1["error"], "expired_token", "still known");
    let (status, answer) = portal.refresh(&query(&old)).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")), "a refresh token pays once");
    let (status, newest) = portal.refresh(&query(&merged(&old, &new))).await;
    assert_eq!(status, 200);
    assert_eq!(portal.with_token("scope", &new["access_token"]).await.0, 200, "it works until it expires");
    let body = query(&merged(&old, &newest));
    let url = format!("http://{}/oauth/token", portal.sandbox.address());
    assert_eq!(portal.client.post(url).form(&body).send().await.unwrap().status(), 200);
    assert_eq!(portal.sandbox.refreshes(), 3);
    let requests = portal.sandbox.requests();
    assert_eq!(requests.iter().filter(|request| request.method == "oauth/token").count(), 4);
    assert!(!requests.iter().any(|request| request.path.contains(old["client_secret"].as_str().unwrap())));
}

#[tokio::test]
async fn of_two_that_refresh_at_once_one_wins() {
    let portal = portal();
    let query = query(&portal.app());
    let (one, other) = tokio::join!(portal.refresh(&query), portal.refresh(&query));
    let mut statuses = [one.0, other.0];
    statuses.sort_unstable();
    assert_eq!((statuses, portal.sandbox.refreshes()), ([200, 400], 1));
}

/// The file of a client that has stored a new pair.
fn merged(file: &Value, answer: &Value) -> Value {
    let mut file = file.clone();
    for name in ["access_token", "refresh_token"] {
        file[name] = answer[name].clone();
    }
    file
}

#[tokio::test]
async fn a_refresh_that_is_wrong_says_how() {
    let portal = portal();
    let good = query(&portal.app());
    let with = |name: &str, value: &str| {
        let replaced =
            |(key, old): &(&'static str, String)| (*key, if *key == name { value.to_owned() } else { old.clone() });
        good.iter().map(replaced).collect::<Vec<_>>()
    };
    let other: Value = serde_json::from_slice(&std::fs::read(portal.sandbox.other_oauth_file()).unwrap()).unwrap();
    let cases = [
        (Vec::new(), "invalid_request"),
        (with("grant_type", "password"), "invalid_request"),
        (with("grant_type", ""), "invalid_request"),
        (with("client_id", ""), "invalid_request"),
        (with("client_secret", ""), "invalid_request"),
        (with("refresh_token", ""), "invalid_request"),
        (with("client_id", "local.0.0"), "invalid_client"),
        (with("client_secret", "wrong"), "invalid_client"),
        (with("client_id", other["client_id"].as_str().unwrap()), "invalid_client"),
        (with("refresh_token", "wrong"), "invalid_grant"),
        (with("refresh_token", other["refresh_token"].as_str().unwrap()), "invalid_grant"),
    ];
    for (query, error) in cases {
        let (status, answer) = portal.refresh(&query).await;
        assert_eq!((status, answer["error"].as_str().unwrap()), (400, error), "{query:?}");
        assert_eq!(answer.as_object().unwrap().len(), 2);
    }
    assert_eq!(portal.sandbox.refreshes(), 0);
    assert_eq!(portal.refresh(&good).await.0, 200, "none of these cost the token");
}

#[tokio::test]
async fn tokens_and_the_clients_file_outlive_a_restart() {
    let portal = portal();
    let old = portal.app();
    let (_, new) = portal.refresh(&query(&old)).await;
    let mut kept = merged(&old, &new);
    kept["saved_by"] = "a client".into();
    std::fs::write(portal.sandbox.oauth_file(), kept.to_string()).unwrap();
    let mut portal = portal.restarted(true);
    assert_eq!(portal.app(), kept, "a newer pair is not overwritten");
    assert_eq!(portal.with_token("scope", &new["access_token"]).await.0, 200);
    assert_eq!(portal.with_token("scope", &old["access_token"]).await.0, 200);
    // A client that never heard of its new pair, a file that is not JSON, one that is gone: each gets the current pair.
    for content in [Some(old.to_string()), Some("{\"access_".to_owned()), None] {
        match content {
            Some(content) => std::fs::write(portal.sandbox.oauth_file(), content).unwrap(),
            None => std::fs::remove_file(portal.sandbox.oauth_file()).unwrap(),
        }
        portal = portal.restarted(true);
        assert_eq!(portal.app(), merged(&old, &new));
    }
}

#[tokio::test]
async fn a_lifetime_can_be_none_at_all() {
    let portal = portal_with(|options| options.token_lifetime = Duration::ZERO);
    let app = portal.app();
    assert_eq!(portal.with_token("scope", &app["access_token"]).await.1["error"], "expired_token");
    let (_, new) = portal.refresh(&query(&app)).await;
    assert_eq!(new["expires_in"], 0);
    assert_eq!(portal.with_token("scope", &new["access_token"]).await.1["error"], "expired_token");
}

#[tokio::test]
async fn only_the_application_that_added_a_log_entry_deletes_it() {
    let portal = portal();
    let one = portal.app()["access_token"].clone();
    let other: Value = serde_json::from_slice(&std::fs::read(portal.sandbox.other_oauth_file()).unwrap()).unwrap();
    let other = other["access_token"].clone();
    let fields = json!({ "entityTypeId": 2, "entityId": 7, "title": "x", "text": "x", "iconCode": "x" });
    let add = json!({ "fields": fields, "auth": one });
    for id in [1, 2] {
        let (_, answer) = portal.at(&portal.rest("crm.timeline.logmessage.add"), add.clone()).await;
        assert_eq!(answer["result"]["logMessage"]["id"], id);
    }
    portal.result("crm.timeline.logmessage.add", json!({ "fields": fields })).await;
    let delete = async |id: u64, token: &Value| {
        let url = portal.rest("crm.timeline.logmessage.delete");
        let (_, answer) = portal.at(&url, json!({ "id": id, "auth": token })).await;
        answer.get("error").unwrap_or(&answer["result"]).clone()
    };
    assert_eq!(delete(2, &other).await, "REMOVING_DISABLED");
    assert_eq!(delete(3, &one).await, "REMOVING_DISABLED", "what a webhook added, nobody can delete");
    assert_eq!(delete(2, &one).await, true);
    assert_eq!(delete(2, &one).await, "NOT_FOUND");
    let portal = portal.restarted(false);
    assert_eq!(portal.app()["client_endpoint"], portal.rest(""), "another address, a current file");
    let url = portal.rest("crm.timeline.logmessage.delete");
    assert_eq!(portal.at(&url, json!({ "id": 1, "auth": one })).await.1["result"], true, "tokens and ids are kept");
}
