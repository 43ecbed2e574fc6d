//! The HTML report in a real browser: pages are made here, and scripts open them in Chromium, use them as people do and
//! look at what is on the page. An error on the console, a violation of the page's policy or a request fails any of them.

#![allow(clippy::print_stdout, reason = "what was measured is shown with --nocapture")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::render::html::{self, Holding, HoldingOrigin};

use crate::shared::scenes;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/external/browser");

/// Where playwright-core and axe-core are; the first test that asks installs them.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
        let install = format!("{HERE}/../clients/install");
        let status = Command::new(install).args([into.as_path(), Path::new(HERE)]).status().unwrap();
        assert!(
            status.success(),
            "tests/external/clients/install needs python3 with venv, and a way to the registries"
        );
        // Node looks for packages beside the scripts.
        for entry in std::fs::read_dir(HERE).unwrap().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|extension| extension == "mjs") {
                std::fs::copy(entry.path(), into.join(entry.file_name())).unwrap();
            }
        }
        into
    })
}

/// Runs a script on a page, and prints what it measured. The page stays beside the script, for anyone who wants to see
/// it.
fn browse(script: &str, page: &str) {
    browse_with(script, page, &[]);
}

/// Runs a script as [`browse`] does, with more arguments for it.
fn browse_with(script: &str, page: &str, arguments: &[&str]) {
    let folder = installed();
    let file = folder.join(script).with_extension("html");
    std::fs::write(&file, page).unwrap();
    visit(script, &file, arguments);
}

/// One Chromium keeps a core busy. Of more than there are cores, the last may wait longer for a page than Playwright waits.
static BROWSER: Mutex<()> = Mutex::new(());

/// Runs a script on what is at an address or in a file.
fn visit(script: &str, place: impl AsRef<OsStr>, arguments: &[&str]) {
    let folder = installed();
    let mut command = Command::new(folder.join("bin/node"));
    let _turn = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let output = command.arg(folder.join(script)).arg(place).args(arguments).output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn images_are_compared_by_swipe_and_onion_skin_on_the_portals_grounds() {
    browse("compare.mjs", &html::report(&scenes::plan(), "plan"));
}

#[test]
fn filters_keys_and_deep_links_find_an_entry() {
    browse("find.mjs", &html::report(&scenes::plan(), "plan"));
}

#[test]
fn it_fits_windows_themes_and_settings() {
    browse("windows.mjs", &html::report(&scenes::plan(), "plan"));
}

#[test]
fn nobody_is_shut_out() {
    for page in [
        html::report(&scenes::plan(), "plan"),
        html::report(&scenes::thirteen(), "plan"),
        html::report(&scenes::failed(), "apply"),
        html::report(&scenes::hostile(), "plan"),
        html::validation(&scenes::validation()),
    ] {
        browse("access.mjs", &page);
    }
}

#[test]
fn the_top_and_the_cards_tell_of_a_run_and_of_findings() {
    browse("run.mjs", &html::report(&scenes::run(), "apply"));
    browse("failed.mjs", &html::report(&scenes::failed(), "apply"));
    browse("uneven.mjs", &html::report(&scenes::uneven(), "plan"));
    browse("validate.mjs", &html::validation(&scenes::validation()));
}

/// The page that the program itself writes, of the example, which a sandbox does not have yet.
#[test]
fn the_program_writes_such_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let (page, state) = (folder.path().join("plan.html"), folder.path().join("state"));
    let output = Command::new(env!("CARGO_BIN_EXE_brandctl"))
        .args(["plan", "--sandbox", "-f", "examples/acme/brand.yaml", "--report"])
        .arg(&page)
        .arg("--state-dir")
        .arg(&state)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    browse("program.mjs", &std::fs::read_to_string(page).unwrap());
}

#[test]
fn hostile_names_do_nothing() {
    browse("hostile.mjs", &html::report(&scenes::hostile(), "plan"));
    let names = scenes::names();
    let addresses: Vec<_> = names.iter().map(|name| Address::new(Kind::Icon, Code::new(name))).collect();
    let art = scenes::acme("icons/acme-call");
    let holding =
        |address| Holding { address, origin: HoldingOrigin::Custom("custom"), bytes: Some(&art), added: &names[0] };
    let page = html::holdings("sandbox", &names[1], &addresses.iter().map(holding).collect::<Vec<_>>());
    let codes: Vec<_> = names.iter().map(|name| serde_json::Value::from(name.as_str())).collect();
    browse_with("hostile-portal.mjs", &page, &[&serde_json::Value::from(codes).to_string()]);
    browse("access.mjs", &page);
}

/// A sandbox that the program runs, with the example on it. It ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_sandbox_shows_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let brandctl = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brandctl"));
        command.args(line.split(' ')).arg("--state-dir").arg(folder.path()).current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    };
    let applied = brandctl("apply --yes --sandbox -f examples/acme/brand.yaml --settle 0.1").output().unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    let mut sandbox = brandctl("sandbox --listen 127.0.0.1:0 --format json").stdout(Stdio::piped()).spawn().unwrap();
    let told = serde_json::Deserializer::from_reader(sandbox.stdout.take().unwrap()).into_iter().next();
    let _running = Running(sandbox);
    let welcome: serde_json::Value = told.unwrap().unwrap();
    visit("portal.mjs", welcome["page"].as_str().unwrap(), &[]);
    visit("access.mjs", welcome["page"].as_str().unwrap(), &[]);
}

#[test]
fn a_thousand_changes_open_and_filter() {
    let report = scenes::thousand();
    let page = html::report(&report, "plan");
    let images: usize = report.plan.as_ref().unwrap().contents.values().map(|bytes| bytes.len()).sum();
    println!("{} bytes of page, {images} bytes of images: {:.2}", page.len(), page.len() as f64 / images as f64);
    assert!(page.len() < 3 * images, "{} bytes of page, {images} bytes of images", page.len());
    browse("thousand.mjs", &page);
}

#[test]
fn a_page_is_short_and_whole_on_paper_and_in_one_picture() {
    browse("paper.mjs", &html::report(&scenes::thirteen(), "plan"));
}

/// What a page adds to its images weighs most where these are smallest.
#[test]
fn a_page_of_small_icons_is_small() {
    for (bytes, replaces, most) in [
        (123, false, 3.0),
        (170, false, 3.0),
        (320, false, 3.0),
        (870, false, 3.0),
        (123, true, 3.5),
        (170, true, 3.0),
        (320, true, 3.0),
        (870, true, 3.0),
    ] {
        let report = scenes::small(bytes, replaces);
        let contents = &report.plan.as_ref().unwrap().contents;
        let images: usize = contents.values().map(|bytes| bytes.len()).sum();
        let ratio = html::report(&report, "plan").len() as f64 / images as f64;
        let what = if replaces { "replaces" } else { "creates" };
        println!("1,000 {what} of {} B an image: {ratio:.2}", images / contents.len());
        assert!(ratio < most, "1,000 {what} of {bytes} B: {ratio:.2}");
    }
}

/// Whatever a portal holds is listed and found, however much it is.
#[test]
fn a_portal_of_thousands_is_listed_whole() {
    let art = scenes::acme("icons/acme-call");
    let of = |kind, count| (0..count).map(move |number| Address::new(kind, Code::new(format!("acme-{number:04}"))));
    let addresses: Vec<_> = of(Kind::Icon, 2200).chain(of(Kind::Logo, 300)).collect();
    let holding = |address| Holding { address, origin: HoldingOrigin::Custom("managed"), bytes: Some(&art), added: "" };
    let page = html::holdings("list", "", &addresses.iter().map(holding).collect::<Vec<_>>());
    browse("many.mjs", &page);
}

/// What examples/ shows of the page: name, window, colours and what is at its top.
const PICTURES: [(&str, (u32, u32), &str, &str); 4] = [
    ("report-plan", (1280, 1000), "light", ".top"),
    ("report-card", (1440, 700), "dark", "[id=\"logo/acme-brand\"]"),
    ("report-timeline", (1280, 720), "light", ".mock"),
    ("report-phone", (360, 740), "dark", "[id=\"icon/acme-call\"]"),
];

/// Fonts differ from machine to machine, so pictures are not compared with those in examples/: they are only taken.
#[test]
fn pictures_of_the_page_can_be_taken() {
    let page = html::report(&scenes::plan(), "plan");
    let taken = tempfile::tempdir().unwrap();
    for (name, (width, height), colours, to) in PICTURES {
        let file = taken.path().join(name).with_extension("png");
        let (w, h) = (width.to_string(), height.to_string());
        browse_with("picture.mjs", &page, &[file.to_str().unwrap(), &w, &h, colours, to]);
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).with_extension("png");
        if std::env::var_os("UPDATE_PICTURE").is_some() {
            std::fs::copy(&file, &kept).unwrap();
        }
        for picture in [file, kept] {
            let header = brandctl::domain::png::header(&std::fs::read(&picture).unwrap()).unwrap();
            assert_eq!((header.width, header.height), (width, height), "{}", picture.display());
        }
    }
}
