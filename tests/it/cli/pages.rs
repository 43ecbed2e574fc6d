//! Pages and diffs say of an entry only what was seen: what nobody compared is not called unchanged.

use std::fs;

use brandctl::domain::asset::{Digest, Kind};

use crate::common::{Brand, art, reencoded, scrubbed};

fn page(brand: &Brand) -> String {
    fs::read_to_string(brand.path("page.html")).unwrap()
}

/// The entries that a page shows as left as they are.
fn tiles(page: &str) -> usize {
    page.matches("class=\"tile unchanged").count()
}

#[test]
fn what_a_selection_leaves_out_is_not_called_unchanged() {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 40).declares("icon/acme-other", 41);
    brand.seed("icon/acme-00", &art(Kind::Icon, 77));
    let diff = brand.run("plan --only icon/acme-new --report page.html --format diff".split(' ')).ends_with(0).stdout;
    assert_eq!(diff.lines().filter(|line| line.contains("sha256")).count(), 1, "{diff}");
    let html = page(&brand);
    assert_eq!((tiles(&html), html.contains("Left as they are")), (0, false));
    // Each of the others has a finding, and is shown with it.
    assert!(html.contains("Not compared"), "{html}");

    brand.run("plan --only icon/acme-0? --report page.html".split(' ')).ends_with(0);
    assert_eq!((tiles(&page(&brand)), page(&brand).contains("Not compared")), (2, true));

    brand.run(["plan", "--only", "icon/zzz*", "--report", "page.html"]).ends_with(1);
    assert_eq!(tiles(&page(&brand)), 0);

    brand.run("plan --report page.html".split(' ')).ends_with(0);
    assert_eq!((tiles(&page(&brand)), page(&brand).contains("neither compared")), (2, false));
}

#[test]
fn an_entry_in_conflict_is_shown_with_what_is_wrong_and_not_as_unchanged() {
    let brand = Brand::new().in_step(2).declares("icon/acme-case", 9);
    brand.seed("icon/ACME-case", &art(Kind::Icon, 9));
    brand.run("plan --report page.html".split(' ')).ends_with(1);
    let html = page(&brand);
    assert_eq!(tiles(&html), 2);
    let (_, alone) = html.split_once("Not compared").unwrap();
    assert!(alone.contains("card declared icon") && alone.contains("code-respelt"), "{alone}");
}

#[test]
fn a_diff_states_what_the_portal_holds() {
    let (ours, theirs) = (art(Kind::Icon, 50), reencoded(Kind::Icon, 50));
    let brand = Brand::new().in_step(1).declares("icon/acme-51", 51).declares("icon/acme-50", 50);
    brand.seed("icon/acme-50", &theirs);
    let diff = brand.run(["plan", "--format", "diff"]).ends_with(0).stdout;
    let line =
        format!("\n   acme-50: {{sha256: {}, size: {}, dimensions: 24x24}}\n", Digest::of(&theirs), theirs.len());
    assert!(diff.contains(&line) && !diff.contains(&Digest::of(&ours).to_string()), "{diff}");
}

#[test]
fn what_was_saved_says_what_it_does_not_know() {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 40);
    brand.save_plan();
    let shown = brand.run("show plan.json --report page.html --format diff".split(' ')).ends_with(0).stdout;
    insta::assert_snapshot!(scrubbed(&shown), @"
    # 3 entries that stay are not shown: a saved plan only counts them
    --- observed: PORTAL
    +++ desired: brand.yaml
    @@ -0,0 +1,2 @@
    +icons:
    +  acme-new: {sha256: SHA256, size: 150, dimensions: 24x24}
    ");
    let html = page(&brand);
    assert!(html.contains("3 unchanged entries not shown: a saved plan only counts them"), "{html}");
}

#[test]
fn a_run_is_shown_with_its_new_images_while_the_files_hold_them() {
    let brand = Brand::new().in_step(2);
    brand.draw("icon/acme-00", &art(Kind::Icon, 77));
    brand.apply().ends_with(0);
    let id = brand.json("history").json["runs"][0]["run"].as_str().unwrap().to_owned();
    let show = || {
        let diff = brand.run(["show", &id, "--report", "page.html", "--format", "diff"]).ends_with(0).stdout;
        (page(&brand), diff.matches("dimensions: 24x24").count())
    };
    let (html, dimensions) = show();
    assert_eq!((html.matches("data:image/png").count(), dimensions), (3, 2), "before, after and what differs");
    assert!(html.contains("<figure class=\"diff\">") && !html.contains("not available"), "{html}");

    brand.draw("icon/acme-00", &art(Kind::Icon, 78));
    let (html, dimensions) = show();
    assert_eq!((html.matches("data:image/png").count(), dimensions), (1, 0), "one side's facts are no difference");
    assert!(html.contains("not available: a run keeps only old images, and the file has changed"), "{html}");
}

#[test]
fn a_missing_file_is_an_entry_like_the_others() {
    let entries = ["00", "01", "lost"].map(|name| format!("  acme-{name}: icons/acme-{name}.png\n")).concat();
    let brand = Brand::new().manifest(format!("version: 1\nowns: [\"acme-*\"]\nicons:\n{entries}")).in_step(2);
    brand.run(["validate", "--report", "page.html"]).ends_with(1);
    let html = page(&brand);
    assert_eq!(html.matches("class=\"card declared icon\"").count(), 3);
    assert!(html.contains("id=\"icon/acme-lost\"") && html.contains("could not be read"), "{html}");
    assert!(html.contains("<b>3</b> with findings"), "{html}");
}
