//! The names of an export's files and folders.

pub(crate) const MANIFEST: &str = "brand.yaml";
pub(crate) const SNAPSHOT: &str = "portal.json";
/// The file of the manifest's schema, for editors: beside the manifest, it is found offline and is of the same version.
pub(crate) use crate::domain::manifest::schema_copy::CONVENTIONAL as SCHEMA;
/// The folder of the images that the manifest does not declare.
pub(crate) const SET_ASIDE: &str = "ignored";
