//! A report as text: data in, `String` out. The code that prints decides on colour; the text carries ANSI styles that a
//! stream without colour strips.

pub mod diff;
pub mod doctor;
pub mod export;
pub mod github;
mod heading;
pub mod html;
pub mod human;
pub mod init;
pub mod json;
pub mod junit;
pub mod list;
pub mod logmessage;
pub mod markdown;
mod origin;
mod outcome;
pub mod picture;
mod prose;
mod reason;
pub mod rules;
pub mod sarif;
pub mod screen;
pub mod snippet;
mod style;
pub mod summary;
pub mod usage;
