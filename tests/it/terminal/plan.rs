use brandctl::domain::asset::Kind;
use vt100::Color;

use super::{Terminal, words};
use crate::common::{Brand, art};

const SIZES: [u16; 3] = [40, 80, 200];

/// One of each: a create, a replace, a rename by case, a delete, and somebody else's entry.
fn brand() -> Brand {
    let brand = Brand::new()
        .with("policy: {max_deletes: 0}")
        .declares("icon/acme-new-with-a-long-name", 1)
        .declares("icon/acme-changed", 2)
        .portal_has("icon/acme-changed", 3)
        .declares("logo/acme-respelt", 4)
        .portal_has("logo/acme-Respelt", 4)
        .portal_has("icon/acme-gone", 5)
        .portal_has("icon/payroll", 6);
    brand.portal.seed(Kind::Icon, "\u{1b}]0;x\u{7}\u{202e}", &art(Kind::Icon, 7)).unwrap();
    brand
}

#[test]
fn a_plan_is_whole_and_breaks_between_words_at_every_width() {
    let brand = brand();
    let piped = brand.run(["plan", "--quiet"]).ends_with(4);
    for columns in SIZES {
        let shown = Terminal::of(columns).run(&brand, "plan --quiet");
        assert_eq!(shown.code, 4);
        shown.fits();
        assert_eq!(shown.words(), words(&piped.text()), "at {columns} columns");
        assert!(!shown.raw().contains("\u{1b}]0") && !shown.raw().contains('\u{202e}'), "{}", shown.raw());
    }
    insta::with_settings!({ omit_expression => true }, {
        for columns in SIZES {
            let shown = Terminal::of(columns).run(&brand, "plan --quiet");
            insta::assert_snapshot!(format!("plan_{columns}"), shown.screen().contents());
        }
    });
}

#[test]
fn each_action_has_a_colour_where_colours_are_wanted() {
    let brand = brand();
    let shown = Terminal::of(80).run(&brand, "plan -q");
    assert_eq!(shown.colour("+ icon/acme-new"), Color::Idx(2));
    assert_eq!(shown.colour("-/+ icon/acme-changed"), Color::Idx(3));
    assert_eq!(shown.colour("- icon/acme-gone"), Color::Idx(1));
    for terminal in [Terminal::of(80).with("NO_COLOR", "1"), Terminal::of(80).with("TERM", "dumb")] {
        let shown = terminal.run(&brand, "plan -q");
        assert_eq!(shown.colour("+ icon/acme-new"), Color::Default);
        assert!(!shown.raw().contains('\u{1b}'), "{}", shown.raw());
    }
    let forced = Terminal::of(80).with("NO_COLOR", "1").run(&brand, "plan -q --color always");
    assert_eq!(forced.colour("+ icon/acme-new"), Color::Idx(2));
}

#[test]
fn a_diff_is_coloured_on_a_terminal_and_plain_in_a_pipe() {
    let brand = brand();
    let shown = Terminal::of(200).run(&brand, "plan -q --format diff");
    assert_eq!(shown.colour("+  acme-new-with-a-long-name: {sha256:"), Color::Idx(2));
    assert_eq!(shown.colour("-  acme-gone: {sha256:"), Color::Idx(1));
    let piped = brand.run(["plan", "-q", "--format", "diff"]);
    assert!(piped.stdout.contains("\n+  acme-new-with-a-long-name: {sha256: ") && !piped.stdout.contains('\u{1b}'));
}

#[test]
fn images_are_drawn_where_they_can_be() {
    let brand = brand();
    for columns in SIZES {
        let indexed = Terminal::of(columns).run(&brand, "plan -q --preview");
        indexed.fits();
        assert!(matches!(indexed.colour("▀"), Color::Idx(_)), "256 colours");
        let row = indexed.lines().into_iter().find(|line| line.contains('▀')).unwrap();
        assert!(row.matches('▀').count() >= 16, "{row}");
        let all = Terminal::of(columns).with("COLORTERM", "truecolor").run(&brand, "drift -q --preview");
        all.fits();
        assert!(matches!(all.colour("▀"), Color::Rgb(..)), "all colours");
        // Two beside each other for what is replaced, distinguished by their names.
        let lines = all.lines();
        let changed = lines.iter().position(|line| line.contains("acme-changed")).unwrap();
        let names = lines[changed..].iter().find(|line| line.contains("before")).unwrap();
        assert_eq!(words(names), "before after");
    }
    for (terminal, options, why) in [
        (Terminal::of(80).with("TERM", "dumb"), "", "TERM is `dumb`"),
        (Terminal::of(80).with("TERM", "vt100"), "", "the terminal does not say that it has 256 colours"),
        (Terminal::of(80).with("NO_COLOR", "1"), "", "NO_COLOR is set"),
        (Terminal::of(80).with("CLICOLOR", "0"), "", "the environment wants no colours"),
        (Terminal::of(80), "--color never", "--color is `never`"),
    ] {
        let shown = terminal.run(&brand, &format!("plan --preview {options}"));
        assert!(!shown.raw().contains('▀'), "{}", shown.raw());
        assert!(shown.words().contains("--preview draws nothing here"), "{}", shown.words());
        assert!(shown.words().contains(&format!("draws nothing here: {why} ")), "{}", shown.words());
    }
    let piped = brand.run(["plan", "--preview", "--color", "always"]);
    assert!(!piped.text().contains('▀') && !piped.text().contains("draws nothing"), "{piped:?}");
}

#[test]
fn lines_that_end_as_on_windows_are_lines() {
    let brand = Brand::new().declares("icon/acme-new", 1);
    let manifest =
        "version: 1\r\nowns: [\"acme-*\"]\r\nicons: icons/\r\nlogos: logos/\r\nrules: {orphan-file: wran}\r\n";
    brand.rewrite(manifest);
    let shown = Terminal::of(40).run(&brand, "plan -q");
    assert_eq!(shown.code, 1);
    assert!(shown.words().contains("brand.yaml:5:"), "{}", shown.words());
    brand.rewrite(manifest.replace("wran", "warn"));
    let shown = Terminal::of(40).run(&brand, "plan -q");
    assert_eq!(shown.code, 0);
    assert_eq!(shown.fits().colour("+ icon/acme-new"), Color::Idx(2));
}
