//! A report as text: data in, `String` out.
