//! The art, as bytes and as pixels.
