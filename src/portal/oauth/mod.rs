//! An OAuth application: a file with a pair of tokens, which is renewed when the portal says that it has expired.
//!
//! | file | what it knows |
//! |---|---|
//! | `tokens` | the fields of the token file |
//! | `pending` | the renewals that must not be cut off |
//! | `exchange` | one of them: the request for a new pair, and the pair on the disk |
//! | `application` | what requests and renewals take from the token file |

mod application;
mod exchange;
mod pending;
mod tokens;

pub use application::Application;
pub(super) use exchange::{Exchange, ExchangeTask, TokenAnswer, end_of};
pub use pending::PendingRenewals;
pub(super) use pending::RENEWAL_TIMEOUT;
pub use tokens::OAuthError;
