//! The manifest: what a branding repository declares.
