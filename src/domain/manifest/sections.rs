//! The sections `icons` and `logos`: the declarations of each kind.

use std::collections::BTreeMap;

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::finding::{Finding, Place};

use super::checks;
use super::codes::CodeChecks;
use super::reader::{ENTRY_KEYS, Reader};
use super::values;
use super::{Entry, Section};
use crate::domain::quote::quoted;
use crate::domain::yaml::{MapEntry, Shape};

impl Reader<'_, '_> {
    pub(super) fn section(&mut self, kind: Kind, pair: &MapEntry, codes: &CodeChecks<'_>) -> Option<Section> {
        let plural = kind.plural();
        match pair.value.shape() {
            Shape::Map(pairs) => Some(Section::Entries(self.entries(kind, pairs, codes))),
            Shape::Text(path) => {
                if let Err(problem) = values::folder(path) {
                    self.push(problem.error_at(checks::BAD_PATH, pair.value.place.clone()));
                    return None;
                }
                Some(Section::Folder { path: path.to_owned(), place: pair.value.place.clone() })
            }
            Shape::Null => {
                let what = format!("`{plural}` has no value, which could mean none or not managed");
                let help =
                    format!("write `{plural}: {{}}` to declare none, or remove the key to leave all {plural} alone");
                self.push(Finding::error(checks::WRONG_TYPE, what).at(pair.place.clone()).help(help));
                None
            }
            _ => {
                let is_list = matches!(pair.value.shape(), Shape::List(_));
                let help = is_list.then(|| "write one `code: path` a line, without dashes".to_owned());
                let what = format!("`{plural}`");
                self.wrong_type(&what, "a mapping from code to path, or a folder", &pair.value, &pair.place, help);
                None
            }
        }
    }

    fn entries(&mut self, kind: Kind, pairs: &[MapEntry], codes: &CodeChecks<'_>) -> BTreeMap<Code, Entry> {
        let declared: Vec<Code> = pairs.iter().map(|pair| Code::new(pair.key.as_str())).collect();
        let places = pairs.iter().map(|pair| pair.place.clone());
        codes.check(kind, declared.iter().zip(places), |finding| self.collector.push(finding));
        let mut entries = BTreeMap::new();
        for (code, pair) in declared.into_iter().zip(pairs) {
            if let Some((path, path_place)) = self.path(&Address::new(kind, code.clone()), pair) {
                entries.insert(code, Entry { path, path_place, place: pair.place.clone() });
            }
        }
        entries
    }

    /// The path of an entry's file, and where it is written.
    fn path(&mut self, address: &Address, pair: &MapEntry) -> Option<(String, Place)> {
        const EXPECTED: &str = "a path, `{file: path}` or nothing";
        let named = quoted(&format!("{}.{}", address.kind.plural(), pair.key));
        let value = match pair.value.shape() {
            Shape::Null => return Some((self.default_path(address, pair)?, pair.place.clone())),
            Shape::Map(pairs) => {
                let fields = self.fields(pairs, ENTRY_KEYS, &named);
                let Some(file) = fields.get("file") else {
                    let what = format!("{named}: `file` is missing");
                    let help = "write `{file: path}`";
                    self.push(
                        Finding::error(checks::MISSING_KEY, what)
                            .at(pair.place.clone())
                            .help(help)
                            .about(address.clone()),
                    );
                    return None;
                };
                &file.value
            }
            _ => &pair.value,
        };
        let Shape::Text(path) = value.shape() else {
            if std::ptr::eq(value, &pair.value) {
                self.wrong_type(&named, EXPECTED, value, &pair.place, None);
            } else {
                let named = quoted(&format!("{}.{}.file", address.kind.plural(), pair.key));
                self.wrong_type(&named, "a path", value, &pair.place, None);
            }
            return None;
        };
        if let Err(problem) = values::file(path) {
            self.push(problem.error_at(checks::BAD_PATH, value.place.clone()).about(address.clone()));
            return None;
        }
        Some((path.to_owned(), value.place.clone()))
    }

    fn default_path(&mut self, address: &Address, pair: &MapEntry) -> Option<String> {
        let code = address.code.as_str();
        if code.is_empty() || code.contains(['/', '\\']) || code.contains(char::is_control) {
            let what = format!("{}: this code cannot be a file name", quoted(code));
            self.push(
                Finding::error(checks::BAD_PATH, what)
                    .at(pair.place.clone())
                    .about(address.clone())
                    .help("write the path of its file"),
            );
            return None;
        }
        Some(format!("{}/{code}.png", address.kind.plural()))
    }
}
