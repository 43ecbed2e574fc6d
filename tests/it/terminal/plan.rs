use brandctl::domain::asset::Kind;
use vt100::Color;

use super::{Terminal, words};
use crate::cli::moved::InGit as _;
use crate::common::{Brand, art, scrubbed};

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

/// One of each, in Git, applied and then changed on both sides.
fn moved() -> Brand {
    let brand = Brand::new()
        .in_git()
        .declares("icon/acme-call", 1)
        .declares("icon/acme-chat", 2)
        .declares("icon/acme-phone", 3)
        .declares("icon/acme-stays", 4);
    brand.commit();
    brand.apply().ends_with(0);
    // On the portal: one deleted, one replaced, one added.
    brand.portal.remove(Kind::Icon, "acme-call").unwrap();
    brand.seed("icon/acme-chat", &art(Kind::Icon, 22));
    brand.seed("icon/acme-added", &art(Kind::Icon, 23));
    // In the repository: one renamed, one new.
    std::fs::rename(brand.path("icons/acme-phone.png"), brand.path("icons/acme-mobile.png")).unwrap();
    let brand = brand.declares("icon/acme-new-one-with-a-name", 5).declares("icon/acme-new", 6);
    brand.commit();
    brand
}

/// A text without what differs from run to run; commits may stand at the end of a line, too.
fn without_commits(text: &str) -> String {
    let word = |part: &str| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_commit = word.len() == 10 && word.chars().all(|c| c.is_ascii_hexdigit());
        if is_commit { part.replacen(word, "COMMIT", 1) } else { part.to_owned() }
    };
    scrubbed(text).split_inclusive(|c: char| !c.is_ascii_alphanumeric()).map(word).collect()
}

#[test]
fn plan_drift_and_restore_have_words_of_their_own_at_every_width() {
    insta::with_settings!({ omit_expression => true }, {
        for columns in SIZES {
            let brand = moved();
            // Git is found by it.
            let path: &'static str = Box::leak(std::env::var("PATH").unwrap().into_boxed_str());
            let terminal = Terminal::of(columns).with("PATH", path);
            let shown = terminal.run(&brand, "plan --quiet");
            insta::assert_snapshot!(format!("moved_plan_{columns}"), without_commits(&shown.fits().screen().contents()));
            let shown = terminal.run(&brand, "drift --quiet");
            assert_eq!(shown.code, 2);
            insta::assert_snapshot!(format!("moved_drift_{columns}"), without_commits(&shown.fits().screen().contents()));
            brand.json("apply --yes --settle 0.1 --max-deletes 5").ends_with(0);
            let history = brand.json("history");
            let run = history.json["runs"].as_array().unwrap().last().unwrap()["run"].as_str().unwrap().to_owned();
            // What was added on the portal comes back, and the next apply deletes it again.
            let line = format!("restore {run} icon/acme-added icon/acme-phone --yes --settle 0.1 --no-progress");
            let shown = terminal.run(&brand, &line);
            assert_eq!(shown.code, 0, "{}", shown.words());
            assert!(shown.words().contains("The next `brandctl apply` undoes this restore, unless you change the repository too."));
            let restored = brand.run(["history"]).out();
            assert_eq!(restored.lines().filter(|line| line.contains("restore: put back 2 entries")).count(), 1);
            let out = shown.lines().into_iter().filter(|line| !line.contains(": put back (")).collect::<Vec<_>>();
            assert!(out.iter().any(|line| line.starts_with("Restore: 2 to put back.")), "{}", shown.words());
        }
    });
}

#[test]
fn a_run_that_is_not_whole_reads_well_at_every_width() {
    insta::with_settings!({ omit_expression => true }, {
        for columns in SIZES {
            let brand = (0..3_u8).fold(Brand::new(), |brand, number| {
                let address = format!("icon/acme-with-a-long-name-{number}");
                brand.declares(&address, number).portal_has(&address, 99 + number)
            });
            brand.fail("any every refuse *.add 400 ACCESS_DENIED \"not today\"".parse().unwrap());
            let shown = Terminal::of(columns).run(&brand, "apply --yes --quiet --settle 0.1 --state-dir s");
            assert_eq!(shown.code, 3, "{}", shown.words());
            // The first words after the plan are what is missing.
            let address = brand.portal.address().to_string();
            let text = scrubbed(&shown.screen().contents().replace(&address, "PORTAL"));
            let folder = format!("{}_{}", address.split(':').next().unwrap(), address.rsplit(':').next().unwrap());
            insta::assert_snapshot!(format!("failed_run_{columns}"), text.replace(&folder, "PORTAL"));
        }
    });
}

#[test]
fn unmanaged_entries_are_counted_and_named_only_where_that_is_asked_for() {
    let brand = brand();
    let plain = brand.run(["plan"]).stdout;
    assert!(plain.contains("2 unmanaged (-v lists them), 90 system") && !plain.contains("payroll"), "{plain}");
    let named = brand.run(["plan", "-v"]).stdout;
    assert!(named.contains("icon/payroll                    unmanaged: not owned"), "{named}");
    let quiet = brand.run(["plan", "-q"]).stdout;
    assert!(!quiet.contains("-v") && !quiet.contains("Next:"), "{quiet}");
}

#[test]
fn a_plan_says_how_to_go_on() {
    let brand = Brand::new().declares("icon/acme-new", 1);
    let text = brand.run(["plan", "--only", "icon/*"]).stdout;
    assert!(
        text.ends_with(
            "\nNext:\n  brandctl apply --only 'icon/*'              make these changes\n  \
         brandctl plan --only 'icon/*' -o plan.json  save them, to apply exactly this plan later\n"
        ),
        "{text}"
    );
    let saved = brand.run(["plan", "-f", "brand.yaml", "-o", "my plan.json"]).stdout;
    assert!(saved.ends_with("  brandctl apply -f brand.yaml 'my plan.json'  make exactly these changes\n"), "{saved}");
    // Nothing is in the way of it only here.
    let refused = brand.portal_has("icon/acme-gone", 2).with("policy: {max_deletes: 0}").run(["plan"]).ends_with(4);
    assert!(!refused.stdout.contains("Next:"), "{refused:?}");
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
        assert!(words(names).starts_with("before after"), "{names}");
    }
    for (terminal, options, why) in [
        (Terminal::of(80).with("TERM", "dumb"), "", "TERM is `dumb`"),
        (Terminal::of(80).with("TERM", "vt100"), "", "the terminal does not report 256 colours"),
        (Terminal::of(80).with("NO_COLOR", "1"), "", "NO_COLOR is set"),
        (Terminal::of(80).with("CLICOLOR", "0"), "", "the environment disables colours"),
        (Terminal::of(80), "--color never", "--color is `never`"),
    ] {
        let shown = terminal.run(&brand, &format!("plan --preview {options}"));
        assert!(!shown.raw().contains('▀'), "{}", shown.raw());
        assert!(shown.words().contains("--preview draws no images"), "{}", shown.words());
        assert!(shown.words().contains(&format!("draws no images: {why} ")), "{}", shown.words());
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
