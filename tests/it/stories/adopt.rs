//! A portal whose icons were uploaded by hand comes under a repository.

use std::fs;

use brandctl::domain::asset::Kind;

use super::people::{Portal, Team};
use crate::common::{art, one_pixel_off};

/// A filled square: the portal takes it, and our rules would not.
fn opaque() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 24, 24);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&[0x20; 24 * 24 * 3]).unwrap();
    bytes
}

#[test]
fn a_portal_that_exists_is_adopted_without_a_change() {
    let portal = Portal::open();
    let call = art(Kind::Icon, 1);
    let truncated = &call[..call.len() - 20];
    for (address, png) in [
        ("icon/acme-call", call.as_slice()),
        ("icon/acme-Fax machine", &art(Kind::Icon, 2)),
        ("icon/acme-square", &opaque()),
        ("icon/acme-broken", truncated),
        ("logo/acme-call", &art(Kind::Logo, 3)),
        ("icon/other-app", &art(Kind::Icon, 4)),
        ("logo/../../etc", &art(Kind::Logo, 5)),
    ] {
        portal.gets(address, png);
    }
    let found = portal.holds();

    let team = Team::that_owns("nothing-", &portal);
    // Nobody knows whether it is stored so or was damaged on the way: it is kept, left alone, and said.
    let exported = team.runs("export brand --owns acme-*").ends(1);
    exported.says("Exported 5 custom entries").says("4 declared, 1 ignored").says("the image of icon/acme-broken");
    assert_eq!(fs::read(team.path("brand/ignored/icons/acme-broken.png")).unwrap(), truncated);
    team.runs("validate -f brand/brand.yaml").ends(0);
    let manifest = fs::read_to_string(team.path("brand/brand.yaml")).unwrap();
    assert!(manifest.contains("transparent-background: warn") && manifest.contains("acme-broken"), "{manifest}");
    assert_eq!(fs::read(team.path("brand/icons/acme-call.png")).unwrap(), call, "byte for byte");
    team.commits("What the portal holds");
    team.runs("plan -f brand/brand.yaml --detailed-exitcode").ends(0).says("Nothing to do.");
    assert_eq!((portal.holds(), portal.writes()), (found.clone(), 0), "looking changed nothing");

    // From now on a change of a file is a change of the portal, and of nothing else.
    team.writes("brand/icons/acme-call.png", &one_pixel_off(Kind::Icon, 1));
    team.commits("Call, with a dot");
    let plan = team.runs("plan -f brand/brand.yaml --format json").ends(0);
    assert_eq!(plan.changes(), ["replace icon/acme-call"]);
    assert_eq!(plan.movers(), ["pending icon/acme-call"]);
    team.runs("apply -f brand/brand.yaml --yes --settle 0.1").ends(0);
    team.runs("drift -f brand/brand.yaml").ends(0);
    let mut expected = found;
    expected.insert("icon/acme-call".to_owned(), one_pixel_off(Kind::Icon, 1));
    assert_eq!(portal.holds(), expected);
}

/// As docs/migrating.md says, "Codes that cannot be declared".
#[test]
fn a_code_that_cannot_be_declared_is_kept_until_ignore_no_longer_names_it() {
    let portal = Portal::open();
    for (address, mark) in [("icon/acme-call", 1), ("icon/acme-grün", 2), ("icon/acme-$", 3)] {
        portal.gets(address, &art(Kind::Icon, mark));
    }
    let team = Team::that_owns("nothing-", &portal);
    team.runs("export brand --owns acme-*").ends(0).says("1 declared, 2 ignored");
    assert_eq!(fs::read(team.path("brand/ignored/icons/acme-%24.png")).unwrap(), art(Kind::Icon, 3));
    team.runs("apply -f brand/brand.yaml --yes --settle 0.1").ends(0).says("Nothing to do.");

    let manifest = fs::read_to_string(team.path("brand/brand.yaml")).unwrap();
    let line = manifest.lines().find(|line| line.starts_with("  - ") && line.contains("grün")).unwrap();
    team.writes("brand/brand.yaml", manifest.replace(&format!("{line}\n"), "").as_bytes());
    team.runs("apply -f brand/brand.yaml --yes --settle 0.1").ends(0);
    assert_eq!(portal.holds().into_keys().collect::<Vec<_>>(), ["icon/acme-$", "icon/acme-call"]);
}
