//! What lies on the way between a portal and brandctl, and answers a download with something that the portal never stored.

use brandctl::domain::asset::Kind;

use crate::common::{Brand, art, each};

/// What image services, hotlink guards and filters put in the place of a 24×24 PNG.
const SUBSTITUTES: [(&str, &str); 6] = [
    ("a GIF", r#"status 200 "GIF89a\u0001\u0000\u0001\u0000" image/gif"#),
    ("a WebP", r#"status 200 "RIFF\u001a\u0000\u0000\u0000WEBPVP8L" image/webp"#),
    ("a pixel", "image 1x1"),
    ("a larger image", "image 48x48"),
    ("a logo's size", "image 60x60"),
    ("a header cut off", "truncate 20"),
];

/// One to create, one to replace, one to delete, one in step.
fn work() -> Brand {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    brand
}

#[test]
fn what_no_portal_stores_is_unknown_and_changes_nothing() {
    each(SUBSTITUTES, |(what, action)| {
        let brand = work();
        brand.fail(format!("download every {action}").parse().unwrap());
        for line in ["plan", "drift"] {
            let output = brand.writing_nothing(|| brand.both(line));
            assert_eq!(output.changes(), ["create icon/acme-new"], "{what}: {line}: {output:?}");
            let unknown = output.json["unknown"].as_array().unwrap();
            assert_eq!(unknown.len(), 3, "{what}: {output:?}");
            assert!(output.text().contains("icon/acme-01"), "{what}: {output:?}");
        }
        assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-01", "icon/acme-02"]);
    });
}

#[test]
fn what_no_portal_stores_is_not_cached() {
    each(SUBSTITUTES, |(what, action)| {
        let brand = work();
        brand.fail(format!("download every {action}").parse().unwrap());
        brand.plan();
        brand.fail(brandctl::sandbox::Faults::none());
        let changes = ["replace icon/acme-00", "delete icon/acme-01", "create icon/acme-new"];
        assert_eq!(brand.plan().changes(), changes, "{what}");
    });
}

#[test]
fn what_no_portal_stores_is_no_part_of_an_export_or_a_list() {
    each(SUBSTITUTES, |(what, action)| {
        let brand = work();
        brand.fail(format!("download every {action}").parse().unwrap());
        let output = brand.json("list").ends_with(1);
        assert_eq!(output.json["summary"]["unknown"], 3, "{what}: {output:?}");
        let output = brand.json("export out").ends_with(1);
        assert!(output.text().contains("icon/acme-00"), "{what}: {output:?}");
        assert!(!brand.path("out/icons/acme-00.png").exists(), "{what}");
    });
}
