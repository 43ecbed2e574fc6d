use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};
use textwrap::core::display_width;

use super::{Terminal, words};
use crate::common::{Brand, art, sized};

const SIZES: [u16; 3] = [40, 80, 200];

/// Breaks between words only, and says the same as in a pipe.
#[track_caller]
fn reads_the_same(brand: &Brand, line: &str) {
    let piped = words(&brand.run(line.split(' ')).text());
    for columns in SIZES {
        let shown = Terminal::of(columns).run(brand, line);
        assert_eq!(shown.fits().words(), piped, "{line} at {columns} columns");
    }
}

/// In which cell the text begins, in each line that has it.
fn columns_of(lines: &[String], text: &str) -> Vec<usize> {
    lines.iter().filter_map(|line| line.find(text).map(|at| display_width(&line[..at]))).collect()
}

#[test]
fn lists_and_findings_break_between_words_at_every_width() {
    let brand = Brand::new()
        .in_step(1)
        .declares("icon/acme-with-a-name-that-is-long", 2)
        .portal_has("icon/acme-with-a-name-that-is-long", 2)
        .portal_has("logo/payroll", 3);
    reads_the_same(&brand, "list --quiet");
    brand.undeclare("icon/acme-with-a-name-that-is-long");
    brand.draw("icon/acme-00", &sized(30));
    brand.draw("icon/acme-01", &[0; 90]);
    for columns in SIZES {
        let shown = Terminal::of(columns).run(&brand, "validate");
        assert_eq!(shown.code, 1);
        shown.fits();
        assert!(shown.words().contains("error[png-size]"), "{}", shown.words());
    }
    // What goes to standard error too.
    let unpinned = Brand::new().with("portal: some-other-portal.bitrix24.com");
    for columns in SIZES {
        let shown = Terminal::of(columns).run(&unpinned, "plan");
        assert!(shown.fits().words().contains("use the credentials of that portal"), "{}", shown.words());
        let shown = Terminal::of(columns).run(&Brand::new(), "plan");
        assert!(shown.fits().words().contains(", with the webhook of BITRIX24_WEBHOOK_URL"), "{}", shown.words());
    }
}

#[test]
fn a_run_and_the_history_break_between_words_at_every_width() {
    for columns in SIZES {
        let brand = (0..3_u8).fold(Brand::new(), |brand, number| {
            let address = format!("icon/acme-with-a-long-name-{number}");
            brand.declares(&address, number).portal_has(&address, 99 + number)
        });
        brand.fail("any 1 refuse *.add 400 ACCESS_DENIED".parse().unwrap());
        // What is a path is not broken, and this one is as long as the narrowest line.
        let shown = Terminal::of(columns).run(&brand, "apply --yes --quiet --settle 0.1 --state-dir s");
        assert!(shown.code == 1 || shown.code == 3, "{}", shown.words());
        shown.fits();
        assert!(shown.words().contains("Not everything was applied: "), "{}", shown.words());
        let address = brand.portal.address().to_string();
        let history = words(&brand.run(["history", "--state-dir", "s"]).stdout).replace("PORTAL", &address);
        assert_eq!(Terminal::of(columns).run(&brand, "history --state-dir s").fits().words(), history);
        let id = history.split(' ').next().unwrap();
        Terminal::of(columns).run(&brand, &format!("show {id} --state-dir s")).fits();
    }
}

/// A wide character takes two cells, and one that combines none.
#[test]
fn columns_stay_columns_whatever_the_codes_are() {
    let brand = Brand::new().in_step(1);
    for code in ["😀😀", "e\u{301}e\u{301}e\u{301}", "图标", "plain"] {
        brand.portal.seed(Kind::Icon, code, &art(Kind::Icon, 7)).unwrap();
    }
    let shown = Terminal::of(200).run(&brand, "list -q");
    // Ours, then four of others: `unmanaged` begins two cells earlier.
    let listed = columns_of(&shown.lines()[1..6], "managed");
    assert_eq!(listed, [14, 16, 16, 16, 16], "{}", shown.screen().contents());
}

/// What is not changed stands in the columns of what is.
#[test]
fn reasons_stand_below_each_other() {
    let brand = Brand::new()
        .declares("icon/acme-new-with-a-long-name", 1)
        .declares("icon/acme-lost", 2)
        .portal_has("icon/acme-lost", 3);
    brand.fail(Faults::one(On::Download, When::Every, FaultAction::Html(404)));
    let shown = Terminal::of(200).run(&brand, "plan -q");
    let lines = shown.lines();
    let found: Vec<_> = ["not on the portal", "left alone: "].map(|text| columns_of(&lines, text)[0]).into();
    assert_eq!(found, vec![found[0]; 2], "{}", shown.screen().contents());
}
