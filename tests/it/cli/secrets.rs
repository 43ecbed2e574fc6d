//! Secrets stay in the environment and in the files that it names. Every run of this crate is held against its output;
//! here are the files and the loudest settings, for every way to give credentials.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};

use super::cache::walk;
use crate::common::{Brand, art, command, each, tokens_of};

/// A way to give credentials.
struct Given {
    variable: &'static str,
    value: OsString,
    /// What must not get out.
    secrets: Vec<String>,
}

/// Every way to give an administrator's credentials for the brand's portal; files that it needs are in `elsewhere`.
fn every_way(brand: &Brand, elsewhere: &Path) -> Vec<Given> {
    let webhook = brand.portal.admin_webhook();
    let file = elsewhere.join("webhook");
    std::fs::write(&file, format!("{webhook}\n")).unwrap();
    // Only the one in use is known to brandctl.
    let secrets = vec![brand.secrets().swap_remove(0)];
    vec![
        Given { variable: "BITRIX24_WEBHOOK_URL", value: webhook.into(), secrets: secrets.clone() },
        Given { variable: "BITRIX24_WEBHOOK_URL_FILE", value: file.into(), secrets },
        Given {
            variable: "BITRIX24_OAUTH_FILE",
            value: brand.portal.oauth_file().into(),
            secrets: tokens_of(&brand.portal.oauth_file()),
        },
    ]
}

impl Given {
    fn command(&self, brand: &Brand, line: &str) -> Command {
        let mut command = command(brand.folder.path());
        command.args(line.split(' ')).env(self.variable, &self.value);
        command
    }

    /// Runs a command as loud as can be, for people and for programs; neither stream has a secret.
    #[track_caller]
    fn run(&self, brand: &Brand, line: &str) -> Option<i32> {
        let codes = ["human", "json"].map(|format| {
            let output = self.command(brand, &format!("{line} -vv --format {format}")).output().unwrap();
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            self.not_in(text.as_bytes(), &format!("{}: {line}: {text}", self.variable));
            assert!(!text.contains("panicked"), "{text}");
            output.status.code()
        });
        codes[0]
    }

    #[track_caller]
    fn not_in(&self, bytes: &[u8], place: &str) {
        for secret in &self.secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{place}");
        }
    }

    /// No file of the brand or of its state has a secret.
    #[track_caller]
    fn in_no_file(&self, brand: &Brand) {
        let files: Vec<_> = walk(brand.folder.path()).into_iter().filter(|(_, is_file)| *is_file).collect();
        assert!(files.len() > 3, "{files:?}");
        for (path, _) in files {
            self.not_in(&std::fs::read(&path).unwrap(), &format!("{}: {}", self.variable, path.display()));
        }
    }
}

#[track_caller]
fn in_no_file(brand: &Brand) {
    let given = Given { variable: "BITRIX24_WEBHOOK_URL", value: OsString::new(), secrets: brand.secrets() };
    given.in_no_file(brand);
}

/// One create, one replace, one delete.
fn work() -> Brand {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9).with_webhook(None);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    brand
}

/// Runs `test` with every way to give credentials, each with a brand of its own.
fn in_every_way(test: impl Fn(&Brand, &Given) + Sync) {
    let elsewhere = tempfile::tempdir().unwrap();
    let count = every_way(&work(), elsewhere.path()).len();
    each(0..count, |index| {
        let (brand, elsewhere) = (work(), tempfile::tempdir().unwrap());
        let given = every_way(&brand, elsewhere.path()).swap_remove(index);
        test(&brand, &given);
        given.in_no_file(&brand);
    });
}

#[test]
fn nothing_is_told_when_all_goes_well() {
    in_every_way(|brand, given| {
        assert_eq!(given.run(brand, "plan -o plan.json"), Some(0));
        assert_eq!(given.run(brand, "drift"), Some(2));
        assert_eq!(given.run(brand, "show plan.json"), Some(0));
        assert_eq!(given.run(brand, "export out --overwrite"), Some(0));
        assert_eq!(given.run(brand, "plan --against out"), Some(0));
        assert_eq!(given.run(brand, "apply plan.json --settle 0.01"), Some(0));
        assert_eq!(given.run(brand, "apply plan.json --settle 0.01"), Some(5));
        assert_eq!(given.run(brand, "history"), Some(0));
        assert_eq!(given.run(brand, "restore plan.json --yes --settle 0.01"), Some(0));
        assert_eq!(given.run(brand, "plan --timeout nonsense"), Some(1));
        assert!(
            walk(brand.folder.path()).iter().any(|(path, _)| path.ends_with("journal.jsonl")),
            "there is a journal"
        );
    });
}

#[test]
fn nothing_is_told_when_the_portal_repeats_it() {
    in_every_way(|brand, given| {
        for secret in &given.secrets {
            let json = format!("{{\"error\":\"{secret}\",\"error_description\":\"no {secret} here\"}}");
            let page = format!("<html>cannot GET /rest/1/{secret}/batch.json?auth={secret}</html>");
            for (code, body) in [(400, &json), (200, &json), (401, &json), (404, &page), (200, &page)] {
                for on in [On::Any, On::Write, On::Download] {
                    let status = FaultAction::Status { code, body: body.clone(), content_type: "text/html".to_owned() };
                    brand.fail(Faults::one(on, When::Every, status));
                    given.run(brand, "apply --yes --settle 0.01 --timeout 1 --refresh");
                }
            }
        }
    });
}

#[test]
fn nothing_is_told_by_what_a_killed_run_leaves() {
    in_every_way(|brand, given| {
        brand.fail(Faults::one(On::Write, When::Every, FaultAction::Delay(Duration::from_secs(2))));
        let before = brand.write_requests().len();
        let mut child = given.command(brand, "apply --yes -vv --settle 0.01");
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while brand.write_requests().len() == before && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        given.in_no_file(brand);
        brand.fail(Faults::none());
        assert_eq!(given.run(brand, "apply --yes --settle 3"), Some(0));
    });
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
                FaultAction::Status { code: *code, body, content_type: (*content_type).to_owned() },
            ));
            for line in ["plan -vv --timeout 1", "apply --yes --settle 0.01 -vv --timeout 1", "doctor -vv --timeout 1"]
            {
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

/// What the portal says of an entry goes into the cache, the journal and plans.
#[test]
fn no_answer_of_any_method_carries_it_into_a_file() {
    let brand = Brand::new().in_step(2).declares("icon/acme-new", 9);
    let webhook = brand.portal.admin_webhook();
    let secret = brand.secrets().swap_remove(0);
    let cut = &secret[..7];
    for echoed in [&*webhook, &secret, cut] {
        let entry = format!(r#"{{"code":"acme-00","isSystem":false,"fileUri":"/upload/{echoed}/a.png"}}"#);
        let list = format!(
            r#"{{"result":{{"result":{{"icons":{{"icons":[{entry}]}},"logos":{{"logos":[]}},"c0":{{"icon":{entry}}},"rights":true}},"result_error":[],"result_total":{{"icons":1,"logos":0}}}}}}"#
        );
        let status = FaultAction::Status { code: 200, body: list, content_type: "application/json".to_owned() };
        for on in [On::Any, On::Write] {
            brand.fail(Faults::one(on, When::Every, status.clone()));
            for line in ["plan --timeout 2", "list --timeout 2", "apply --yes --settle 0.01 --timeout 2"] {
                let output = brand.run(line.split(' ').chain(["-vv"]));
                assert!(!output.stdout.contains(cut) && !output.stderr.contains(cut), "{line}: {output:?}");
            }
        }
    }
    brand.fail(Faults::none());
    for (path, is_file) in walk(brand.folder.path()) {
        let holds = is_file && std::fs::read(&path).unwrap().windows(cut.len()).any(|window| window == cut.as_bytes());
        assert!(!holds, "{}", path.display());
    }
}

#[test]
fn an_answer_that_is_cut_inside_the_secret_shows_no_beginning_of_it() {
    let brand = Brand::new().in_step(1);
    let secret = brand.secrets().swap_remove(0);
    for length in 6..secret.len() {
        let body = format!("<html>cannot POST /rest/1/{}", &secret[..length]);
        let status = FaultAction::Status { code: 404, body, content_type: "text/html".to_owned() };
        brand.fail(Faults::one(On::Any, When::Every, status));
        let output = brand.run(["plan", "-vv"]).ends_with(1);
        assert!(!output.stderr.contains(&secret[..6]) && output.stderr.contains("/rest/1/[secret]"), "{output:?}");
    }
}

/// Whatever name leads to it: a link, another link to the same file, its own.
#[cfg(unix)]
#[test]
fn a_file_that_credentials_come_from_is_read_as_nothing_else() {
    use std::os::unix::fs::symlink;
    let brand = work();
    let elsewhere = tempfile::tempdir().unwrap();
    for given in every_way(&brand, elsewhere.path()).into_iter().skip(1) {
        let own = std::path::PathBuf::from(&given.value);
        let hard = brand.path("hard.yaml");
        let _ = std::fs::remove_file(&hard);
        // A hard link works within one file system only.
        if std::fs::hard_link(&own, &hard).is_err() {
            std::fs::copy(&own, &hard).unwrap();
        }
        let file = if std::fs::hard_link(&hard, brand.path("same.yaml")).is_ok() { hard.clone() } else { own.clone() };
        let _ = std::fs::remove_file(brand.path("same.yaml"));
        let given = Given { value: file.clone().into(), ..given };
        let name = format!("{}-link", given.variable);
        for (at, to) in [
            (format!("{name}.yaml"), &file),
            (format!("{name}.json"), &file),
            ("icons/acme-link.png".to_owned(), &file),
        ] {
            let at = brand.path(&at);
            let _ = std::fs::remove_file(&at);
            symlink(to, at).unwrap();
        }
        std::fs::create_dir_all(brand.path("snapshot")).unwrap();
        let _ = std::fs::remove_file(brand.path("snapshot/portal.json"));
        std::fs::hard_link(&file, brand.path("snapshot/portal.json")).unwrap();
        for line in [
            format!("plan -f {name}.yaml"),
            "validate -f hard.yaml".to_owned(),
            "plan -f hard.yaml".to_owned(),
            format!("apply {name}.json"),
            "apply hard.yaml".to_owned(),
            format!("show {name}.json"),
            "show hard.yaml".to_owned(),
            "validate".to_owned(),
            "plan --against snapshot".to_owned(),
            "plan --ca-cert hard.yaml".to_owned(),
        ] {
            assert_eq!(given.run(&brand, &line), Some(1), "{line}");
        }
        std::fs::remove_file(brand.path("icons/acme-link.png")).unwrap();
    }
}

/// Errors quote lines of a manifest, so nothing else is read as one.
#[cfg(unix)]
#[test]
fn what_is_not_called_a_manifest_is_not_quoted() {
    use std::os::unix::fs::symlink;
    let brand = Brand::new();
    let token = "dXNlcjp0b2tlbg==";
    std::fs::create_dir_all(brand.path("home/.docker")).unwrap();
    std::fs::write(
        brand.path("home/.docker/config.json"),
        format!("{{\"auths\": {{\"x\": {{\"auth\": \"{token}\"}}}}}}"),
    )
    .unwrap();
    std::fs::write(brand.path("home/config"), format!("[http]\n\textraheader = AUTHORIZATION: basic {token}\n"))
        .unwrap();
    for (at, file) in
        [("docker.yaml", "home/.docker/config.json"), ("git.yml", "home/config"), ("kernel.yaml", "/proc/kmsg")]
    {
        symlink(file, brand.path(at)).unwrap();
    }
    for line in [
        "plan -f home/.docker/config.json",
        "plan -f home/config",
        "validate -f docker.yaml",
        "plan -f git.yml",
        "plan -f kernel.yaml",
        "apply home/.docker/config.json",
        "show home/config",
        "show docker.yaml",
        "plan --ca-cert home/config",
    ] {
        for format in if line.starts_with("show") { &["human"][..] } else { &["human", "json"] } {
            let output = brand.run(line.split(' ').chain(["--format", format, "--timeout", "5"])).ends_with(1);
            let text = format!("{}{}", output.stdout, output.stderr);
            assert!(
                !text.contains(token) && !text.contains("extraheader") && !text.contains("auths"),
                "{line}: {text}"
            );
        }
    }
    let told = brand.run(["plan", "-f", "docker.yaml"]).ends_with(1).stderr;
    assert!(told.contains("its name does not end in .yaml or .yml"), "{told}");
}
