//! `doctor`: what stands between this machine and a successful apply.

use brandctl::sandbox::faults::{FaultAction, On, When};
use brandctl::sandbox::{Faults, Protocol};

use crate::common::{Brand, Output, command, scrubbed};

/// A portal with a custom entry.
fn brand() -> Brand {
    Brand::new().portal_has("icon/other", 9)
}

fn refusal(method: &str, code: &str) -> Faults {
    let action = FaultAction::RefuseCommand {
        method: method.to_owned(),
        code: code.to_owned(),
        description: "no".to_owned(),
        status: 401,
    };
    Faults::one(On::Any, When::Every, action)
}

/// `failed rights` and so on: the checks that are not ok.
fn ailments(output: &Output) -> Vec<String> {
    let checks = output.json["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 13, "every check is told: {output:?}");
    let word = |check: &serde_json::Value, key: &str| check[key].as_str().unwrap().to_owned();
    let ill = checks.iter().filter(|check| check["health"] != "ok");
    ill.map(|check| format!("{} {}", word(check, "health"), word(check, "check"))).collect()
}

#[test]
fn nothing_stands_in_the_way() {
    let brand = brand();
    let output = brand.writing_nothing(|| brand.both("doctor").ends_with(0));
    insta::assert_snapshot!(output.out(), @"
    ok       config       http://PORTAL, by the webhook of BITRIX24_WEBHOOK_URL
    ok       manifest     brand.yaml is for any portal
    ok       state        .brandctl/127.0.0.1_PORT can be written
    ok       dns          127.0.0.1 is 127.0.0.1
    ok       tcp          127.0.0.1 accepts connections on port PORT
    skipped  tls          plain http, which is allowed for this machine only
    ok       clock        the clocks of the portal and of this machine differ by less than 60 s
    ok       credentials  user 1, Sandbox Administrator
    ok       scope        `crm` is included
    ok       rights       the user is an administrator
    ok       methods      the portal has all 8 methods
    ok       downloads    the image of icon/other can be downloaded
    ok       limits       at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5; 0 of 480 s of method time used

    Everything that apply needs works.
    ");
    assert_eq!(ailments(&output), ["skipped tls"]);
    assert_eq!(output.json["ready"], true);
    assert!(!brand.path(".brandctl").exists(), "nothing is left behind");
}

#[test]
fn a_user_without_rights_is_told_what_works() {
    let brand = brand().without_rights();
    let output = brand.writing_nothing(|| brand.both("doctor").ends_with(1));
    assert_eq!(ailments(&output), ["skipped tls", "failed rights"]);
    insta::assert_snapshot!(output.out(), @"
    ok       config       http://PORTAL, by the webhook of BITRIX24_WEBHOOK_URL
    ok       manifest     brand.yaml is for any portal
    ok       state        .brandctl/127.0.0.1_PORT can be written
    ok       dns          127.0.0.1 is 127.0.0.1
    ok       tcp          127.0.0.1 accepts connections on port PORT
    skipped  tls          plain http, which is allowed for this machine only
    ok       clock        the clocks of the portal and of this machine differ by less than 60 s
    ok       credentials  user 2, Sandbox User
    ok       scope        `crm` is included
    failed   rights       the user is not an administrator
                          help: ask an administrator of the portal to create the webhook; plan, drift and list work without administrator rights
    ok       methods      the portal has all 8 methods
    ok       downloads    the image of icon/other can be downloaded
    ok       limits       at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5; 0 of 480 s of method time used

    Apply would fail: 1 check failed.
    Next: ask an administrator of the portal to create the webhook; plan, drift and list work without administrator rights.
    ");
}

#[test]
fn a_webhook_without_the_scope_is_told() {
    let brand = brand();
    let webhook = brand.portal.scopeless_webhook();
    let output = brand.with_webhook(Some(&webhook)).both("doctor").ends_with(1);
    assert_eq!(ailments(&output), ["skipped tls", "failed scope", "failed methods", "skipped downloads"]);
    insta::assert_snapshot!(output.out(), @"
    ok       config       http://PORTAL, by the webhook of BITRIX24_WEBHOOK_URL
    ok       manifest     brand.yaml is for any portal
    ok       state        .brandctl/127.0.0.1_PORT can be written
    ok       dns          127.0.0.1 is 127.0.0.1
    ok       tcp          127.0.0.1 accepts connections on port PORT
    skipped  tls          plain http, which is allowed for this machine only
    ok       clock        the clocks of the portal and of this machine differ by less than 60 s
    ok       credentials  user 1, Sandbox Administrator
    failed   scope        `crm` is missing; the scopes are: task
                          help: give the webhook or application the scope `crm`
    ok       rights       the user is an administrator
    failed   methods      these credentials may not call crm.timeline.icon.add, crm.timeline.icon.get, crm.timeline.icon.list, crm.timeline.icon.delete, crm.timeline.logo.add, crm.timeline.logo.get, crm.timeline.logo.list, crm.timeline.logo.delete
                          help: give the webhook or application the scope `crm`
    skipped  downloads    the portal could not be read
    ok       limits       at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5; 0 of 480 s of method time used

    Apply would fail: 2 checks failed.
    Next: give the webhook or application the scope `crm`.
    ");
}

#[test]
fn what_cannot_be_reached_is_told_and_the_rest_is_skipped() {
    let rest = [
        "skipped clock",
        "skipped credentials",
        "skipped scope",
        "skipped rights",
        "skipped methods",
        "skipped downloads",
    ];
    let down = brand().with_webhook(Some("http://127.0.0.1:9/rest/1/q7w8e9r0t1y2u3i4/"));
    let output = down.both("doctor").ends_with(1);
    assert_eq!(ailments(&output), [&["failed tcp", "skipped tls"][..], &rest].concat());
    assert!(!output.text().contains("q7w8e9r0t1y2u3i4"));
    let nameless = brand().with_webhook(Some("https://acme.invalid/rest/1/q7w8e9r0t1y2u3i4/"));
    let output = nameless.both("doctor").ends_with(1);
    assert_eq!(ailments(&output), [&["failed dns", "skipped tcp", "skipped tls"][..], &rest].concat());
    // Somebody who speaks no TLS.
    let brand = brand();
    let plain = format!("https://{}/rest/1/q7w8e9r0t1y2u3i4/", brand.portal.address());
    let output = brand.with_webhook(Some(&plain)).both("doctor").ends_with(1);
    assert_eq!(ailments(&output), [&["failed tls"][..], &rest].concat());
}

#[test]
fn a_certificate_authority_of_its_own_must_be_named() {
    let brand = Brand::on(|options| options.protocol = Protocol::Https).portal_has("icon/other", 9);
    let rest = [
        "skipped clock",
        "skipped credentials",
        "skipped scope",
        "skipped rights",
        "skipped methods",
        "skipped downloads",
    ];
    let output = brand.both("doctor").ends_with(1);
    assert_eq!(ailments(&output), [&["failed tls"][..], &rest].concat());
    assert!(output.stdout.contains("help: if the portal uses its own certificate authority"), "{}", output.stdout);
    let named = format!("doctor --ca-cert {}", brand.data.path().join("ca.pem").display());
    assert_eq!(ailments(&brand.both(&named).ends_with(0)), [""; 0]);
}

#[test]
fn behind_a_proxy_it_is_the_proxy_that_is_looked_for() {
    let brand = brand();
    let doctor = |proxy: &str| {
        let output = command(brand.folder.path())
            .args(["doctor", "--quiet"])
            .env("BITRIX24_WEBHOOK_URL", "https://acme.invalid/rest/1/q7w8e9r0t1y2u3i4/")
            .env("HTTPS_PROXY", proxy)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let told = doctor("http://somebody:s3cr3t@127.0.0.1:9");
    insta::assert_snapshot!(scrubbed(&told), @"
    ok       config       https://acme.invalid, by the webhook of BITRIX24_WEBHOOK_URL
    ok       manifest     brand.yaml is for any portal
    ok       state        .brandctl/acme.invalid can be written
    ok       dns          the proxy 127.0.0.1 is 127.0.0.1
    failed   tcp          the proxy 127.0.0.1 does not accept connections on port 9: Connection refused (os error NUMBER)
                          help: check the address in HTTPS_PROXY
    skipped  tls          no connection
    skipped  clock        no connection
    skipped  credentials  no connection
    skipped  scope        no connection
    skipped  rights       no connection
    skipped  methods      no connection
    skipped  downloads    the portal could not be read
    ok       limits       at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5

    Apply would fail: 1 check failed.
    Next: check the address in HTTPS_PROXY.
    ");
    // A portal is not a proxy: it answers, and not with a connection to somewhere else.
    let told = doctor(&format!("http://{}", brand.portal.address()));
    insta::assert_snapshot!(scrubbed(&told), @"
    ok       config       https://acme.invalid, by the webhook of BITRIX24_WEBHOOK_URL
    ok       manifest     brand.yaml is for any portal
    ok       state        .brandctl/acme.invalid can be written
    ok       dns          the proxy 127.0.0.1 is 127.0.0.1
    ok       tcp          the proxy 127.0.0.1 accepts connections on port PORT
    failed   tls          acme.invalid cannot be reached: tunnel error: unsuccessful
                          help: check the host, the network, and the proxy if HTTPS_PROXY is set
    skipped  clock        no connection
    skipped  credentials  no connection
    skipped  scope        no connection
    skipped  rights       no connection
    skipped  methods      no connection
    skipped  downloads    the portal could not be read
    ok       limits       at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5

    Apply would fail: 1 check failed.
    Next: check the host, the network, and the proxy if HTTPS_PROXY is set.
    ");
}

#[test]
fn credentials_that_are_missing_or_mistyped_end_it_at_once() {
    for webhook in [
        None,
        Some("https://acme.bitrix24.com/q7w8e9r0t1y2u3i4/"),
        Some("http://acme.bitrix24.com/rest/1/q7w8e9r0t1y2u3i4/"),
    ] {
        let output = brand().with_webhook(webhook).both("doctor").ends_with(1);
        let ailments = ailments(&output);
        assert_eq!(ailments[0], "failed config");
        assert!(ailments[1..].iter().all(|check| check.starts_with("skipped ")), "{ailments:?}");
        assert!(!output.text().contains("q7w8e9r0t1y2u3i4"));
    }
}

#[test]
fn what_the_portal_refuses_is_told_where_it_belongs() {
    let brand = brand();
    for (faults, expected) in [
        (refusal("scope", "insufficient_scope"), vec!["skipped tls", "failed scope"]),
        (refusal("method.get", "INTERNAL_SERVER_ERROR"), vec!["skipped tls", "failed methods"]),
        (refusal("user.admin", "ACCESS_DENIED"), vec!["skipped tls", "failed rights"]),
        (
            Faults::one(
                On::Method("batch".to_owned()),
                When::Every,
                FaultAction::Status {
                    code: 401,
                    body: "{\"error\":\"NO_AUTH_FOUND\"}".to_owned(),
                    content_type: "application/json".to_owned(),
                },
            ),
            vec![
                "skipped tls",
                "failed credentials",
                "skipped scope",
                "skipped rights",
                "skipped methods",
                "skipped downloads",
            ],
        ),
    ] {
        brand.fail(faults);
        assert_eq!(ailments(&brand.both("doctor").ends_with(1)), expected);
    }
}

#[test]
fn a_portal_that_refuses_batches_is_asked_one_by_one() {
    let refused = FaultAction::Status {
        code: 405,
        body: "{\"error\":\"ERROR_BATCH_METHOD_NOT_ALLOWED\"}".to_owned(),
        content_type: "application/json".to_owned(),
    };
    let brand = brand().failing(On::Method("batch".to_owned()), When::Every, refused);
    let output = brand.writing_nothing(|| brand.both("doctor").ends_with(0));
    assert_eq!(ailments(&output), ["skipped tls"]);
}

#[test]
fn the_manifest_must_be_for_this_portal() {
    for (text, message) in [
        ("version: 1\nowns: [\"acme-*\"]\nportal: other.example\n", "other.example"),
        ("version: 1\nown: [\"acme-*\"]\n", "and 1 more"),
        ("", "empty"),
    ] {
        let output = brand().manifest(text).both("doctor").ends_with(1);
        assert_eq!(ailments(&output), ["failed manifest", "skipped tls"], "{text}");
        assert!(output.stdout.contains(message), "{}", output.stdout);
    }
    let brand = brand();
    std::fs::remove_file(brand.path("brand.yaml")).unwrap();
    assert_eq!(ailments(&brand.both("doctor").ends_with(0)), ["skipped manifest", "skipped tls"]);
    assert_eq!(ailments(&brand.both("doctor -f elsewhere.yaml").ends_with(1)), ["failed manifest", "skipped tls"]);
}

#[test]
fn a_state_folder_that_cannot_be_used_is_told() {
    let brand = brand();
    std::fs::write(brand.path("file"), b"").unwrap();
    let output = brand.both("doctor --state-dir file/state").ends_with(1);
    assert_eq!(ailments(&output), ["failed state", "skipped tls"]);
}

/// A portal can be written to without them, so they are not a failure.
#[test]
fn images_that_cannot_be_downloaded_are_told() {
    let brand = brand();
    brand.fail("download every status 401 no".parse().unwrap());
    let output = brand.both("doctor").ends_with(0);
    assert_eq!(ailments(&output), ["skipped tls", "warning downloads"]);
    assert!(output.stdout.contains("the image of icon/other cannot be downloaded: "), "{}", output.stdout);
    // The header is whole, and the rest is not there.
    brand.fail("download every truncate 60".parse().unwrap());
    let output = brand.both("doctor").ends_with(0);
    assert_eq!(ailments(&output), ["skipped tls", "warning downloads"]);
    let told = "the image of icon/other cannot be downloaded: the download is not a sound PNG";
    assert!(output.stdout.contains(told), "{}", output.stdout);
    let empty = Brand::new().json("doctor").ends_with(0);
    assert_eq!(ailments(&empty), ["skipped tls", "skipped downloads"]);
}
