//! `doctor` in the first hour: each mistake ends in one sentence that says what to type or click.

use brandctl::sandbox::Protocol;

use crate::common::{Brand, command, scrubbed};

const SECRET: &str = "q7w8e9r0t1y2u3i4";

/// What doctor says of a mistake: the check that failed, and the last line.
fn said(brand: &Brand, line: &str) -> String {
    let output = brand.run(line.split(' '));
    assert!(!output.text().contains(SECRET), "{output:?}");
    let failed = output.stdout.lines().filter(|line| line.starts_with("failed") || line.starts_with("ok       limits"));
    let failed: Vec<_> = failed.collect();
    let what = if output.code == 0 { failed.last() } else { failed.first() };
    let last = output.stdout.lines().last().unwrap();
    assert!(output.code == 0 || last.starts_with("Next: "), "{output:?}");
    let words = what.unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    scrubbed(&format!("{words}\n{last}\n"))
}

fn with(webhook: &str) -> Brand {
    Brand::new().with_webhook(Some(webhook))
}

#[test]
fn each_mistake_ends_in_what_to_type_or_click() {
    let url = format!("acme.example/rest/1/{SECRET}/");
    let fresh = || Brand::new().portal_has("icon/other", 9);
    let failing = |faults: &str| {
        let brand = fresh();
        brand.fail(faults.parse().unwrap());
        brand
    };
    let method = {
        let brand = fresh();
        let webhook = format!("{}profile.json", brand.portal.admin_webhook());
        brand.with_webhook(Some(&webhook))
    };
    let refusal = |code: &str| failing(&format!("any every error 401 {code} no"));
    let cases = [
        ("an empty variable", with("")),
        ("quotes", with(&format!("\"https://{url}\""))),
        ("a name instead of a value", with("${{ secrets.B24_HOOK }}")),
        ("no scheme", with(&url)),
        ("http", with(&format!("http://{url}"))),
        ("the portal's address", with("https://acme.example/")),
        ("no secret", with("https://acme.example/rest/1/")),
        ("REST 3.0", with(&format!("https://acme.example/rest/api/1/{SECRET}/"))),
        ("a method in the URL", method),
        ("another portal's webhook", fresh().manifest("version: 1\nportal: acme.example\nowns: [\"acme-*\"]\n")),
        ("302", failing("any every status 302 moved text/html")),
        ("a self-signed certificate", Brand::on(|options| options.protocol = Protocol::Https)),
        ("no administrator", fresh().without_rights()),
        ("an expired token", failing("any every expired-token")),
        ("a deleted webhook", refusal("INVALID_CREDENTIALS")),
        ("a blocked portal", failing("any every overload")),
        ("no scope", refusal("insufficient_scope")),
        ("a plan without REST", refusal("ACCESS_DENIED")),
        ("a login page", failing("any every html 200")),
        ("an Enterprise rate", fresh()),
    ];
    let mut shown = String::new();
    for (name, brand) in &cases {
        shown.push_str(&format!("{name}:\n{}\n", said(brand, "doctor --quiet")));
    }
    let output = command(fresh().folder.path())
        .args(["doctor", "--quiet"])
        .env("BITRIX24_WEBHOOK_URL", format!("https://{url}"))
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .output()
        .unwrap();
    let last = String::from_utf8(output.stdout).unwrap();
    shown.push_str(&format!("a proxy that does not answer:\n{}\n", last.lines().last().unwrap()));
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("first_hour", shown) });
}
