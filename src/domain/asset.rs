//! What brandctl reconciles, and how it is named: a kind and a code make an address; a digest names bytes.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One of the two separate namespaces of the portal. A code may exist in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A custom timeline icon, 24×24 pixels.
    Icon,
    /// A custom timeline logo, 60×60 pixels.
    Logo,
}

impl Kind {
    /// Both kinds, in the order in which they are shown and applied.
    pub const ALL: [Self; 2] = [Self::Icon, Self::Logo];

    /// Width and height that the portal accepts, in pixels.
    pub const fn side(self) -> u32 {
        match self {
            Self::Icon => 24,
            Self::Logo => 60,
        }
    }

    /// The singular, as in addresses and in method names: `icon`, `logo`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Icon => "icon",
            Self::Logo => "logo",
        }
    }

    /// The kind with this singular.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The plural, as in the manifest and in list answers: `icons`, `logos`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Icon => "icons",
            Self::Logo => "logos",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A code exactly as it is spelt. Codes from a portal may hold anything, control characters included: escape them
/// before they are shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// The longest code that the portal keeps, in characters.
    pub(crate) const MAX_CHARS: usize = 255;

    /// Whether the portal and brandctl can keep a code with this character: printable ASCII. (`$` is refused for another
    /// reason: the portal replaces it in batches.)
    pub(crate) const fn can_hold(character: char) -> bool {
        matches!(character, ' '..='~')
    }

    /// Takes a code as it is spelt.
    pub fn new(spelling: impl Into<String>) -> Self {
        Self(spelling.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which the portal's database looks a code up: it folds case and ignores trailing spaces
    /// (inferred from MySQL's default collations).
    pub(crate) fn folded(&self) -> FoldedCode {
        FoldedCode(self.0.trim_end_matches(' ').to_lowercase())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A code folded for matching. It is never sent or shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FoldedCode(String);

/// Kind and code: `icon/acme-call`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Which namespace.
    pub kind: Kind,
    /// Which code in it.
    pub code: Code,
}

impl Address {
    /// The address of a kind and a code.
    pub const fn new(kind: Kind, code: Code) -> Self {
        Self { kind, code }
    }

    /// The key under which the portal would find this entry: kind and folded code.
    pub(crate) fn folded(&self) -> (Kind, FoldedCode) {
        (self.kind, self.code.folded())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.code)
    }
}

/// The error for text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address: write one like icon/acme-call or logo/acme-brand")]
pub struct NotAnAddress(String);

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(kind, code)| Some((Kind::named(kind)?, code)));
        let (kind, code) = parts.ok_or_else(|| NotAnAddress(text.to_owned()))?;
        Ok(Self::new(kind, Code::new(code)))
    }
}

/// The SHA-256 of some bytes; shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of several parts one after another, each preceded by its length, so that no two lists of parts
    /// look alike.
    pub(crate) fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error for text that is not a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is written as 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotADigest);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotADigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotADigest)?;
        }
        Ok(Self(bytes))
    }
}

/// The JSON of a type that is written as text: its `Display` one way, its `FromStr` the other.
macro_rules! as_text {
    ($($name:ident: $description:literal, $pattern:literal;)+) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $description, "pattern": $pattern })
            }
        }
    )+};
}

as_text! {
    Address: "Kind and code of an entry, for example icon/acme-call", "^(icon|logo)/";
    Digest: "A SHA-256, as 64 hexadecimal digits", "^[0-9a-f]{64}$";
}
