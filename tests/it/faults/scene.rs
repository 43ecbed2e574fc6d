//! What the tests apply: creates, replaces, a rename by case, deletes, and beside them all that must not be touched.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use brandctl::domain::asset::Kind;

use crate::common::{self, Brand, MANIFEST, parts};

/// Addresses and their bytes.
pub(crate) type Images = BTreeMap<String, Vec<u8>>;

/// A brand, and what its portal holds when all is done.
pub(crate) struct Scene {
    pub(crate) brand: Brand,
    pub(crate) goal: Images,
}

/// Entries that nobody may touch in any case.
pub(crate) const UNTOUCHABLE: [&str; 7] = [
    "icon/other",
    "logo/other",
    "icon/ACME-other",
    "icon/acme-lab-1",
    "logo/acme-brand",
    "icon/acme-sys",
    "icon/acme-same",
];

/// Creates that do not fit into one batch of the smallest size.
const CREATES: u8 = 11;

/// A scene as rich as one apply can be.
pub(crate) fn scene() -> Scene {
    let text = format!("{MANIFEST}ignore: [\"acme-lab-*\"]\nprotect: [logo/acme-brand]\npolicy: {{max_deletes: 10}}\n");
    let brand = Brand::new().manifest(text);
    for number in 0..CREATES {
        declare(&brand, &format!("icon/acme-new-{number:02}"), number);
    }
    for (number, address) in (20..).zip(["icon/acme-r0", "icon/acme-r1", "logo/acme-r2"]) {
        seed(&brand, address, number);
        declare(&brand, address, number + 100);
    }
    seed(&brand, "icon/acme-Case", 30);
    declare(&brand, "icon/acme-case", 130);
    seed(&brand, "logo/acme-r3", 31);
    declare(&brand, "logo/acme-r3", 131);
    for (number, address) in (40..).zip(["icon/acme-d0", "logo/acme-d1", "icon/acme-d2"]) {
        seed(&brand, address, number);
    }
    for (number, address) in (50..).zip(UNTOUCHABLE) {
        seed(&brand, address, number);
    }
    declare(&brand, "logo/acme-brand", 54);
    declare(&brand, "icon/acme-same", 56);
    brand.portal.make_system(Kind::Icon, "acme-sys").unwrap();
    let goal = goal(&brand, &UNTOUCHABLE);
    Scene { brand, goal }
}

/// Declares an entry with that image.
pub(crate) fn declare(brand: &Brand, address: &str, mark: u8) {
    brand.draw(address, &art(parts(address).0, mark));
}

/// The portal has an entry with that image.
pub(crate) fn seed(brand: &Brand, address: &str, mark: u8) {
    brand.seed(address, &art(parts(address).0, mark));
}

/// Pictures are drawn once: there are thousands of scenes.
pub(crate) fn art(kind: Kind, mark: u8) -> Vec<u8> {
    static DRAWN: Mutex<BTreeMap<(Kind, u8), Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    drawn.entry((kind, mark)).or_insert_with(|| common::art(kind, mark)).clone()
}

/// What is declared, and what is not to be touched.
fn goal(brand: &Brand, untouchable: &[&str]) -> Images {
    let mut goal = declared(brand);
    goal.extend(brand.live().into_iter().filter(|(address, _)| untouchable.contains(&address.as_str())));
    goal
}

/// What the folders of a brand declare.
pub(crate) fn declared(brand: &Brand) -> Images {
    let mut declared = Images::new();
    for kind in ["icon", "logo"] {
        for file in std::fs::read_dir(brand.path(&format!("{kind}s"))).unwrap() {
            let path = file.unwrap().path();
            let address = format!("{kind}/{}", path.file_stem().unwrap().to_str().unwrap());
            declared.insert(address, std::fs::read(&path).unwrap());
        }
    }
    declared
}

/// The form in which the portal compares.
pub(crate) fn folded(address: &str) -> String {
    let (kind, code) = parts(address);
    format!("{kind}/{}", code.to_lowercase())
}
