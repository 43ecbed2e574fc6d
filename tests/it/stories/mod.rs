//! What a team lives through with brandctl, tested from end to end: the real program, real Git, a portal over HTTP.
#![cfg(unix)]

mod adopt;
mod fork;
mod killed;
mod people;
mod teams;
mod year;
