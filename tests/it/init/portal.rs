//! `init --from-portal`: a repository that begins with what the portal holds.

use std::fs;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{FaultAction, On, When};

use crate::common::{Brand, Output, blank, found};
use crate::shared::init::{SYSTEMS, tree, yaml};

/// A portal with two sound icons, one of them of an odd code, a logo that the rules refuse, and no repository yet.
fn portal() -> Brand {
    let brand = bare().portal_has("icon/acme-call", 1).portal_has("icon/Acme Fax", 2);
    brand.seed("logo/acme-blank", &blank(Kind::Logo));
    brand
}

fn bare() -> Brand {
    let brand = Brand::new();
    for folder in ["icons", "logos"] {
        fs::remove_dir(brand.path(folder)).unwrap();
    }
    fs::remove_file(brand.path("brand.yaml")).unwrap();
    brand
}

/// What it wrote is valid, and has nothing to do.
#[track_caller]
fn is_in_step(brand: &Brand, manifest: &str) {
    let validated = brand.json(&format!("validate -f {manifest}")).ends_with(0);
    let findings = validated.json["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["rule"] != "orphan-file"), "{findings:?}");
    let plan = brand.json(&format!("plan -f {manifest} --detailed-exitcode")).ends_with(0);
    assert!(plan.changes().is_empty(), "{plan:?}");
}

/// Asserts that nothing is written, in either format, and `rule` says why.
#[track_caller]
fn refuses(brand: &Brand, line: &str, rule: &str) -> Output {
    let before = tree(brand.folder.path());
    let output = brand.writing_nothing(|| brand.both(line).ends_with(1));
    assert_eq!(output.errors(), [rule], "{line}");
    assert_eq!((output.json["files"].as_array().unwrap().len(), &*output.stdout), (0, ""), "{line}");
    assert_eq!(tree(brand.folder.path()), before, "{line}");
    output
}

#[test]
fn it_is_an_export_and_what_goes_with_it() {
    for (system, path, _) in SYSTEMS {
        let brand = portal().without_rights();
        brand.json("export reference").ends_with(0);
        let started =
            brand.writing_nothing(|| brand.json(&format!("init new --from-portal --ci {system}")).ends_with(0));
        let exported = tree(&brand.path("reference"));
        for file in &exported {
            let [there, here] = ["reference", "new"].map(|folder| fs::read(brand.path(folder).join(file)).unwrap());
            assert!(there == here, "{file}");
        }
        let mut expected: Vec<_> = exported.into_iter().chain([".gitignore".to_owned(), path.to_owned()]).collect();
        expected.sort();
        assert_eq!(tree(&brand.path("new")), expected);
        let files: Vec<_> =
            started.json["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
        assert_eq!(files, expected, "what it says that it wrote");
        let became: Vec<_> =
            started.json["entries"].as_array().unwrap().iter().map(|entry| entry["became"].as_str().unwrap()).collect();
        assert_eq!(became, ["declared", "declared", "set-aside"]);
        assert_eq!(started.json["portal"], "PORTAL");
        is_in_step(&brand, "new/brand.yaml");
        // Its own CI waits for others of this portal, and for none of another.
        let group = brand.portal.address().to_string().replace(':', "-");
        assert!(fs::read_to_string(brand.path("new").join(path)).unwrap().contains(&format!("brandctl-{group}")));
        // A fork's pull request plans on it.
        let offline = brand.with_webhook(None);
        offline.json("plan -f new/brand.yaml --against new --detailed-exitcode").ends_with(0);
    }
}

#[test]
fn it_says_what_it_took_and_what_comes_next() {
    let mut brand = portal();
    for number in 0..6 {
        brand = brand.portal_has(&format!("icon/acme-{number}"), 10 + number);
    }
    let started = brand.run(["init", "--from-portal", "--ci", "none"]).ends_with(0);
    insta::assert_snapshot!(started.stdout, @"
      ignored  logo/acme-blank  blank: every pixel of the image is transparent

    Exported 9 custom entries of PORTAL to BRAND: 8 declared, 1 ignored.
    Created a branding repository in BRAND:
      .gitignore
      brand.schema.json
      brand.yaml
      icons/   8 images
      ignored/logos/acme-blank.png
      portal.json

    Next:
      brandctl validate   checks it with the art rules
      brandctl plan   has nothing to do yet: change an image, and the plan shows it
      brandctl apply   do it
    ");
    is_in_step(&brand, "brand.yaml");
}

#[test]
fn a_pattern_bounds_what_is_taken_and_owned() {
    let brand = portal();
    for (owns, codes) in [("acme-*", vec!["acme-call"]), ("icon/Acme Fax", vec!["Acme Fax"])] {
        let folder = format!("of-{}", codes.len() + owns.len());
        brand.run(["init", &folder, "--from-portal", "--ci", "none", "--owns", owns]).ends_with(0);
        let manifest = yaml(&brand.path(&folder).join("brand.yaml"));
        assert_eq!(manifest["owns"], serde_json::json!([owns]));
        assert_eq!(manifest["icons"].as_object().unwrap().keys().collect::<Vec<_>>(), codes);
        is_in_step(&brand, &format!("{folder}/brand.yaml"));
    }
    refuses(&brand, "init --from-portal --ci none --owns shop-*", "only-matches-nothing");
    let output = refuses(&brand, "init --from-portal --ci none --owns icons/acme-*", "usage");
    insta::assert_snapshot!(output.err(), @"error[usage]: --owns: `icons/acme-*` is not a pattern: `icons/` is not a kind: write `icon/…`: a pattern takes the singular");
}

#[test]
fn another_portal_than_the_one_named_is_not_read() {
    let brand = portal();
    let output = refuses(&brand, "init --from-portal --ci none --portal acme.bitrix24.com", "portal-pin");
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[portal-pin]: the credentials are for PORTAL, but --portal names acme.bitrix24.com
      = help: use the credentials of that portal, or leave --portal out: the manifest names the portal it came from
    ");
    assert!(brand.portal.requests().is_empty(), "it was asked");
    refuses(&brand, "init --from-portal --ci none --portal acme.bitrix24.com --sandbox=data", "usage");
    let here = brand.portal.address();
    brand.json(&format!("init --from-portal --ci none --portal {here}")).ends_with(0);
    assert_eq!(yaml(&brand.path("brand.yaml"))["portal"], here.to_string());
}

#[test]
fn what_stands_in_the_way_leaves_nothing_behind() {
    refuses(&bare(), "init --from-portal --ci none", "init");
    refuses(&portal().with_webhook(None), "init --from-portal --ci none", "credentials");
    let refusing = portal().with_webhook(Some("http://127.0.0.1:9/rest/1/abcdefgh12345678/"));
    let output = refuses(&refusing, "init new --from-portal --ci none", "portal");
    assert!(!output.text().contains("abcdefgh12345678"), "{output:?}");
    let brand = portal();
    let output = refuses(&brand, "init --from-portal", "usage");
    assert!(output.stderr.contains("--ci is missing"), "{}", output.stderr);
    // A file in the way, of the portal's or of init's own: all or nothing.
    for file in ["icons/acme-call.png", "portal.json", "brand.schema.json", ".github/workflows/brandctl.yml"] {
        let path = brand.path("taken").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let output = refuses(&brand, "init taken --from-portal --ci github", "init");
        assert!(output.stderr.contains(&format!("these files already exist: {file}")), "{}", output.stderr);
        fs::remove_dir_all(brand.path("taken")).unwrap();
    }
}

#[test]
fn what_cannot_be_fetched_is_named_and_ignored_and_can_be_fetched_later() {
    let brand = portal().failing(On::Download, When::Nth(1), FaultAction::Html(404));
    let started = brand.json("init new --from-portal --ci none").ends_with(1);
    assert_eq!(started.errors(), ["unknown-content"]);
    let unfetched = |entry: &&serde_json::Value| entry["became"] == "unfetched";
    assert_eq!(started.json["entries"].as_array().unwrap().iter().filter(unfetched).count(), 1);
    is_in_step(&brand, "new/brand.yaml");
    // The way out that it names.
    assert!(
        found(&started.json, "error")[0]["help"].as_str().unwrap().contains("to try again, export with --overwrite")
    );
    brand.json("export new --overwrite").ends_with(0);
    assert_eq!(yaml(&brand.path("new/brand.yaml"))["icons"].as_object().unwrap().len(), 2);
    is_in_step(&brand, "new/brand.yaml");
}

#[test]
fn a_sandbox_is_a_portal_without_a_pin() {
    let brand = bare().with_webhook(None);
    brand.run(["init", "first", "--owns", "acme-*", "--ci", "none"]).ends_with(0);
    brand.json("apply -f first/brand.yaml --yes --sandbox=data").ends_with(0);
    brand.json("init second --from-portal --ci none --sandbox=data").ends_with(0);
    let manifest = yaml(&brand.path("second/brand.yaml"));
    assert!(manifest.get("portal").is_none() && manifest["icons"]["acme-sample"].is_string(), "{manifest}");
    let plan = brand.json("plan -f second/brand.yaml --sandbox=data --detailed-exitcode").ends_with(0);
    assert_eq!(plan.json["summary"]["unchanged"], 2);
}

/// The images keep a limit on the size of files, the schema beside the manifest does not.
#[cfg(unix)]
#[test]
fn a_full_disk_takes_everything_back() {
    let brand = portal();
    let line =
        format!("trap '' XFSZ; ulimit -f 4; exec {} init new --from-portal --ci none", env!("CARGO_BIN_EXE_brandctl"));
    let mut init = crate::shared::init::command("bash", brand.folder.path());
    let output = init.args(["-c", &line]).env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output().unwrap();
    let told = crate::shared::init::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("new/brand.schema.json cannot be written: File too large"), "{told}");
    assert!(!told.contains(".brandctl-"), "a file that nobody knows is named: {told}");
    assert_eq!(fs::read_dir(brand.folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn who_stops_it_while_it_reads_finds_nothing() {
    use std::time::{Duration, Instant};
    let brand = portal().failing(On::Download, When::From(2), FaultAction::Delay(Duration::from_secs(20)));
    let mut init = crate::shared::init::command(env!("CARGO_BIN_EXE_brandctl"), brand.folder.path());
    let init = init.args(["init", "new", "--from-portal", "--ci", "none"]);
    let mut init = init.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(15);
    while brand.downloads() < 2 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    let process = init.id().to_string();
    assert!(
        crate::shared::init::command("bash", brand.folder.path())
            .args(["-c", &format!("kill -TERM {process}")])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(init.wait().unwrap().code(), Some(130));
    assert!(brand.downloads() >= 2 && !brand.path("new").exists());
}
