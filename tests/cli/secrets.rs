//! The webhook's secret stays in the environment. Every run of this crate is held against its output; here are the files
//! and the loudest settings.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{Action, On, When};

use crate::cache::walk;
use crate::common::{Brand, art, command, each};

fn in_no_file(brand: &Brand) {
    let files: Vec<_> = walk(brand.folder.path()).into_iter().filter(|(_, is_file)| *is_file).collect();
    assert!(files.len() > 3, "{files:?}");
    for (path, _) in files {
        let bytes = std::fs::read(&path).unwrap();
        for secret in brand.secrets() {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
        }
    }
}

#[test]
fn it_is_in_no_output_and_no_file_at_the_highest_verbosity() {
    let brand = Brand::new().in_step(2).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    let output = brand.run(["plan", "-vv", "-o", "plan.json"]).ends_with(0);
    assert!(output.stderr.contains("batch"), "requests are logged: {}", output.stderr);
    brand.run(["drift", "-vv", "--format", "json"]).ends_with(2);
    brand.run(["apply", "plan.json", "-vv"]).ends_with(0);
    brand.run(["apply", "plan.json", "-vv"]).ends_with(5);
    in_no_file(&brand);
}

#[test]
fn it_is_not_repeated_from_what_a_portal_or_a_proxy_answers() {
    let page = "<html>cannot GET WEBHOOKbatch?auth=SECRET /rest/1/SECRET/batch.json</html>";
    let json = "{\"error\":\"SECRET\",\"error_description\":\"no SECRET here\"}";
    let answers = [
        (404, page, "text/html"),
        (200, page, "text/html"),
        (400, json, "application/json"),
        (200, json, "application/json"),
    ];
    let places = [On::Any, On::Write, On::Download];
    each(
        answers.iter().flat_map(|answer| places.iter().map(move |on| (answer, on))),
        |((code, body, content_type), on)| {
            let brand = Brand::new().in_step(2).declares("icon/acme-new", 9);
            let body = body.replace("WEBHOOK", &brand.portal.admin_webhook()).replace("SECRET", &brand.secrets()[0]);
            brand.fail(Faults::one(
                on.clone(),
                When::Every,
                Action::Status { code: *code, body, content_type: (*content_type).to_owned() },
            ));
            for line in ["plan -vv --timeout 1", "apply --yes --settle 0.01 -vv --timeout 1"] {
                for format in ["human", "json"] {
                    brand.run(line.split(' ').chain(["--format", format]));
                }
            }
            in_no_file(&brand);
        },
    );
}

#[test]
fn it_is_not_repeated_when_the_webhook_is_mistyped() {
    let brand = Brand::new().in_step(1);
    let secret = "q7w8e9r0t1y2u3i4";
    for webhook in [
        format!("http://acme.bitrix24.com/rest/1/{secret}/"),
        format!("https://acme.bitrix24.com/{secret}/"),
        format!("rest/1/{secret}"),
        format!("https://acme.bitrix24.com:99999/rest/1/{secret}/"),
        format!("https://user:{secret}@acme.bitrix24.com/"),
        format!(" {secret} "),
    ] {
        for format in ["human", "json"] {
            let output = command(brand.folder.path())
                .args(["plan", "-vv", "--format", format, "--timeout", "1"])
                .env("BITRIX24_WEBHOOK_URL", &webhook)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn it_may_come_from_any_of_the_sources_and_the_source_is_said() {
    let brand = Brand::new().in_step(1).with_webhook(None);
    let webhook = brand.portal.admin_webhook();
    for name in ["BITRIX24_WEBHOOK_URL", "BITRIX_WEBHOOK_URL", "B24_WEBHOOK_URL", "B24_HOOK"] {
        let output = command(brand.folder.path()).arg("plan").env(name, &webhook).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stderr).contains(name));
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("webhook");
    std::fs::write(&file, format!("{webhook}\n")).unwrap();
    let output = command(brand.folder.path()).arg("plan").env("BITRIX24_WEBHOOK_URL_FILE", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = command(brand.folder.path()).arg("plan").env("BITRIX24_WEBHOOK_URL_FILE", "absent").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    in_no_file(&brand);
}
