//! The REST client of a real portal.
