//! What must hold after any fault: read from the portal's own log of effects, one by one in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brandctl::domain::asset::Digest;
use brandctl::sandbox::Faults;
use brandctl::sandbox::record::End;
use serde_json::Value;

use super::driver::{self, Strike};
use super::scene::{Images, Scene, folded};
use crate::common::Brand;

/// One thing that happened on the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Added(String, Vec<u8>),
    Deleted(String),
}

/// All that happened to entries, in its order.
pub(crate) fn effects(brand: &Brand) -> Vec<Effect> {
    let log = fs::read_to_string(brand.data.path().join("log.jsonl")).unwrap();
    let effect = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let address = format!("{}/{}", text("kind"), text("code"));
        match line["op"].as_str().unwrap() {
            "add" => Some(Effect::Added(address, STANDARD.decode(text("content")).unwrap())),
            "delete" => Some(Effect::Deleted(address)),
            _ => None,
        }
    };
    log.lines().filter_map(effect).collect()
}

/// What is known of a scene before anything was done to it.
pub(crate) struct Before {
    entries: Vec<(String, String, Vec<u8>)>,
    effects: usize,
}

impl Before {
    pub(crate) fn of(brand: &Brand) -> Self {
        Self { entries: entries(brand), effects: effects(brand).len() }
    }

    /// By the form in which the portal compares, address and bytes.
    fn images(&self) -> BTreeMap<String, (String, Vec<u8>)> {
        self.entries.iter().map(|(address, _, bytes)| (folded(address), (address.clone(), bytes.clone()))).collect()
    }
}

/// Address, path and bytes.
fn entries(brand: &Brand) -> Vec<(String, String, Vec<u8>)> {
    let mut entries: Vec<_> = brand
        .portal
        .entries()
        .into_iter()
        .map(|entry| (format!("{}/{}", entry.kind, entry.code), entry.file_uri, entry.content))
        .collect();
    entries.sort();
    entries
}

/// Whether an old image may have been put back: only where new ones were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PutBack {
    Never,
    Allowed,
}

/// Holds what must be true at every moment, also right after a kill.
#[track_caller]
pub(crate) fn holds_now(brand: &Brand, goal: &Images, before: &Before, put_back: PutBack) {
    let initial = before.images();
    let wanted: BTreeSet<_> = goal.keys().map(|address| folded(address)).collect();
    let mut live = initial.clone();
    let mut adds: BTreeMap<String, usize> = BTreeMap::new();
    let effects = effects(brand).split_off(before.effects);
    for effect in &effects {
        match effect {
            Effect::Added(address, bytes) => {
                let key = folded(address);
                let entry = (address.clone(), bytes.clone());
                let new = goal.get(address) == Some(bytes);
                let old = initial.get(&key) == Some(&entry);
                assert!(new || old, "{address} got an image that nobody wants");
                assert!(new || put_back == PutBack::Allowed, "{address} got its old image again: {effects:?}");
                if new {
                    let count = adds.entry(key.clone()).or_default();
                    *count += 1;
                    assert_eq!(*count, 1, "{address} was added twice: {}", shown(&effects));
                }
                assert!(live.insert(key, entry).is_none(), "{address} was added over another");
            }
            Effect::Deleted(address) => {
                let key = folded(address);
                let gone = live.remove(&key);
                assert_eq!(gone.as_ref(), initial.get(&key), "{address}: a new image was deleted: {}", shown(&effects));
            }
        }
        let missing: Vec<_> = initial.keys().filter(|key| wanted.contains(*key) && !live.contains_key(*key)).collect();
        assert!(missing.len() <= 1, "missing at one time: {missing:?}");
    }
    // Nothing was asked for that had happened already.
    assert_eq!(brand.portal.orphans(), 0, "an add was repeated: {}", shown(&effects));
    let repeated: Vec<_> = brand
        .portal
        .requests()
        .into_iter()
        .flat_map(|request| request.commands)
        .filter(|command| command.method.ends_with(".delete"))
        .filter(|command| command.end == End::Refused("NOT_FOUND".to_owned()))
        .filter_map(|command| command.code)
        .collect();
    assert!(repeated.is_empty(), "deletes that were repeated: {repeated:?}");
    // What is not to be touched is what it was, under the path that it had.
    let now = entries(brand);
    for entry in &before.entries {
        let (address, _, bytes) = entry;
        if goal.get(address) == Some(bytes) {
            assert!(now.contains(entry), "{address} was touched");
        }
    }
    let kept = kept(brand.folder.path());
    for (key, entry) in &initial {
        let (address, bytes) = entry;
        if live.get(key) != Some(entry) {
            assert!(kept.contains(&Digest::of(bytes)), "the old image of {address} is nowhere");
        }
    }
}

fn shown(effects: &[Effect]) -> String {
    let line = |effect: &Effect| match effect {
        Effect::Added(address, bytes) => format!("+{address} {:.6}", Digest::of(bytes).to_string()),
        Effect::Deleted(address) => format!("-{address}"),
    };
    effects.iter().map(line).collect::<Vec<_>>().join(", ")
}

/// The old images in the run folders below `folder`, each under its right name.
pub(crate) fn kept(folder: &Path) -> BTreeSet<Digest> {
    let mut kept = BTreeSet::new();
    let Ok(portals) = fs::read_dir(folder.join(".brandctl")) else { return kept };
    for portal in portals {
        let Ok(runs) = fs::read_dir(portal.unwrap().path().join("runs")) else { continue };
        for run in runs {
            let Ok(images) = fs::read_dir(run.unwrap().path().join("old")) else { continue };
            for image in images {
                let path = image.unwrap().path();
                let digest = Digest::of(&fs::read(&path).unwrap());
                assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("{digest}.png"));
                kept.insert(digest);
            }
        }
    }
    kept
}

/// Holds that one plain apply, or two when the first says that it did not do all, ends with exactly what is wanted.
#[track_caller]
pub(crate) fn converges(scene: &Scene, before: &Before, put_back: PutBack) {
    converges_with(0, scene, before, put_back);
}

/// The same, where that apply ends with this code: 1 if it must leave something alone that it cannot know.
#[track_caller]
pub(crate) fn converges_with(code: i32, scene: &Scene, before: &Before, put_back: PutBack) {
    let Scene { brand, goal } = scene;
    holds_now(brand, goal, before, put_back);
    brand.portal.set_faults(Faults::none());
    let first = driver::apply(brand, Strike::None);
    if first.code == Some(3) {
        driver::apply(brand, Strike::None).ends_with(code);
    } else {
        first.ends_with(code);
    }
    holds_now(brand, goal, before, put_back);
    let live: Images = brand.live().into_iter().collect();
    let differs: Vec<_> =
        live.keys().chain(goal.keys()).filter(|address| live.get(*address) != goal.get(*address)).collect();
    assert!(differs.is_empty(), "not as declared: {differs:?}");
    for run in brandctl::store::runs::of_all_portals(&brand.path(".brandctl")).unwrap() {
        let state = run.unwrap().state;
        assert!(state.ended.is_some(), "the run {} is still open", state.run);
    }
}
