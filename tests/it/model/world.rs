//! The portal of the model: what it holds, by the rules of a portal, and everything that ever happened to it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::state::{Listed, Listing};
use tokio::time::Instant;

use super::case::{Case, Edit, Lie, Moment, Scope, What};
use crate::common;
use crate::faults::scene::art;

/// Who wrote to the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// It was there from the beginning.
    Nobody,
    /// An administrator, in the portal's own pages.
    Somebody,
    /// An apply, by its number, and its request.
    Request { life: usize, request: usize },
}

/// Who runs brandctl: each has a folder with a manifest and a state of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Actor {
    Us,
    Rival,
}

/// Something that happened, in the one order in which everything did.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Begins {
        life: usize,
    },
    Ends {
        life: usize,
        code: Option<i32>,
    },
    /// An apply read the lists, as they were when so much had happened.
    Looks {
        life: usize,
        as_of: usize,
    },
    /// An apply asked for single entries.
    Gets {
        life: usize,
        keys: BTreeSet<Key>,
    },
    /// An apply asks to send a request. What leaves then is decided.
    Asks {
        request: usize,
    },
    /// Its last byte arrived.
    Arrives {
        request: usize,
        absent: BTreeSet<Key>,
    },
    /// Its client knows what became of it: of which commands it was told that they were carried out.
    Answered {
        request: usize,
        done: Vec<bool>,
    },
    Added {
        who: Who,
        key: Key,
        entry: Entry,
    },
    Deleted {
        who: Who,
        key: Key,
        entry: Entry,
        is_system: bool,
    },
    BecomesSystem {
        key: Key,
    },
    /// The clock of the machine that brandctl runs on is set.
    Jumps {
        seconds: i64,
    },
    /// No more faults.
    Calm,
}

/// A code in the form in which the portal compares.
pub(super) type Key = (Kind, String);

pub(super) fn key(kind: Kind, code: &str) -> Key {
    (kind, code.to_lowercase())
}

/// A custom entry.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// As it is spelt.
    pub(super) code: String,
    pub(super) uri: String,
    pub(super) bytes: Arc<[u8]>,
    /// When it came, or became what it is: how much had happened before.
    pub(super) since: usize,
    /// Who put it there.
    pub(super) by: Who,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.code, shown(&self.bytes), self.uri)
    }
}

/// An image in a word.
pub(super) fn shown(bytes: &[u8]) -> String {
    for kind in Kind::ALL {
        for mark in (0..MARKS).chain([PLACEHOLDER]) {
            if art(kind, mark) == bytes {
                return format!("#{mark}");
            }
        }
    }
    format!("{} bytes", bytes.len())
}

/// How many different images there are.
pub(super) const MARKS: u8 = 24;

/// The image that a proxy answers with.
pub(super) const PLACEHOLDER: u8 = 200;

/// A request that an apply wanted to send.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) life: usize,
    /// What it asks for.
    pub(super) commands: Vec<Asked>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) key: Key,
    pub(super) code: String,
    /// What is added; `None` for a delete.
    pub(super) png: Option<Arc<[u8]>>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.png {
            Some(png) => write!(f, "+{}/{} {}", self.key.0, self.code, shown(png)),
            None => write!(f, "-{}/{}", self.key.0, self.code),
        }
    }
}

/// The list as it is given for a moment, whatever happens meanwhile.
struct Frozen {
    until: Instant,
    listing: Listing,
    as_of: usize,
}

pub(super) struct World {
    pub(super) case: Case,
    pub(super) began: Instant,
    pub(super) entries: RefCell<BTreeMap<Key, Entry>>,
    /// The product's codes. They are compared with case.
    pub(super) system: RefCell<BTreeSet<(Kind, String)>>,
    files: RefCell<BTreeMap<String, Arc<[u8]>>>,
    next_file: Cell<u32>,
    pub(super) log: RefCell<Vec<(Duration, Happening)>>,
    pub(super) requests: RefCell<Vec<Request>>,
    /// The downloads that brought something else than the image, or nothing: apply, place, whether it passes for an image.
    pub(super) lies: RefCell<Vec<(usize, String, bool)>>,
    /// The requests that were refused without effect, and sent again.
    pub(super) sent_again: RefCell<BTreeSet<usize>>,
    frozen: RefCell<Option<Frozen>>,
    pub(super) calm: Cell<bool>,
    /// How many commands were carried out, writes asked for, lists and other reads made.
    pub(super) commands: Cell<usize>,
    pub(super) writes: Cell<usize>,
    pub(super) lists: Cell<usize>,
    pub(super) reads: Cell<usize>,
    pub(super) stats: RefCell<BTreeMap<&'static str, u64>>,
    edits: RefCell<VecDeque<Edit>>,
}

impl World {
    pub(super) fn new(case: &Case) -> Rc<Self> {
        let world = Self {
            case: case.clone(),
            began: Instant::now(),
            entries: RefCell::default(),
            system: RefCell::default(),
            files: RefCell::default(),
            next_file: Cell::new(0),
            log: RefCell::default(),
            requests: RefCell::default(),
            lies: RefCell::default(),
            sent_again: RefCell::default(),
            frozen: RefCell::default(),
            calm: Cell::new(false),
            commands: Cell::new(0),
            writes: Cell::new(0),
            lists: Cell::new(0),
            reads: Cell::new(0),
            stats: RefCell::default(),
            edits: RefCell::new(case.edits.iter().cloned().collect()),
        };
        for slot in &case.slots {
            if let Some((code, mark)) = &slot.live {
                world.put(Who::Nobody, slot.kind, code, art(slot.kind, *mark).into());
            }
            if slot.system {
                world.system.borrow_mut().insert((slot.kind, slot.code.clone()));
            }
        }
        Rc::new(world)
    }

    pub(super) fn count(&self, what: &'static str) {
        self.count_by(what, 1);
    }

    pub(super) fn count_by(&self, what: &'static str, by: u64) {
        *self.stats.borrow_mut().entry(what).or_default() += by;
    }

    /// Notes that something happened. Returns its place in the order.
    pub(super) fn note(&self, what: Happening) -> usize {
        let mut log = self.log.borrow_mut();
        log.push((self.began.elapsed(), what));
        log.len() - 1
    }

    /// How much has happened.
    pub(super) fn happened(&self) -> usize {
        self.log.borrow().len()
    }

    /// Adds an entry; `None` when the code exists.
    fn put(&self, who: Who, kind: Kind, code: &str, bytes: Arc<[u8]>) -> Option<String> {
        let key = key(kind, code);
        if self.entries.borrow().contains_key(&key) {
            return None;
        }
        let number = self.next_file.replace(self.next_file.get() + 1);
        let uri = format!("/upload/crm/{number:03}/{}.png", code.len());
        self.files.borrow_mut().insert(uri.clone(), bytes.clone());
        let entry = Entry { code: code.to_owned(), uri: uri.clone(), bytes, since: self.happened(), by: who };
        self.note(Happening::Added { who, key: key.clone(), entry: entry.clone() });
        self.entries.borrow_mut().insert(key, entry);
        Some(uri)
    }

    fn take(&self, who: Who, key: &Key) -> bool {
        let Some(entry) = self.entries.borrow_mut().remove(key) else { return false };
        if !self.case.keeps_files {
            self.files.borrow_mut().remove(&entry.uri);
        }
        let is_system = self.system.borrow().contains(&(key.0, entry.code.clone()));
        self.note(Happening::Deleted { who, key: key.clone(), entry, is_system });
        true
    }

    /// Carries out one command, with the checks of a portal in their order: the file's place, or the error.
    pub(super) fn carry_out(&self, who: Who, asked: &Asked) -> Result<Option<String>, (&'static str, String)> {
        let Asked { key, code, png } = asked;
        let Some(png) = png else {
            return match self.take(who, key) {
                true => Ok(None),
                false => Err(("NOT_FOUND", format!("{} not found for code `{code}`", key.0))),
            };
        };
        if self.entries.borrow().contains_key(key) {
            return Err(("BX_INVALID_VALUE", "Code must be unique".to_owned()));
        }
        if self.system.borrow().contains(&(key.0, code.clone())) {
            return Err(("BX_INVALID_VALUE", format!("{code} is reserved word and cannot be used")));
        }
        Ok(self.put(who, key.0, code, png.clone()))
    }

    fn listing(&self) -> Listing {
        let listed = |kind: Kind, code: &str, system: bool, uri: &str| Listed {
            address: Address::new(kind, Code::new(code)),
            system,
            file_uri: uri.to_owned(),
        };
        let system = self.system.borrow();
        let mut entries: Vec<_> = system.iter().map(|(kind, code)| listed(*kind, code, true, "")).collect();
        entries.extend(self.entries.borrow().iter().map(|((kind, _), entry)| {
            let is_system = system.contains(&(*kind, entry.code.clone()));
            listed(*kind, &entry.code, is_system, &entry.uri)
        }));
        Listing { entries }
    }

    /// Both lists, as the portal gives them now.
    pub(super) fn list(&self, life: usize) -> Listing {
        let number = self.lists.replace(self.lists.get() + 1);
        let now = Instant::now();
        let mut frozen = self.frozen.borrow_mut();
        let is_over = |frozen: &Frozen| frozen.until <= now || self.calm.get();
        if frozen.as_ref().is_some_and(is_over) {
            *frozen = None;
        }
        if let Some(frozen) = frozen.as_ref() {
            self.count("lists that were stale");
            self.note(Happening::Looks { life, as_of: frozen.as_of });
            return frozen.listing.clone();
        }
        let (listing, as_of) = (self.listing(), self.happened());
        self.note(Happening::Looks { life, as_of });
        let stale = self.case.stale.iter().find(|(nth, _)| *nth == number).filter(|_| !self.calm.get());
        if let Some((_, millis)) = stale {
            *frozen = Some(Frozen { until: now + Duration::from_millis(*millis), listing: listing.clone(), as_of });
        }
        drop(frozen);
        self.edit(Moment::AfterList(number));
        listing
    }

    /// One entry. The answer repeats the spelling that was asked for.
    pub(super) fn get(&self, address: &Address) -> Option<Listed> {
        let code = address.code.to_string();
        let listed = |system, uri: &str| Listed { address: address.clone(), system, file_uri: uri.to_owned() };
        if self.system.borrow().contains(&(address.kind, code.clone())) {
            return Some(listed(true, ""));
        }
        self.entries.borrow().get(&key(address.kind, &code)).map(|entry| listed(false, &entry.uri))
    }

    pub(super) fn file(&self, uri: &str) -> Option<Arc<[u8]>> {
        self.files.borrow().get(uri).cloned()
    }

    /// What a proxy answers now in place of this file.
    pub(super) fn lie_about(&self, uri: &str) -> Option<Lie> {
        let proxy = self.case.proxy.as_ref().filter(|_| !self.calm.get())?;
        let sum = uri.bytes().fold(0_u32, |sum, byte| sum + u32::from(byte));
        let is_meant = proxy.scope == Scope::All || sum % 3 == 0;
        (is_meant && self.began.elapsed() >= Duration::from_millis(proxy.from)).then_some(proxy.form)
    }

    /// Somebody does what is due at this moment.
    pub(super) fn edit(&self, moment: Moment) {
        let due = |edit: &Edit| edit.when == moment;
        let edits: Vec<_> = self.edits.borrow().iter().filter(|edit| due(edit)).cloned().collect();
        if self.calm.get() {
            return;
        }
        self.edits.borrow_mut().retain(|edit| !due(edit));
        for Edit { slot, what, .. } in edits {
            let slot = &self.case.slots[slot];
            let key = key(slot.kind, &slot.code);
            let before = self.happened();
            match what {
                What::Remove => {
                    self.take(Who::Somebody, &key);
                }
                What::Put(spelling, mark) => {
                    self.put(Who::Somebody, slot.kind, &spelling.of(&slot.code), art(slot.kind, mark).into());
                }
                What::Swap(spelling, mark) => {
                    self.take(Who::Somebody, &key);
                    self.put(Who::Somebody, slot.kind, &spelling.of(&slot.code), art(slot.kind, mark).into());
                }
                What::MakeSystem => {
                    if let Some(entry) = self.entries.borrow_mut().get_mut(&key) {
                        entry.since = self.happened();
                    }
                    self.system.borrow_mut().insert((slot.kind, slot.code.clone()));
                    self.note(Happening::BecomesSystem { key });
                }
            }
            if self.happened() > before {
                self.count("hand edits");
            }
        }
    }
}

impl Lie {
    /// What a proxy answers in place of an image.
    pub(super) fn instead_of(self, kind: Kind, real: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Placeholder => Some(art(kind, PLACEHOLDER)),
            Self::WrongSize => Some(common::sized(48)),
            Self::Cut => Some(real[..real.len().min(60)].to_vec()),
            Self::Gif => Some(b"GIF89a\x01\x00\x01\x00\x80\x00\x00".to_vec()),
            Self::Nothing => None,
        }
    }
}
