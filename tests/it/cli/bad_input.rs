//! Input that cannot be meant: what, where and how to fix it, and not one request.

use std::fs;

use brandctl::domain::asset::Kind;

use crate::common::{Brand, MANIFEST, art, sized};

const HEAD: &str = "version: 1\nowns: [\"acme-*\"]\n";

/// Holds that every command refuses, says `rule`, shows `place` and a hint, and asks the portal nothing.
#[track_caller]
fn refused(what: &str, brand: &Brand, rule: &str, place: &str) {
    for line in ["validate", "plan", "drift", "apply --yes --allow-empty --max-deletes 99"] {
        let output = brand.both(line);
        assert_eq!(output.code, 1, "{what}, {line}: {output:?}");
        assert!(
            (rule.is_empty() && !output.errors().is_empty()) || output.errors().contains(&rule.to_owned()),
            "{what}, {line}: {:?}",
            output.errors()
        );
        let text = output.text();
        assert!(text.contains(rule) && text.contains(place), "{what}, {line}: {text}");
        assert!(text.contains("help"), "{what}, {line}: no hint in {text}");
        assert!(output.changes().is_empty());
    }
    assert!(brand.portal.requests().is_empty(), "{what}: the portal was asked");
}

#[test]
fn deck_a_manifest_that_says_nothing_is_no_wish_for_nothing() {
    for (what, text, rule) in [
        ("empty", "", "manifest-empty"),
        ("blank", " \n\n", "manifest-empty"),
        ("comment", "# brand\n", "manifest-empty"),
        ("null", "null\n", "manifest-empty"),
        ("tilde", "~", "manifest-empty"),
        ("marker", "---\n", "manifest-empty"),
    ] {
        refused(what, &Brand::new().portal_has("icon/acme-a", 1).manifest(text), rule, "brand.yaml");
    }
}

#[test]
fn a_manifest_that_is_no_manifest_is_refused_where_it_goes_wrong() {
    let bomb = {
        let mut text = format!("{HEAD}a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let last = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{last}]\n"));
        }
        text
    };
    for (what, text, rule, place) in [
        ("truncated in a map", format!("{HEAD}icons: {{acme-a: icons/a.png, "), "manifest-yaml", "brand.yaml:"),
        ("truncated in a string", format!("{HEAD}icons: \"ico"), "manifest-yaml", "brand.yaml:"),
        ("an alias bomb", bomb, "manifest-yaml", "brand.yaml:"),
        ("a list", "- version: 1\n".to_owned(), "wrong-type", "brand.yaml:1:1"),
        ("a word", "brand".to_owned(), "wrong-type", "brand.yaml:1:1"),
        ("two documents", format!("{HEAD}icons: {{}}\n---\nversion: 1\n"), "", "brand.yaml"),
        ("an unknown key", format!("{HEAD}icnos: {{}}\n"), "unknown-key", "brand.yaml:3:1"),
        (
            "an unknown key inside",
            format!("{HEAD}icons: {{}}\npolicy: {{prun: true}}\n"),
            "unknown-key",
            "brand.yaml:4:10",
        ),
        ("a key twice", format!("{HEAD}icons: {{}}\nlogos: {{}}\nicons: {{}}\n"), "duplicate-key", "brand.yaml:5:1"),
        (
            "a code twice",
            format!("{HEAD}icons:\n  acme-a: a.png\n  acme-a: b.png\n"),
            "duplicate-key",
            "brand.yaml:5:3",
        ),
        ("a code outside owns", format!("{HEAD}icons: {{other: a.png}}\n"), "code-outside-owns", "brand.yaml:3:9"),
        (
            "case twins",
            format!("{HEAD}icons:\n  acme-a: a.png\n  acme-A: b.png\n"),
            "code-case-twins",
            "brand.yaml:5:3",
        ),
        ("a code with a dollar", format!("{HEAD}icons: {{\"acme-$x\": a.png}}\n"), "code-syntax", "brand.yaml:3:9"),
        ("a path that leaves", format!("{HEAD}icons: {{acme-a: ../a.png}}\n"), "bad-path", "brand.yaml:3:17"),
        ("an absolute path", format!("{HEAD}icons: {{acme-a: /etc/passwd}}\n"), "bad-path", "brand.yaml:3:17"),
        ("a folder that leaves", format!("{HEAD}icons: ../icons\n"), "bad-path", "brand.yaml:3:8"),
        ("no version", "owns: [acme-*]\nicons: {}\n".to_owned(), "manifest-version", "brand.yaml:1:1"),
        (
            "a newer version",
            "version: 2\nowns: [acme-*]\nicons: {}\n".to_owned(),
            "manifest-version",
            "brand.yaml:1:10",
        ),
        ("no owns", "version: 1\nicons: {}\n".to_owned(), "missing-key", "brand.yaml:1:1"),
        ("a number for a flag", format!("{HEAD}icons: {{}}\npolicy: {{prune: 1}}\n"), "wrong-type", "brand.yaml:4:17"),
        ("an unknown rule", format!("{HEAD}icons: {{}}\nrules: {{png-sise: off}}\n"), "unknown-rule", "brand.yaml:4:9"),
        (
            "a webhook",
            format!("{HEAD}icons: {{}}\nportal: https://a.bitrix24.com/rest/1/abcdefgh12345678/\n"),
            "manifest-secret",
            "brand.yaml:4",
        ),
    ] {
        refused(what, &Brand::new().portal_has("icon/acme-a", 1).manifest(text), rule, place);
    }
}

#[test]
fn a_manifest_that_is_no_text_or_no_file_is_refused() {
    refused("binary", &Brand::new().manifest([0xff, 0xfe, 0x00, 0x80, b'\n']), "manifest-text", "brand.yaml");
    refused("a picture", &Brand::new().manifest(art(Kind::Icon, 1)), "manifest-text", "brand.yaml");
    let over = 8 * 1024 * 1024 + 1;
    refused("too large", &Brand::new().manifest(vec![b'#'; over]), "manifest-unreadable", "brand.yaml");
    let brand = Brand::new();
    fs::remove_file(brand.path("brand.yaml")).unwrap();
    refused("missing", &brand, "manifest-unreadable", "brand.yaml");
    fs::create_dir(brand.path("brand.yaml")).unwrap();
    refused("a folder", &brand, "manifest-unreadable", "brand.yaml");
}

#[test]
fn everything_is_told_in_one_go() {
    let brand = Brand::new().manifest(format!("{HEAD}icnos: {{}}\nicons: {{other: ../a.png, acme-b: b.png}}\n"));
    let output = brand.both("validate").ends_with(1);
    let mut rules = output.errors();
    rules.sort();
    assert_eq!(rules, ["bad-path", "code-outside-owns", "file-missing", "unknown-key"], "{output:?}");
}

#[test]
fn a_hint_says_what_was_meant() {
    let output =
        Brand::new().manifest(format!("{HEAD}icons: {{}}\npolcy: {{prune: true}}\n")).run(["validate"]).ends_with(1);
    assert!(output.text().contains("did you mean `policy`"), "{}", output.text());
}

#[test]
fn a_file_that_cannot_be_taken_is_named() {
    let manifest = format!("{HEAD}icons:\n  acme-a: icons/a.png\n");
    let brand = Brand::new().manifest(&manifest);
    refused("absent", &brand, "file-missing", "icons/a.png");
    fs::create_dir(brand.path("icons/a.png")).unwrap();
    refused("a folder", &brand, "file-unreadable", "icons/a.png");
    fs::remove_dir(brand.path("icons/a.png")).unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.png"), art(Kind::Icon, 1)).unwrap();
    std::os::unix::fs::symlink(outside.path().join("a.png"), brand.path("icons/a.png")).unwrap();
    refused("a link that leaves", &brand, "", "icons/a.png");
    fs::remove_file(brand.path("icons/a.png")).unwrap();
    fs::remove_dir(brand.path("icons")).unwrap();
    std::os::unix::fs::symlink(outside.path(), brand.path("icons")).unwrap();
    refused("a folder that is a link that leaves", &brand, "", "icons");
    refused("the same as a folder", &brand.manifest(MANIFEST), "", "icons");
}

/// A picture of other proportions.
fn wide() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 30_000, 24);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0; 30_000 * 24]).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn art_that_the_portal_or_a_browser_would_choke_on_is_refused() {
    let whole = art(Kind::Icon, 1);
    let position = |name: &[u8]| whole.windows(4).position(|window| window == name).unwrap();
    let mut broken = whole.clone();
    broken[position(b"IDAT") + 6] ^= 1;
    for (what, bytes, rule) in [
        ("too large a picture", sized(25), "png-size"),
        ("a logo", art(Kind::Logo, 1), "png-size"),
        ("30,000 px wide", wide(), "png-size"),
        ("truncated", whole[..whole.len() - 16].to_vec(), "png-format"),
        ("truncated early", whole[..20].to_vec(), "png-format"),
        ("a broken checksum", broken, "png-format"),
        ("trailing data", [&whole[..], b"<?php"].concat(), "png-format"),
        ("empty", Vec::new(), "png-format"),
        ("a JPEG", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01".to_vec(), "png-format"),
        ("an SVG", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), "png-format"),
        (
            "random bytes",
            (0..2000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect(),
            "png-format",
        ),
        ("300 KiB", [&whole[..], &vec![0; 300 * 1024][..]].concat(), "file-too-large"),
    ] {
        let brand = Brand::new().portal_has("icon/acme-a", 2);
        brand.draw("icon/acme-a", &bytes);
        refused(what, &brand, rule, "icons/acme-a.png");
    }
}

#[test]
fn a_portal_that_cannot_be_talked_to_is_named() {
    let secret = "q7w8e9r0t1y2u3i4";
    for (webhook, place) in [
        (format!("http://127.0.0.1:9/rest/1/{secret}/"), "127.0.0.1:9"),
        (format!("https://portal.invalid/rest/1/{secret}/"), "portal.invalid"),
        (format!("http://acme.bitrix24.com/rest/1/{secret}/"), "https"),
    ] {
        let brand = Brand::new().in_step(1).with_webhook(Some(&webhook));
        for line in ["plan --timeout 2", "apply --yes --timeout 2"] {
            let output = brand.both(line).ends_with(1);
            assert!(output.stderr.contains(place) && output.stderr.contains("help"), "{}", output.stderr);
            assert!(!output.stderr.contains(secret));
        }
    }
    // Something listens that is not a portal: it refuses the webhook.
    let brand = Brand::new().in_step(1);
    let wrong = format!("http://{}/rest/1/wrongwrongwrong1/", brand.portal.address());
    let brand = brand.with_webhook(Some(&wrong));
    let output = brand.both("plan").ends_with(1);
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    warning[low-contrast]: the image has little contrast: 1.3:1 on the white marker of log entries, 1.4:1 on the blue marker of activities (#2fc6f6)
    --> icons/acme-00.png (icon/acme-00)
     = help: draw it in a darker colour, or give it a dark outline

    error[portal]: PORTAL answered 401 and error INVALID_CREDENTIALS: Invalid request credentials
      = help: the webhook is wrong or was revoked: make a new one on the portal and put its URL into BITRIX24_WEBHOOK_URL
    ");
}

#[cfg(unix)]
#[test]
fn a_bundle_of_certificates_that_cannot_be_read_is_told_and_has_an_end() {
    let brand = Brand::new();
    for (file, why) in
        [("absent.pem", "No such file"), ("/dev/zero", "longer than 16777216 bytes"), ("icons", "directory")]
    {
        let output = brand.both(&format!("list --ca-cert {file}")).ends_with(1);
        assert_eq!(output.errors(), ["credentials"]);
        assert!(output.stderr.contains(why) && output.stderr.contains("help: it should be a PEM file"), "{output:?}");
    }
    assert!(brand.portal.requests().is_empty());
}

/// A hint names the cause, and what to type.
#[cfg(unix)]
#[test]
fn the_usual_mistakes_have_hints_of_their_own() {
    use std::os::unix::fs::symlink;
    let told = |brand: &Brand, line: &str| {
        let output = brand.run(line.split(' ')).ends_with(1);
        format!("{}{}", output.stdout, output.stderr)
    };
    let brand = Brand::new().in_step(1);
    for line in ["plan -f .", "validate -f ./"] {
        let told = told(&brand, line);
        assert!(told.contains("a folder, not a manifest") && told.contains("use `-f brand.yaml`"), "{told}");
    }
    assert!(told(&brand, "plan -f icons").contains("there is none in this folder"));
    symlink("nowhere/brand.yaml", brand.path("other.yaml")).unwrap();
    let text = told(&brand, "plan -f other.yaml");
    assert!(
        text.contains("is a link to nowhere/brand.yaml, which does not exist") && text.contains("fix the link"),
        "{text}"
    );
    symlink("../nowhere.png", brand.path("icons/acme-link.png")).unwrap();
    let text = told(&brand, "validate");
    assert!(text.contains("it is a link to ../nowhere.png, which does not exist: fix the link"), "{text}");
    assert!(!text.contains("did you mean"), "{text}");
    fs::remove_file(brand.path("icons/acme-link.png")).unwrap();
    symlink("nowhere.json", brand.path("plan.json")).unwrap();
    assert!(told(&brand, "apply plan.json").contains("it is a link to nowhere.json, which does not exist"));

    // The credentials.
    let secret = "q7w8e9r0t1y2u3i4";
    for (webhook, cause, fix) in [
        (String::new(), "BITRIX24_WEBHOOK_URL is set, but empty", "pull requests from forks"),
        (format!("\"https://acme.invalid/rest/1/{secret}/\""), "has quotes around the URL", "remove the quotes"),
        (format!("'https://acme.invalid/rest/1/{secret}/'\n"), "has quotes around the URL", "remove the quotes"),
        (format!("https://acme.invalid/rest/api/1/{secret}/"), "REST 3.0", "write /rest/ instead of /rest/api/"),
        (
            format!("https://{}/rest/1/{secret}/", brand.portal.address()),
            "does not use https on this port",
            "put the portal's https port into the URL",
        ),
    ] {
        let brand = Brand::new().in_step(1).with_webhook(Some(&webhook));
        for line in ["plan --timeout 5", "apply --yes --timeout 5", "doctor --timeout 5"] {
            let text = told(&brand, line);
            assert!(text.contains(cause) && text.contains(fix), "{line}: {text}");
            assert!(!text.contains(secret), "{line}: {text}");
        }
    }

    // The pin, where the portal has a port.
    let brand = Brand::new().in_step(1).with("portal: 127.0.0.1");
    let text = told(&brand, "plan");
    assert!(text.contains("the pin includes the port: write `portal: \"PORTAL\"`"), "{text}");
}

#[test]
fn notices_of_php_before_the_json_are_named_as_the_cause() {
    let brand = Brand::new().in_step(1);
    let body = "<br />\n<b>Warning</b>:  Undefined array key \"x\" in <b>/home/bitrix/init.php</b> on line <b>7</b><br />\n\
                {\"result\":[]}";
    let status = brandctl::sandbox::faults::FaultAction::Status {
        code: 200,
        body: body.to_owned(),
        content_type: "text/html".to_owned(),
    };
    brand.fail(brandctl::sandbox::Faults::one(
        brandctl::sandbox::faults::On::Any,
        brandctl::sandbox::faults::When::Every,
        status,
    ));
    let told = brand.both("plan --timeout 1").ends_with(1).stderr;
    assert!(told.contains("a PHP notice") && told.contains("/home/bitrix/init.php on line 7"), "{told}");
    assert!(told.contains("display_errors"), "{told}");
}
