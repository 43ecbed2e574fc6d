//! The program on real pseudo-terminals of 40, 80 and 200 columns: what is on the screen at the end and on the way to it.
#![cfg(unix)]

mod init;
mod plan;
mod progress;
mod question;
mod text;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::common::Brand;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use vt100::{Color, Parser, Screen};

/// Rows enough that nothing scrolls away.
const ROWS: u16 = 300;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal, and what a command knows of it.
#[derive(Clone)]
struct Terminal {
    columns: u16,
    environment: Vec<(&'static str, &'static str)>,
}

/// What a command left on a terminal.
struct Shown {
    code: u32,
    bytes: Vec<u8>,
    parser: Parser,
    /// The whole screen each time that something came.
    frames: Vec<String>,
}

impl Terminal {
    /// One with 256 colours.
    fn of(columns: u16) -> Self {
        Self { columns, environment: vec![("TERM", "xterm-256color")] }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value));
        self
    }

    /// Runs a command, given as one line, with nobody at the keyboard.
    fn run(&self, brand: &Brand, line: &str) -> Shown {
        self.converse(brand.folder.path(), Some(&brand.portal.admin_webhook()), line, &[])
    }

    /// Runs a command, given as one line; once the screen shows `question`, `answer` is typed.
    fn run_and_type(&self, brand: &Brand, line: &str, question: &str, answer: &str) -> Shown {
        self.converse(brand.folder.path(), Some(&brand.portal.admin_webhook()), line, &[(question, answer)])
    }

    /// Runs a command with somebody at the keyboard, who waits until the first text is on the screen, types the second, and
    /// so on.
    fn converse(&self, folder: &Path, webhook: Option<&str>, line: &str, script: &[(&str, &str)]) -> Shown {
        let size = PtySize { rows: ROWS, cols: self.columns, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_brandctl"));
        command.args(line.split_whitespace());
        command.cwd(folder);
        command.env_clear();
        command.env("HOME", folder);
        if let Some(webhook) = webhook {
            command.env("BITRIX24_WEBHOOK_URL", webhook);
        }
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        let mut child = pair.slave.spawn_command(command).unwrap();
        // So that reading ends when the command does.
        drop(pair.slave);
        // A command that waits for an answer that does not come ends too.
        let mut killer = child.clone_killer();
        let (done, deadline) = std::sync::mpsc::channel::<()>();
        let patience = std::thread::spawn(move || {
            let is_over = deadline.recv_timeout(PATIENCE) != Err(std::sync::mpsc::RecvTimeoutError::Timeout);
            if !is_over {
                killer.kill().unwrap();
            }
            is_over
        });
        let mut reader = pair.master.try_clone_reader().unwrap();
        let mut keyboard = pair.master.take_writer().unwrap();
        let mut script = script.iter().peekable();
        // What was on the screen when something was typed is not an answer to it.
        let mut seen = 0;
        let mut parser = Parser::new(ROWS.try_into().unwrap(), self.columns.try_into().unwrap(), 0);
        let (mut bytes, mut frames, mut chunk) = (Vec::new(), Vec::new(), [0; 4096]);
        // The other end of a terminal that is gone is an error to read.
        while let Ok(count @ 1..) = reader.read(&mut chunk) {
            bytes.extend_from_slice(&chunk[..count]);
            parser.process(&chunk[..count]);
            frames.push(parser.screen().contents());
            let said = String::from_utf8_lossy(&bytes[seen..]).into_owned();
            if let Some((_, keys)) = script.next_if(|(text, _)| said.contains(text)) {
                seen = bytes.len();
                keyboard.write_all(keys.as_bytes()).unwrap();
            }
        }
        drop(done);
        assert!(patience.join().unwrap(), "it did not end: {}", parser.screen().contents());
        assert_eq!(script.next(), None, "never asked for: {}", parser.screen().contents());
        let code = child.wait().unwrap().exit_code();
        Shown { code, bytes, parser, frames }
    }
}

impl Shown {
    fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    fn lines(&self) -> Vec<String> {
        self.screen().rows(0, self.screen().size().1.get()).map(|row| row.trim_end().to_owned()).collect()
    }

    /// Everything on the screen as words: what wrapping does not change.
    fn words(&self) -> String {
        words(&self.screen().contents())
    }

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The colour in which the first cell of `text` is written.
    #[track_caller]
    fn colour(&self, text: &str) -> Color {
        let (row, column) = self
            .lines()
            .iter()
            .enumerate()
            .find_map(|(row, line)| Some((row, line[..line.find(text)?].chars().count())))
            .unwrap_or_else(|| panic!("{text} is not on the screen:\n{}", self.screen().contents()));
        self.screen().cell(row.try_into().unwrap(), column.try_into().unwrap()).unwrap().fgcolor()
    }

    /// No line was too long for the terminal, which would have broken it anywhere.
    #[track_caller]
    fn fits(&self) -> &Self {
        let (rows, _) = self.screen().size();
        let broken = (0..rows.get()).find(|row| self.screen().row_wrapped(*row));
        assert_eq!(broken.map(|row| self.lines()[usize::from(row)..].join("\n")), None);
        self
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
