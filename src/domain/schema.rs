//! The identity of a published schema: a name that is ours wherever the schema is kept.

use serde_json::Value;

/// The `$id` of the schema `name` of this version of its format.
pub(crate) fn id(name: &str, version: u32) -> String {
    format!("urn:brandctl:schema:{name}:{version}")
}

/// The schema with its `$id`, which comes first.
pub(crate) fn identified(mut schema: Value, name: &str, version: u32) -> Value {
    if let Value::Object(members) = &mut schema {
        members.shift_insert(0, "$id".to_owned(), id(name, version).into());
    }
    schema
}
