//! A report as text: data in, `String` out. The code that prints decides on colour; the text carries ANSI styles that a
//! stream without colour strips.

mod annotation;
mod changes;
pub mod codequality;
pub mod diff;
pub mod doctor;
mod drift;
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
pub(crate) mod run;
pub mod sarif;
pub mod screen;
pub mod snippet;
pub(crate) mod step;
mod style;
pub mod summary;
pub mod terraform;
pub mod usage;
