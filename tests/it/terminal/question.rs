use std::fs;

use super::Terminal;
use crate::common::Brand;

const ASKED: &str = "Type `yes` to apply:";

fn brand() -> Brand {
    Brand::new().declares("icon/acme-new", 1)
}

#[test]
fn a_question_that_is_declined_or_interrupted_leaves_its_reports() {
    for (keys, code, told, rule) in [
        ("no\n", 1, "Declined: nothing was written", "declined"),
        ("\u{3}", 130, "Interrupted: nothing was written", "interrupted"),
    ] {
        let brand = brand();
        let line = "apply --report x.html --report x.md --report x.xml --report x.json";
        let shown = Terminal::of(80).run_and_type(&brand, line, ASKED, keys);
        assert_eq!(shown.code, code, "{}", shown.words());
        assert!(shown.words().contains(&format!("error[{rule}]")), "{}", shown.words());
        let read = |name| fs::read_to_string(brand.path(name)).unwrap();
        assert!(read("x.html").contains(told), "{told}");
        assert!(read("x.md").contains(&format!("**{told}.**")), "{}", read("x.md"));
        assert!(read("x.xml").contains(&format!("<error type=\"{rule}\"")), "{}", read("x.xml"));
        assert!(read("x.json").contains(&format!("\"rule\": \"{rule}\"")), "{}", read("x.json"));
        assert!(brand.write_requests().is_empty() && brand.codes().is_empty());
    }
}

#[test]
fn yes_is_yes() {
    let brand = brand();
    let shown = Terminal::of(80).run_and_type(&brand, "apply --settle 0.1", ASKED, "yes\n");
    assert_eq!(shown.code, 0, "{}", shown.words());
    assert_eq!(brand.codes(), ["icon/acme-new"]);
}
