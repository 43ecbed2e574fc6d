//! An OAuth application: a file with a pair of tokens that is renewed when the portal says that it expired.
//!
//! | file | what it knows |
//! |---|---|
//! | `tokens` | the fields of the token file |
//! | `application` | what requests and renewals take from them |

mod application;
mod tokens;

pub use application::Application;
pub use tokens::OAuthError;
pub(super) use tokens::TokenFields;
