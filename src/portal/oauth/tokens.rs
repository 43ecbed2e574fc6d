//! The fields of a token file. Unknown keys are kept.

use serde_json::{Map, Value};

use crate::ops::ports::TokenStore;
use crate::portal::redact::Redactor;

/// The fields of a token file.
#[derive(Clone)]
pub(in crate::portal) struct TokenFields {
    fields: Map<String, Value>,
    /// How messages name the file.
    file: String,
}

/// The reason why a file is not a token file. It names the file and does not quote its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// It is not there, or may not be read.
    #[error("{file} cannot be read: {why}")]
    Unreadable {
        /// The file, and where its name came from.
        file: String,
        /// What the system says.
        why: String,
    },
    /// It holds something else.
    #[error("{file} does not hold a JSON object")]
    NotJson {
        /// The file, and where its name came from.
        file: String,
    },
    /// A field is not there, or is not text.
    #[error("{file} has no text in its field `{field}`")]
    Missing {
        /// The file, and where its name came from.
        file: String,
        /// The field.
        field: &'static str,
    },
    /// The file names REST 3.0 as the address of the portal's methods.
    #[error(
        "{file} has a REST 3.0 URL in its field `{field}`, and REST 3.0 does not have the methods for timeline icons: write /rest/ instead of /rest/api/"
    )]
    Rest3 {
        /// The file, and where its name came from.
        file: String,
        /// The field.
        field: &'static str,
    },
    /// A field does not say where a server is.
    #[error("{file} has no https:// address in its field `{field}`: plain http is only allowed for this machine")]
    NotAnAddress {
        /// The file, and where its name came from.
        file: String,
        /// The field.
        field: &'static str,
    },
}

impl TokenFields {
    /// Reads a token file.
    pub(super) fn read(store: &dyn TokenStore) -> Result<Self, OAuthError> {
        let file = store.name().to_owned();
        let text = match store.read() {
            Ok(text) => text,
            Err(why) => return Err(OAuthError::Unreadable { file, why: why.to_string() }),
        };
        match object(&text) {
            Some(fields) => Ok(Self { fields, file }),
            None => Err(OAuthError::NotJson { file }),
        }
    }

    /// The fields that the file has now, if they include a pair of tokens.
    pub(super) fn reread(&self, text: &[u8]) -> Option<Self> {
        let present = Self { fields: object(text)?, file: self.file.clone() };
        let has_pair = ["access_token", "refresh_token"].iter().all(|field| present.optional(field).is_some());
        has_pair.then_some(present)
    }

    /// A field that must be there, as text.
    pub(in crate::portal) fn text(&self, field: &'static str) -> Result<&str, OAuthError> {
        self.optional(field).ok_or_else(|| OAuthError::Missing { file: self.file.clone(), field })
    }

    /// A field as text. One that is empty or not text counts as absent.
    pub(in crate::portal) fn optional(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Hides both tokens.
    pub(super) fn hide(&self, redactor: &Redactor) -> Result<(), OAuthError> {
        for field in ["access_token", "refresh_token"] {
            redactor.hide(self.text(field)?);
        }
        Ok(())
    }

    /// How messages name the file.
    pub(super) fn file_name(&self) -> &str {
        &self.file
    }

    /// The same file with the tokens of the server's answer. What the file says about the age of the tokens is updated
    /// too: other programs may use it. Nothing else is taken from an answer: only the file says where secrets are sent.
    pub(in crate::portal) fn renewed(&self, answer: &Map<String, Value>) -> Self {
        let mut renewed = self.clone();
        for field in ["access_token", "refresh_token", "expires", "expires_in"] {
            match (renewed.fields.contains_key(field), answer.get(field)) {
                (true, Some(value)) => drop(renewed.fields.insert(field.to_owned(), value.clone())),
                (true, None) => drop(renewed.fields.shift_remove(field)),
                (false, _) => {}
            }
        }
        renewed
    }

    /// The bytes of the file.
    pub(super) fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(&self.fields)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// The JSON object that a text is, with or without a byte order mark.
fn object(text: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)).ok()
}
