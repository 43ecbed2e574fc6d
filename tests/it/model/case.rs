//! The cases of the model: plain values, drawn from a seed, and made smaller where one fails.

use brandctl::domain::asset::Kind;
use fastrand::Rng;

use super::world::MARKS;
use crate::faults::driver;

/// All that happens in one case.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) slots: Vec<Slot>,
    /// The applies of this repository, one after the other.
    pub(super) ours: Vec<Life>,
    /// Those of another repository, with a state folder of its own.
    pub(super) rivals: Vec<Life>,
    pub(super) edits: Vec<Edit>,
    /// What happens to the n-th write request.
    pub(super) writes: Vec<(usize, WriteFault)>,
    pub(super) proxy: Option<Proxy>,
    /// The reads that fail.
    pub(super) broken_reads: Vec<usize>,
    /// From the n-th list on, the same one is given for so many milliseconds.
    pub(super) stale: Vec<(usize, u64)>,
    /// How long commands take, in milliseconds, one after the other.
    pub(super) paces: Vec<u32>,
    /// How long requests that read take to the portal and back.
    pub(super) lags: Vec<u32>,
    pub(super) no_batches: bool,
    /// Whether the file of a deleted entry can still be downloaded.
    pub(super) keeps_files: bool,
}

/// One code: what is there, and what is declared.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    /// As it is declared.
    pub(super) code: String,
    /// Spelt as on the portal, and the image.
    pub(super) live: Option<(String, u8)>,
    pub(super) system: bool,
    /// The image that each version of our manifest declares.
    pub(super) ours: [Option<u8>; 2],
    pub(super) rival: Option<u8>,
}

#[derive(Debug, Clone)]
pub(super) struct Life {
    /// How many milliseconds pass before it begins, after the one before it ended.
    pub(super) pause: u64,
    /// By how many seconds the clock is set before.
    pub(super) jump: i64,
    /// Which version of the manifest is checked out.
    pub(super) version: usize,
    /// How many seconds it has.
    pub(super) timeout: u64,
    pub(super) strike: driver::Strike,
    /// After how many milliseconds it is killed, wherever it is.
    pub(super) killed_after: Option<u64>,
    pub(super) unbacked: bool,
}

/// What somebody does by hand.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) when: Moment,
    pub(super) slot: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// So many milliseconds after the beginning.
    At(u64),
    /// Right before the n-th command is carried out.
    BeforeCommand(usize),
    /// Right after the n-th list was read.
    AfterList(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Remove,
    Put(Spelling, u8),
    /// Another image, under the same code in this spelling.
    Swap(Spelling, u8),
    MakeSystem,
}

/// How a code is spelt.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spelling {
    Same,
    /// In other case, and owned all the same.
    Respelt,
    /// So that it is not owned.
    Foreign,
}

impl Spelling {
    pub(super) fn of(self, code: &str) -> String {
        match self {
            Self::Same => code.to_owned(),
            Self::Respelt => code.to_uppercase().replace("ACME", "acme"),
            Self::Foreign => code.to_uppercase(),
        }
    }
}

/// What happens to a write request.
#[derive(Debug, Clone, Copy)]
pub(super) enum WriteFault {
    None,
    /// It is not sent in time.
    Waited,
    /// It is refused without effect, and sent again after so many seconds.
    Busy(u64),
    Refused(Refusal),
    /// It is lost on the way, but for its last byte.
    LostBefore,
    /// It is carried out, and the answer is lost.
    LostAfter,
    /// The connection ends after so many commands, and the portal goes on.
    ResetAfter(usize),
    /// The portal stops after so many commands, and the connection ends.
    CutAfter(usize),
    /// The portal stops after so many commands, and says so.
    BrokenAfter(usize),
    /// The answer does not speak of this command.
    Mute(usize),
    /// It is carried out so many seconds after its last byte; the connection ends at once, or hangs.
    Late {
        seconds: u64,
        hangs: bool,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// The request.
    Whole,
    /// Each add in it.
    Adds,
    /// Each delete in it.
    Deletes,
    /// What is in it from this command on, for now.
    Allowance(usize),
    /// All in it, because it is a batch.
    InBatch,
}

/// Something on the way that answers downloads.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    /// From when on, in milliseconds.
    pub(super) from: u64,
    pub(super) scope: Scope,
    pub(super) form: Lie,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    Some,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    /// A sound image of the right size.
    Placeholder,
    WrongSize,
    /// The beginning of the image, with its header.
    Cut,
    Gif,
    Nothing,
}

const CODES: &str = "abcdefghijklmnopqrst";

fn one<T: Clone>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())].clone()
}

fn often(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

fn mark(rng: &mut Rng) -> u8 {
    // Few images, so that many are the same.
    if often(rng, 40) { rng.u8(..4) } else { rng.u8(..MARKS) }
}

fn slots(rng: &mut Rng) -> Vec<Slot> {
    let most = one(rng, &[2, 3, 4, 5, 8, 14]);
    let mut slots = Vec::new();
    for kind in Kind::ALL {
        for letter in CODES.chars().take(1 + rng.usize(..most)) {
            slots.push(slot(rng, kind, format!("acme-{letter}")));
        }
        for code in ["other", "ACME-z", "acme-lab"] {
            if often(rng, 30) {
                let live = Some((code.to_owned(), mark(rng)));
                slots.push(Slot { kind, code: code.to_owned(), live, system: false, ours: [None; 2], rival: None });
            }
        }
    }
    slots
}

fn slot(rng: &mut Rng, kind: Kind, code: String) -> Slot {
    let mut declared = |percent| often(rng, percent).then(|| mark(rng));
    let (first, rival, other) = (declared(70), declared(70), declared(70));
    let second = if often(rng, 50) { first } else { other };
    let live = match rng.u32(..100) {
        0..30 => None,
        30..45 if first.is_some() => Some((code.clone(), first.unwrap_or_default())),
        45..52 => Some((Spelling::Respelt.of(&code), mark(rng))),
        52..54 => Some((Spelling::Foreign.of(&code), mark(rng))),
        _ => Some((code.clone(), mark(rng))),
    };
    let system = often(rng, 2);
    // What is declared over somebody else's is an error, and then nothing else is seen: rarely.
    let is_foreign = live.as_ref().is_some_and(|(live, _)| live.starts_with("ACME"));
    let (ours, rival) =
        if (system || is_foreign) && often(rng, 90) { ([None; 2], None) } else { ([first, second], rival) };
    Slot { kind, code, live, system, ours, rival }
}

fn strike(rng: &mut Rng) -> driver::Strike {
    use driver::{Moment, Remnant, Strike};
    let moment = one(rng, &[Moment::Before, Moment::During, Moment::After]);
    match rng.u32(..12) {
        10 => Strike::Begin(one(rng, &[Remnant::Images(1), Remnant::HalfPlan, Remnant::NoJournal, Remnant::HalfLine])),
        11 => Strike::Begin(one(rng, &[Remnant::EmptyJournal, Remnant::Whole])),
        0..4 => Strike::Request(1 + rng.u32(..24), moment),
        4..7 => Strike::Journal(1 + rng.u32(..16), moment),
        7 => Strike::JournalFails(1 + rng.u32(..12)),
        8 => Strike::JournalFailsOnce(1 + rng.u32(..12)),
        _ => Strike::None,
    }
}

fn life(rng: &mut Rng, is_struck: bool) -> Life {
    let is_slow = often(rng, 50);
    Life {
        pause: match rng.u32(..4) {
            0 => 0,
            1 => rng.u64(..2_000),
            2 => rng.u64(..30_000),
            _ => rng.u64(..150_000),
        },
        jump: if often(rng, 4) { rng.i64(-3_000..3_000) } else { 0 },
        version: usize::from(often(rng, 35)),
        timeout: one(rng, &[600, 600, 600, 300, 60, 10]),
        strike: if is_struck { strike(rng) } else { driver::Strike::None },
        killed_after: (is_struck && often(rng, 30)).then(|| rng.u64(..if is_slow { 90_000 } else { 4_000 })),
        unbacked: often(rng, 3),
    }
}

fn edit(rng: &mut Rng, slots: &[Slot]) -> Edit {
    let when = match rng.u32(..10) {
        0..3 => Moment::At(if rng.bool() { rng.u64(..5_000) } else { rng.u64(..200_000) }),
        3..6 => Moment::BeforeCommand(rng.usize(..14)),
        _ => Moment::AfterList(rng.usize(..12)),
    };
    let spelling = one(rng, &[Spelling::Same, Spelling::Same, Spelling::Same, Spelling::Respelt, Spelling::Foreign]);
    let what = match rng.u32(..20) {
        0..3 => What::Remove,
        3..6 => What::Put(spelling, mark(rng)),
        6..19 => What::Swap(spelling, mark(rng)),
        _ => What::MakeSystem,
    };
    // What is about to be removed, usually.
    let is_removed = |slot: &Slot| {
        let is_owned = slot.code.starts_with("acme-") && slot.code != "acme-lab";
        is_owned && slot.live.as_ref().is_some_and(|(_, mark)| slot.ours[0] != Some(*mark))
    };
    let removed: Vec<_> = (0..slots.len()).filter(|at| is_removed(&slots[*at])).collect();
    let slot = if removed.is_empty() || often(rng, 25) { rng.usize(..slots.len()) } else { one(rng, &removed) };
    Edit { when, slot, what }
}

fn write_fault(rng: &mut Rng) -> WriteFault {
    let after = one(rng, &[0, 1, 1, 2, 3, 3, 5, 8]);
    match rng.u32(..28) {
        24.. | 0..7 => WriteFault::Late { seconds: one(rng, &[9, 25, 60, 100]), hangs: often(rng, 25) },
        7..9 => WriteFault::LostAfter,
        9 => WriteFault::LostBefore,
        10..13 => WriteFault::ResetAfter(after),
        13..15 => WriteFault::CutAfter(after),
        15 => WriteFault::BrokenAfter(after),
        16 => WriteFault::Mute(after),
        17 => WriteFault::Busy(1 + rng.u64(..40)),
        18 => WriteFault::Waited,
        19..21 => WriteFault::Refused(Refusal::Adds),
        21 => WriteFault::Refused(Refusal::Deletes),
        22 => WriteFault::Refused(Refusal::Allowance(after)),
        23 => WriteFault::Refused(one(rng, &[Refusal::Whole, Refusal::InBatch])),
    }
}

fn proxy(rng: &mut Rng) -> Proxy {
    Proxy {
        from: if rng.bool() { 0 } else { rng.u64(..20_000) },
        scope: one(rng, &[Scope::All, Scope::All, Scope::Some]),
        form: one(rng, &[Lie::Placeholder, Lie::Placeholder, Lie::WrongSize, Lie::Cut, Lie::Gif, Lie::Nothing]),
    }
}

impl Case {
    /// The case of a seed.
    pub(super) fn drawn(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let slots = slots(rng);
        let struck = 1 + rng.usize(..2);
        let mut ours: Vec<_> = (0..struck).map(|_| life(rng, true)).collect();
        if rng.bool() {
            ours.push(life(rng, false));
        }
        let rivals = if often(rng, 35) { 1 + rng.usize(..2) } else { 0 };
        let rivals = (0..rivals)
            .map(|_| {
                let is_struck = often(rng, 30);
                life(rng, is_struck)
            })
            .collect();
        let edits = if often(rng, 60) { 1 + rng.usize(..5) } else { 0 };
        let edits = (0..edits).map(|_| edit(rng, &slots)).collect();
        let writes = if often(rng, 80) { 1 + rng.usize(..5) } else { 0 };
        let writes = (0..writes).map(|_| (one(rng, &[0, 0, 1, 1, 2, 3, 4, 6]), write_fault(rng))).collect();
        let pace: &[u32] = one(rng, &[&[10][..], &[10, 200, 50], &[300, 1_000], &[6_000, 10, 2_000], &[6_000]]);
        let lag: &[u32] = one(rng, &[&[5][..], &[5, 80], &[300, 10, 10], &[2_000, 5]]);
        Self {
            proxy: often(rng, 25).then(|| proxy(rng)),
            broken_reads: (0..rng.usize(..8)).filter(|nth| *nth > 4).map(|_| rng.usize(..40)).collect(),
            stale: if often(rng, 15) { vec![(rng.usize(..12), 500 + rng.u64(..4_000))] } else { Vec::new() },
            no_batches: often(rng, 8),
            keeps_files: rng.bool(),
            slots,
            ours,
            rivals,
            edits,
            writes,
            paces: pace.to_vec(),
            lags: lag.to_vec(),
        }
    }

    /// Cases that are a little smaller. The places of slots stay, because edits name them.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut smaller = Smaller { case: self, found: Vec::new() };
        smaller.with(!self.rivals.is_empty(), |case| case.rivals.clear());
        smaller.with(self.proxy.is_some(), |case| case.proxy = None);
        smaller.with(self.no_batches, |case| case.no_batches = false);
        smaller.without(|case| &mut case.rivals);
        smaller.without(|case| &mut case.edits);
        smaller.without(|case| &mut case.writes);
        smaller.without(|case| &mut case.ours);
        smaller.without(|case| &mut case.broken_reads);
        smaller.without(|case| &mut case.stale);
        for at in 0..self.slots.len() {
            smaller.slot(at);
        }
        for at in 0..self.ours.len() {
            smaller.life(at);
        }
        smaller.with(self.paces.len() > 1, |case| case.paces.truncate(1));
        smaller.with(self.lags.len() > 1, |case| case.lags.truncate(1));
        smaller.found
    }
}

/// The cases that are a little smaller than one.
struct Smaller<'a> {
    case: &'a Case,
    found: Vec<Case>,
}

impl Smaller<'_> {
    /// The case with a change, if that makes it smaller.
    fn with(&mut self, is_smaller: bool, change: impl FnOnce(&mut Case)) {
        if is_smaller {
            let mut case = self.case.clone();
            change(&mut case);
            self.found.push(case);
        }
    }

    /// The case without each item of a list.
    fn without<T>(&mut self, list: impl Fn(&mut Case) -> &mut Vec<T>) {
        let count = list(&mut self.case.clone()).len();
        for at in 0..count {
            self.with(true, |case| {
                list(case).remove(at);
            });
        }
    }

    fn slot(&mut self, at: usize) {
        let slot = &self.case.slots[at];
        let is_named = self.case.edits.iter().any(|edit| edit.slot >= at);
        let is_empty = slot.live.is_none() && slot.ours == [None; 2] && slot.rival.is_none() && !slot.system;
        let empty = Slot { live: None, system: false, ours: [None; 2], rival: None, ..slot.clone() };
        self.with(!is_named, |case| {
            case.slots.remove(at);
        });
        self.with(!is_empty, |case| case.slots[at] = empty);
        self.with(slot.rival.is_some(), |case| case.slots[at].rival = None);
    }

    fn life(&mut self, at: usize) {
        let life = &self.case.ours[at];
        self.with(life.jump != 0, |case| case.ours[at].jump = 0);
        self.with(life.pause != 0, |case| case.ours[at].pause = 0);
        self.with(life.unbacked, |case| case.ours[at].unbacked = false);
        self.with(life.killed_after.is_some(), |case| case.ours[at].killed_after = None);
        self.with(life.strike != driver::Strike::None, |case| case.ours[at].strike = driver::Strike::None);
        self.with(life.version != 0, |case| case.ours[at].version = 0);
    }
}
