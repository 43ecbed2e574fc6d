//! Files: the manifest and art, and the state folder.
