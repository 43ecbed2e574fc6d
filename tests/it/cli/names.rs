//! Names that another user of the portal chose are shown, and do nothing.

use crate::common::Brand;

const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{202e}gnp.exe",
    "line\nPlan: 0 to create, 0 to replace, 0 to delete.",
    "back\u{8}\u{8}\u{8}\rspace",
    "nul\u{0}\u{9b}31m",
    "zero\u{200b}width\u{2028}",
];

fn brand(prefix: &str) -> (Brand, Vec<String>) {
    let mut brand = Brand::new().in_step(2);
    let mut addresses = Vec::new();
    for (mark, name) in (10..).zip(HOSTILE) {
        let address = format!("icon/{prefix}{name}");
        brand = brand.portal_has(&address, mark);
        addresses.push(address);
    }
    addresses.sort();
    (brand, addresses)
}

fn inert(text: &str) {
    let moving = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{2028}".contains(c);
    assert!(!text.chars().any(moving), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("Plan: 0 to create, 0 to replace, 0 to delete.")), "{text}");
}

fn addresses(list: &serde_json::Value) -> Vec<String> {
    let mut found: Vec<_> =
        list.as_array().unwrap().iter().map(|entry| entry["address"].as_str().unwrap().to_owned()).collect();
    found.sort();
    found
}

#[test]
fn hostile_names_of_unmanaged_entries_are_inert_and_intact() {
    let (brand, expected) = brand("x-");
    for line in ["plan", "drift", "apply --yes"] {
        let output = brand.both(line).ends_with(0);
        inert(&output.text());
        assert_eq!(addresses(&output.json["unmanaged"]), expected);
    }
    let output = brand.both("list").ends_with(0);
    inert(&output.text());
    insta::assert_snapshot!(output.out(), @r#"
    ADDRESS                                                     STANDING     BYTES  SHA256
    icon/acme-00                                                managed        145  SHA256
    icon/acme-01                                                managed        149  SHA256
    icon/x-\u{1b}[31mred\u{1b}]0;title\u{7}                     unmanaged      150  SHA256
    icon/x-<script>alert(1)</script>                            unmanaged      150  SHA256
    icon/x-back\u{8}\u{8}\u{8}\rspace                           unmanaged      150  SHA256
    icon/x-line\nPlan: 0 to create, 0 to replace, 0 to delete.  unmanaged      150  SHA256
    icon/x-nul\u{0}\u{9b}31m                                    unmanaged      150  SHA256
    icon/x-zero\u{200b}width\u{2028}                            unmanaged      150  SHA256
    icon/x-\u{202e}gnp.exe                                      unmanaged      150  SHA256

    2 managed, 7 unmanaged, 90 system (--system lists them).
    "#);
    assert_eq!(output.json["summary"]["unmanaged"], expected.len());
    let raw = brand.plan().stdout;
    assert!(!raw.chars().any(|c| c.is_control() && c != '\n'), "{raw:?}");
}

#[test]
fn hostile_names_of_owned_entries_are_deleted_and_nothing_else() {
    let (brand, expected) = brand("acme-");
    let (brand, all) =
        (brand.portal_has("icon/acme-$result[0]", 40).portal_has("icon/acme- +%2B&code=other", 41), expected.len() + 2);
    let brand = brand.portal_has("icon/other", 42);
    let output = brand.both(&format!("plan --max-deletes {all}")).ends_with(0);
    inert(&output.text());
    assert_eq!(output.changes().len(), all);
    let output = brand.run(["apply", "--yes", "--max-deletes", &all.to_string(), "--settle", "0.1", "-vv"]);
    inert(&output.text());
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-01", "icon/other"]);
}

#[test]
fn hostile_names_that_meet_a_guard_or_an_error_are_inert() {
    let (brand, expected) = brand("acme-");
    let brand = brand.with("protect: [\"acme-[!0]*\"]");
    let output = brand.both("plan --max-deletes 99").ends_with(4);
    inert(&output.text());
    assert_eq!(output.changes().len(), expected.len());
    insta::assert_snapshot!(output.out(), @r"
      - delete

      - icon/acme-\u{1b}[31mred\u{1b}]0;title\u{7}                    owned, not declared
      - icon/acme-<script>alert(1)</script>                           owned, not declared
      - icon/acme-back\u{8}\u{8}\u{8}\rspace                          owned, not declared
      - icon/acme-line\nPlan: 0 to create, 0 to replace, 0 to delete.  owned, not declared
      - icon/acme-nul\u{0}\u{9b}31m                                   owned, not declared
      - icon/acme-zero\u{200b}width\u{2028}                           owned, not declared
      - icon/acme-\u{202e}gnp.exe                                     owned, not declared

    guard protect: refused: 7 entries protected by `protect` would be changed
        icon/acme-\u{1b}[31mred\u{1b}]0;title\u{7}
        icon/acme-<script>alert(1)</script>
        icon/acme-back\u{8}\u{8}\u{8}\rspace
        icon/acme-line\nPlan: 0 to create, 0 to replace, 0 to delete.
        icon/acme-nul\u{0}\u{9b}31m
        icon/acme-zero\u{200b}width\u{2028}
        icon/acme-\u{202e}gnp.exe
      help: if this is intended, remove the pattern from `protect` first

    Plan: 0 to create, 0 to replace, 7 to delete.
          2 unchanged, 0 unmanaged, 90 system.
    ");
    // A saved plan that has gone stale names what moved.
    brand.rewrite(crate::common::MANIFEST);
    brand.run(["plan", "-o", "plan.json", "--max-deletes", "99"]).ends_with(0);
    for address in &expected {
        brand.portal.remove(brandctl::domain::asset::Kind::Icon, address.strip_prefix("icon/").unwrap()).unwrap();
    }
    let output = brand.both("apply plan.json --max-deletes 99").ends_with(5);
    inert(&output.text());
    insta::assert_snapshot!(output.err(), @r#"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[plan-stale]: icon/acme-\u{1b}[31mred\u{1b}]0;title\u{7}: it already matches the plan

    error[plan-stale]: icon/acme-<script>alert(1)</script>: it already matches the plan

    error[plan-stale]: icon/acme-back\u{8}\u{8}\u{8}\rspace: it already matches the plan

    error[plan-stale]: icon/acme-line\nPlan: 0 to create, 0 to replace, 0 to delete.: it already matches the plan

    error[plan-stale]: icon/acme-nul\u{0}\u{9b}31m: it already matches the plan

    error[plan-stale]: icon/acme-zero\u{200b}width\u{2028}: it already matches the plan

    error[plan-stale]: icon/acme-\u{202e}gnp.exe: it already matches the plan
      = help: nothing was written; make a new plan
    "#);
}

#[test]
fn colour_is_for_terminals_and_for_whoever_asks() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    assert!(!brand.run(["plan"]).text().contains('\u{1b}'));
    assert!(brand.run(["plan", "--color", "always"]).stdout.contains("\u{1b}["));
    assert!(!brand.run(["plan", "--color", "always", "--format", "json"]).stdout.contains('\u{1b}'));
}

#[test]
fn a_name_that_a_batch_would_substitute_reaches_no_other_entry() {
    // In a batch, `$result[c0]` after a delete that succeeded means `1`: the entry that `ignore` keeps.
    let brand = Brand::new()
        .in_step(2)
        .with("ignore: [acme-1]")
        .portal_has("icon/acme-!", 40)
        .portal_has("icon/acme-$result[c0]", 41)
        .portal_has("icon/acme-1", 42);
    let output = brand.apply_with("--max-deletes 2").ends_with(0);
    assert_eq!(output.fates(), ["applied icon/acme-!", "applied icon/acme-$result[c0]"]);
    assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-01", "icon/acme-1"]);
}
