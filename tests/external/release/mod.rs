//! What a release consists of, as `release/build` makes it: the same bytes everywhere, with nothing of this machine in them,
//! and accepted by the programs that install them.
//!
//! Needs what `release/build` needs (Debian, python3 with venv, a way to the registries), and bubblewrap, lintian, skopeo and
//! umoci.

mod bare;
mod built;
mod files;
mod pip;
mod pre_commit;
mod sources;
