//! The error of a sandbox.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The reason why a sandbox could not start or be changed.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The folder cannot be read or written.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The folder, or the file in it.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another sandbox uses the folder.
    #[error("{path} is in use by another sandbox")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds files, but not a sandbox.
    #[error("{path} is not a sandbox folder: it holds {found}")]
    NotASandbox {
        /// The folder.
        path: PathBuf,
        /// One of the files.
        found: String,
    },
    /// A file holds something that was not written by a sandbox.
    #[error("{path}, line {line}, was not written by a sandbox: {source}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with the line.
        source: serde_json::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The system refused a thread.
    #[error("cannot start: {0}")]
    System(io::Error),
    /// The system refused random bytes.
    #[error("cannot start: {0}")]
    Random(#[from] rustls::Error),
}
