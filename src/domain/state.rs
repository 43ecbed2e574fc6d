//! What the portal holds and what it should hold.

use super::asset::Address;

/// One entry as the portal lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Kind and code, spelt as the portal spells it.
    pub address: Address,
    /// Comes with the product: never touched.
    pub system: bool,
    /// Where its PNG is: a path on the portal or an absolute URL; empty for system entries. A new one with every add,
    /// but once seen, it keeps its content.
    pub file_uri: String,
}

/// Everything the portal lists, of both kinds, in the portal's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The entries; a code can be listed twice.
    pub entries: Vec<Listed>,
}
