//! Reports as commands make them, each with everything that a page has to show.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::diff::{Action, After, Before, Change, Diff, Reason, Unknown};
use brandctl::domain::finding::{Finding, Place};
use brandctl::domain::guard::{Guard, Outcome, Verdict};
use brandctl::domain::origin::LastCommit;
use brandctl::domain::ownership::Unmanaged;
use brandctl::domain::plan::{Contents, Plan};
use brandctl::domain::png as art;
use brandctl::domain::report::{Heading, NextCommands, Report, Run, Validation};
use brandctl::domain::rules::Piece;
use brandctl::domain::state::Content;
use brandctl::domain::step::{StepOutcome, StepResult};

/// The art of examples/acme: `icons/acme-call`.
pub(crate) fn acme(file: &str) -> Arc<[u8]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme").join(file).with_extension("png");
    std::fs::read(path).unwrap().into()
}

/// An image with every pixel redrawn: `pixel` gets its place and the RGBA of any place.
pub(crate) fn redrawn(png: &[u8], pixel: impl Fn(u32, u32, &dyn Fn(i64, i64) -> [u8; 4]) -> [u8; 4]) -> Arc<[u8]> {
    let pixels = art::read(png).unwrap().pixels;
    let (width, height) = pixels.dimensions();
    let at = |x: i64, y: i64| match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) if x < width && y < height => pixels.get_pixel(x, y).0,
        _ => [0; 4],
    };
    let samples: Vec<u8> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y, &at)).collect();
    encoded(width, height, &samples)
}

fn encoded(width: u32, height: u32, samples: &[u8]) -> Arc<[u8]> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    bytes.into()
}

/// The same drawing one pixel to the right.
fn moved(png: &[u8]) -> Arc<[u8]> {
    redrawn(png, |x, y, at| at(i64::from(x) - 1, i64::from(y)))
}

/// The same drawing in another colour.
fn tinted(png: &[u8], [r, g, b]: [u8; 3]) -> Arc<[u8]> {
    redrawn(png, |x, y, at| {
        let [.., alpha] = at(x.into(), y.into());
        if alpha == 0 { [0; 4] } else { [r, g, b, alpha] }
    })
}

/// A plan that grows change by change.
#[derive(Default)]
pub(crate) struct Draft {
    diff: Diff,
    contents: Contents,
    art: Vec<Piece>,
}

impl Draft {
    fn content(&mut self, bytes: &Arc<[u8]>) -> Content {
        let content = Content::of(bytes);
        self.contents.insert(content.sha256, bytes.clone());
        content
    }

    pub(crate) fn change(&mut self, address: &Address, before: Option<&Arc<[u8]>>, after: Option<&Arc<[u8]>>) {
        let old = before.map(|bytes| Before {
            code: address.code.clone(),
            file_uri: "/upload/crm/1".to_owned(),
            content: Some(self.content(bytes)),
        });
        let new = after.map(|bytes| After { file: format!("{address}.png"), content: self.content(bytes) });
        let (action, reason) = match (old, new) {
            (None, Some(new)) => (Action::Create(new), Reason::Absent),
            (Some(old), Some(new)) => (Action::Replace(old, new), Reason::LooksDifferent),
            (Some(old), None) => (Action::Delete(old), Reason::Undeclared),
            (None, None) => panic!("a change of nothing"),
        };
        self.diff.changes.push(Change { address: address.clone(), action, reason, rename: None });
        if let Some(bytes) = after {
            self.declare(address, bytes);
        }
    }

    pub(crate) fn declare(&mut self, address: &Address, bytes: &Arc<[u8]>) {
        self.art.push(Piece {
            address: address.clone(),
            file: format!("{}s/{}.png", address.kind, address.code),
            place: Place::START,
            size: bytes.len() as u64,
            bytes: Some(bytes.clone()),
        });
    }

    fn rename(&mut self, from: &Address, to: &Address, bytes: &Arc<[u8]>) {
        self.change(from, Some(bytes), None);
        self.change(to, None, Some(bytes));
        for change in &mut self.diff.changes {
            if change.address == *from {
                change.rename = Some(to.clone());
            } else if change.address == *to {
                change.rename = Some(from.clone());
            }
        }
    }

    pub(crate) fn report(mut self) -> Report {
        self.diff.changes.sort_by(|a, b| a.address.cmp(&b.address));
        let changed = self.diff.changes.iter().filter(|change| change.action.after().is_some()).count();
        self.diff.unchanged = self.art.len() - changed;
        let changes = &self.diff.changes;
        let stays = |piece: &&Piece| changes.iter().all(|change| change.address != piece.address);
        let kept = self.art.iter().filter(stays);
        self.diff.kept =
            kept.map(|piece| (piece.address.clone(), Content::of(piece.bytes.as_ref().unwrap()))).collect();
        Report {
            manifest: "brand.yaml".to_owned(),
            portal: Some("acme.bitrix24.com".to_owned()),
            plan: Some(Plan::new("acme.bitrix24.com".to_owned(), self.diff, self.contents)),
            art: self.art,
            ..Report::default()
        }
    }
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Ten changes of the example's art and two entries that stay, with findings, guards and somebody else's entries.
pub(crate) fn plan() -> Report {
    let mut draft = Draft::default();
    let icon = |name: &str| acme(&format!("icons/{name}"));
    let logo = |name: &str| acme(&format!("logos/{name}"));
    draft.change(&address("icon/acme-call"), Some(&moved(&icon("acme-call"))), Some(&icon("acme-call")));
    let sign = icon("acme-sign");
    let faint = redrawn(&sign, |x, y, at| {
        let [r, g, b, a] = at(x.into(), y.into());
        [r.saturating_add(if a > 0 && x < 12 { 9 } else { 0 }), g, b, a]
    });
    draft.change(&address("icon/acme-sign"), Some(&faint), Some(&sign));
    draft.change(
        &address("icon/acme-chat"),
        Some(&tinted(&icon("acme-chat"), [0xd0, 0x30, 0x60])),
        Some(&icon("acme-chat")),
    );
    draft.change(&address("icon/acme-warranty"), None, Some(&icon("acme-warranty")));
    draft.change(&address("icon/acme-fallen"), Some(&tinted(&icon("acme-visit"), [0x50, 0x50, 0x50])), None);
    draft.rename(&address("icon/acme-telex"), &address("icon/acme-fax"), &icon("acme-fax"));
    let brand = logo("acme-brand");
    let notched = redrawn(&brand, |x, y, at| if x > 40 && y > 40 { [0; 4] } else { at(x.into(), y.into()) });
    draft.change(&address("logo/acme-brand"), Some(&notched), Some(&brand));
    draft.change(&address("logo/acme-courier"), Some(&moved(&logo("acme-courier"))), Some(&logo("acme-courier")));
    draft.change(&address("logo/acme-invoice"), None, Some(&logo("acme-invoice")));
    draft.declare(&address("icon/acme-paid"), &icon("acme-paid"));
    draft.declare(&address("icon/acme-parcel"), &icon("acme-parcel"));
    draft.declare(&address("logo/acme-helpdesk"), &logo("acme-helpdesk"));
    draft.diff.unmanaged =
        vec![(address("icon/payroll-slip"), Unmanaged::NotOwned), (address("logo/acme-lab-1"), Unmanaged::Ignored)];
    draft.diff.system = 90;
    let mut report = draft.report();
    report.findings = vec![
        Finding::warning("low-contrast", "the drawing is hardly seen on #2fc6f6 (contrast 1.4)")
            .about(address("icon/acme-call"))
            .help("darken the drawing, or declare `low-contrast: off` for this art"),
    ];
    report.heading = Heading {
        started: Some("2026-11-27T15:54:01Z".to_owned()),
        commit: Some(format!("{}+", "3f60c40ab1".repeat(4))),
    };
    let by = |code, author: &str, commit: &str| {
        (address(code), LastCommit { commit: commit.repeat(4), author: author.to_owned() })
    };
    report.changed_by = [
        by("icon/acme-call", "Ada Painter", "9a0b1c2d3e"),
        by("icon/acme-warranty", "Ben Okoro", "3f60c40ab1"),
        by("logo/acme-brand", "Ada Painter", "9a0b1c2d3e"),
    ]
    .into();
    report.guards = vec![
        Verdict {
            guard: Guard::MaxDeletes,
            outcome: Outcome::Passed,
            message: "2 of at most 5 icons are deleted".to_owned(),
            help: None,
            addresses: Vec::new(),
        },
        Verdict {
            guard: Guard::Protect,
            outcome: Outcome::Refused,
            message: "the plan changes a protected code".to_owned(),
            help: Some("edit `protect` in brand.yaml if this is meant".to_owned()),
            addresses: vec![address("logo/acme-brand")],
        },
    ];
    report
}

/// Thirteen changes, as many a first pull request has them: most are creates, two are deletes.
pub(crate) fn thirteen() -> Report {
    let mut draft = Draft::default();
    for name in ["call", "chat", "fax", "paid", "parcel", "sign", "visit"] {
        let address = address(&format!("icon/acme-{name}"));
        draft.change(&address, None, Some(&acme(&format!("icons/acme-{name}"))));
    }
    for name in ["brand", "courier", "helpdesk", "invoice"] {
        let address = address(&format!("logo/acme-{name}"));
        draft.change(&address, None, Some(&acme(&format!("logos/acme-{name}"))));
    }
    let warranty = acme("icons/acme-warranty");
    draft.change(&address("icon/acme-telex"), Some(&tinted(&warranty, [0x50, 0x50, 0x50])), None);
    draft.change(&address("icon/acme-pager"), Some(&tinted(&acme("icons/acme-paid"), [0x80, 0x40, 0x20])), None);
    draft.report()
}

/// The same plan, applied in part.
pub(crate) fn run() -> Report {
    let mut report = plan();
    report.guards.retain(|verdict| verdict.outcome != Outcome::Refused);
    let plan = report.plan.as_ref().unwrap();
    let mut steps: BTreeMap<_, _> = plan
        .diff
        .changes
        .iter()
        .map(|change| (change.address.clone(), StepResult { outcome: StepOutcome::Applied, why: None, wrote: true }))
        .collect();
    let mut end = |code, outcome, why: &str| {
        steps.insert(address(code), StepResult { outcome, why: Some(why.to_owned()), wrote: true });
    };
    end("icon/acme-chat", StepOutcome::Recovered, "the portal refused the new image; the old one is back");
    end("logo/acme-courier", StepOutcome::Unknown, "the portal gave no answer that two readings agree on");
    report.run = Some(Run {
        id: "20261122T101500Z-1".to_owned(),
        folder: ".brandctl/acme/runs/1".into(),
        steps,
        done_before: [].into(),
        missing: [].into(),
        live: BTreeMap::new(),
        not_read_back: [].into(),
        without_copy: BTreeMap::new(),
        next: NextCommands::default(),
    });
    report
}

/// The same plan, where a failure left the rest undone.
pub(crate) fn failed() -> Report {
    let mut report = run();
    let steps = &mut report.run.as_mut().unwrap().steps;
    let mut end = |code, outcome, wrote, why: &str| {
        steps.insert(address(code), StepResult { outcome, why: Some(why.to_owned()), wrote });
    };
    end("icon/acme-chat", StepOutcome::Failed, true, "the old image could not be put back: the portal refused it too");
    end("icon/acme-telex", StepOutcome::Failed, false, "the portal refused it");
    for code in ["icon/acme-fallen", "icon/acme-warranty"] {
        end(code, StepOutcome::Skipped, false, "it was not sent");
    }
    report
}

/// Replaces that need a word more: an image of another size, the same bytes under another spelling, and few pixels.
pub(crate) fn uneven() -> Report {
    let mut draft = Draft::default();
    let call = acme("icons/acme-call");
    let wide: Vec<u8> =
        (0..48 * 24).flat_map(|at| if at % 48 < 24 { [200, 30, 60, 255] } else { [30, 60, 200, 255] }).collect();
    draft.change(&address("icon/acme-wide"), Some(&encoded(48, 24, &wide)), Some(&call));
    draft.change(&address("icon/acme-case"), Some(&call), Some(&call));
    let few = redrawn(&call, |x, y, at| if x < 6 && y < 5 { [9, 90, 200, 255] } else { at(x.into(), y.into()) });
    draft.change(&address("icon/acme-few"), Some(&call), Some(&few));
    let case = draft.diff.changes.iter_mut().find(|change| change.address == address("icon/acme-case")).unwrap();
    case.reason = Reason::Respelt;
    if let Action::Replace(before, _) = &mut case.action {
        before.code = Code::new("ACME-case");
    }
    draft.report()
}

/// A thousand changes of flat icons, each of images of its own, which have about that many bytes.
pub(crate) fn small(bytes: usize, replaces: bool) -> Report {
    let mut draft = Draft::default();
    let flat = |number: u32| -> Arc<[u8]> {
        let mut noise = number.wrapping_mul(2_654_435_761) | 1;
        let mut next = move || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.to_be_bytes()[0]
        };
        let colour = [next(), next(), next(), 255];
        // A square somewhere, so that hardly any two differ by the same pixels.
        let [left, top] = [next(), next()].map(|place| usize::from(place) % 10);
        let inside = |at: usize| (left..left + 14).contains(&(at % 24)) && (top..top + 14).contains(&(at / 24));
        let mut samples: Vec<u8> = (0..24 * 24).flat_map(|at| if inside(at) { colour } else { [0; 4] }).collect();
        let mut drawn = encoded(24, 24, &samples);
        let mut from = 400;
        while drawn.len() < bytes && from < samples.len() {
            let to = (from + 4 * (bytes - drawn.len()).div_ceil(5)).min(samples.len());
            for pixel in samples[from..to].as_chunks_mut().0 {
                *pixel = [next(), next(), next(), 255];
            }
            from = to;
            drawn = encoded(24, 24, &samples);
        }
        drawn
    };
    for number in 0..1000 {
        let address = Address::new(Kind::Icon, Code::new(format!("acme-{number:04}")));
        let before = replaces.then(|| flat(number + 5000));
        draft.change(&address, before.as_ref(), Some(&flat(number)));
    }
    draft.report()
}

/// `validate` of art with findings.
pub(crate) fn validation() -> Validation {
    let mut draft = Draft::default();
    for name in ["call", "chat", "fax", "paid", "parcel", "sign", "visit", "warranty"] {
        draft.declare(&address(&format!("icon/acme-{name}")), &acme(&format!("icons/acme-{name}")));
    }
    for name in ["brand", "courier", "helpdesk", "invoice"] {
        draft.declare(&address(&format!("logo/acme-{name}")), &acme(&format!("logos/acme-{name}")));
    }
    draft.declare(&address("icon/acme-broken"), &acme("icons/acme-call")[..90].into());
    let findings = vec![
        Finding::error("png-format", "the file breaks off inside chunk IDAT")
            .in_file("icons/acme-broken.png")
            .about(address("icon/acme-broken"))
            .help("export it again"),
        Finding::warning("white-on-white", "the drawing is invisible on the white marker of log entries")
            .in_file("icons/acme-sign.png")
            .about(address("icon/acme-sign"))
            .help("give it an outline"),
    ];
    Validation {
        manifest: "brand.yaml".to_owned(),
        images: draft.art.len(),
        art: draft.art,
        findings,
        ..Validation::default()
    }
}

/// Names that attack the program that shows them.
pub(crate) fn names() -> Vec<String> {
    vec![
        "<script>document.title='owned'</script>".to_owned(),
        "</style><img src=x onerror=\"document.title='owned'\">".to_owned(),
        "</script><script>document.title='owned'</script>".to_owned(),
        "\"' onfocus=document.title='owned' x=\"".to_owned(),
        "\u{202e}gnp.esrever \u{2066}\u{1b}[31mred\u{7}\n".to_owned(),
        "😀 with space #?%41&amp;".to_owned(),
        "]]></failure></testcase><x>".to_owned(),
        "`code` | cell \\| @octocat #1 https://evil.example www.evil.example a@evil.example".to_owned(),
        "](javascript:alert(1)) ![x](https://evil.example/x.png) <https://evil.example> --> </details>".to_owned(),
        "``` \n\n# header\n\n- [ ] task\\".to_owned(),
        "x".repeat(255),
    ]
}

/// They are everything that can be called something.
pub(crate) fn hostile() -> Report {
    let names = names();
    let mut draft = Draft::default();
    for name in &names {
        let address = Address::new(Kind::Icon, Code::new(name));
        draft.change(&address, Some(&moved(&acme("icons/acme-call"))), Some(&acme("icons/acme-call")));
    }
    draft.diff.unmanaged =
        names.iter().map(|name| (Address::new(Kind::Logo, Code::new(name)), Unmanaged::NotOwned)).collect();
    let lost = Address::new(Kind::Logo, Code::new("acme-lost"));
    draft.diff.unknown.push(Unknown { address: lost, why: names[0].clone() });
    let mut report = draft.report();
    report.portal = Some(names[1].clone());
    report.manifest = names[2].clone();
    report.findings =
        names.iter().map(|name| Finding::warning("low-contrast", name).help(name).in_file(name)).collect();
    report.heading = Heading { started: Some(names[3].clone()), commit: Some(names[4].clone()) };
    let changes = &report.plan.as_ref().unwrap().diff.changes;
    let last = |name: &String| LastCommit { commit: "9a0b1c2d3e".repeat(4), author: name.clone() };
    report.changed_by = changes.iter().zip(&names).map(|(change, name)| (change.address.clone(), last(name))).collect();
    report
}

/// A thousand changes, each of images of its own: the drawings of the example in other colours, three icons to a logo.
pub(crate) fn thousand() -> Report {
    let mut draft = Draft::default();
    let icons = ["call", "chat", "fax", "paid", "parcel", "sign", "visit", "warranty"]
        .map(|name| acme(&format!("icons/acme-{name}")));
    let logos = ["brand", "courier", "helpdesk", "invoice"].map(|name| acme(&format!("logos/acme-{name}")));
    for number in 0..1000_u32 {
        let (kind, art) = match number % 4 {
            3 => (Kind::Logo, &logos[number as usize / 4 % 4]),
            _ => (Kind::Icon, &icons[number as usize % 8]),
        };
        let shade = |salt: u32| {
            let [_, r, g, b] = (number.wrapping_mul(2_654_435_761) ^ salt).to_be_bytes();
            tinted(art, [r, g, b])
        };
        let (before, after) = (shade(0), shade(0x00ff_00ff));
        let address = Address::new(kind, Code::new(format!("acme-{number:04}")));
        match number % 10 {
            0 => draft.change(&address, None, Some(&after)),
            1 => draft.change(&address, Some(&before), None),
            _ => draft.change(&address, Some(&before), Some(&after)),
        }
    }
    draft.report()
}
