//! The state that changes while a portal runs: its entries, its folder, and everything that is counted.

use std::io;

use super::bucket::BucketLevel;
use super::call::WorldChange;
use super::faults::Script;
use super::logmessage::LogList;
use super::operating::Meter;
use super::options::Options;
use super::record::Recorder;
use super::store::Store;
use super::tokens::Tokens;
use super::world::World;

pub(super) struct Core {
    pub(super) world: World,
    pub(super) store: Store,
    pub(super) tokens: Tokens,
    pub(super) refreshes: u64,
    pub(super) bucket: Option<BucketLevel>,
    pub(super) meter: Meter,
    pub(super) log_list: LogList,
    pub(super) script: Script,
    pub(super) requests: Recorder,
}

impl Core {
    pub(super) fn new(store: Store, world: World, tokens: Tokens, options: &Options) -> Self {
        Self {
            world,
            store,
            tokens,
            refreshes: 0,
            bucket: options.limits.map(BucketLevel::empty),
            meter: Meter::new(options.operating),
            log_list: options.log_list,
            script: Script::new(options.faults.clone()),
            requests: Recorder::default(),
        }
    }

    /// Stores changes, then applies them.
    pub(super) fn change(&mut self, changes: Vec<WorldChange>) -> io::Result<()> {
        self.store.append(&changes)?;
        changes.into_iter().for_each(|change| self.world.apply(change));
        Ok(())
    }
}
