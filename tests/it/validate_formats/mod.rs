//! What `validate` prints, in every format: for programs that read it, and of text that means them harm.

mod fixture;
mod formats;
mod hostile;
mod paths;
mod pictures;
mod pre_commit;
