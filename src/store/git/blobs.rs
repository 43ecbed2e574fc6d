//! The contents of old files, read from one Git process.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::root::Checkout;
use super::process::{git, is_silent, watched};
use crate::domain::origin::past::ObjectId;
use crate::ops::ports::Blobs;

/// The most contents that are read.
const MAX_BLOBS: usize = 50_000;

/// The most bytes of them that are kept in all.
const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// A Git process that prints contents when it is asked for them.
#[derive(Debug)]
pub(super) struct BlobReader {
    process: Arc<Mutex<Child>>,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The number of contents, and of bytes, that may still be read.
    left: (usize, u64),
}

impl BlobReader {
    /// Starts it; `None` when that fails.
    pub(super) fn start(checkout: &Checkout) -> Option<Self> {
        let mut command = git(checkout);
        if is_silent(&command) {
            return None;
        }
        let mut process =
            command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let (questions, answers) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        Some(Self { process: Arc::new(Mutex::new(process)), questions, answers, left: (MAX_BLOBS, MAX_BYTES) })
    }

    /// Reads contents. Contents that this clone does not have, or that exceed the limits, are not among them.
    pub(super) fn read(&mut self, ids: &[ObjectId]) -> Blobs {
        let Self { process, questions, answers, left } = self;
        let ids: BTreeSet<&ObjectId> = ids.iter().collect();
        let count = ids.len().min(left.0);
        left.0 -= count;
        let asked: String = ids.into_iter().take(count).map(|id| format!("{id}\n")).collect();
        watched(process, || {
            // Both pipes have small buffers: writing all questions first would wait for a process that itself waits for
            // a reader.
            std::thread::scope(|scope| {
                scope.spawn(move || questions.write_all(asked.as_bytes()));
                let answers = (0..count).map_while(|_| answer(answers, &mut left.1));
                answers.filter_map(BlobAnswer::content).collect()
            })
        })
    }
}

impl Drop for BlobReader {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

pub(super) enum BlobAnswer {
    Content(ObjectId, Arc<[u8]>),
    /// The content does not exist.
    Nothing,
}

impl BlobAnswer {
    pub(super) fn content(self) -> Option<(ObjectId, Arc<[u8]>)> {
        match self {
            Self::Content(id, bytes) => Some((id, bytes)),
            Self::Nothing => None,
        }
    }
}

/// The next answer: `<id> blob <size>`, the content and a line break; or a line with an error about the question.
/// `None` at the end.
pub(super) fn answer(answers: &mut impl BufRead, left: &mut u64) -> Option<BlobAnswer> {
    let mut head = String::new();
    if answers.read_line(&mut head).ok()? == 0 {
        return None;
    }
    let words: Vec<&str> = head.trim_end().split(' ').collect();
    let [id, sort, size] = words.as_slice() else { return Some(BlobAnswer::Nothing) };
    let Ok(size) = size.parse::<u64>() else { return Some(BlobAnswer::Nothing) };
    *left = left.checked_sub(size)?;
    let mut bytes = Vec::new();
    answers.take(size + 1).read_to_end(&mut bytes).ok()?;
    // If it is cut short, it is not the content.
    (bytes.len() as u64 == size + 1).then(|| bytes.pop())?;
    let id = ObjectId::parse(id).filter(|_| *sort == "blob");
    Some(id.map_or(BlobAnswer::Nothing, |id| BlobAnswer::Content(id, Arc::from(bytes))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn all(mut text: &[u8], mut left: u64) -> Vec<Option<(String, Vec<u8>)>> {
        let answers = std::iter::from_fn(|| answer(&mut text, &mut left));
        answers.map(|answer| answer.content().map(|(id, bytes)| (id.to_string(), bytes.to_vec()))).collect()
    }

    #[test]
    fn answers_are_read_as_far_as_they_are_whole() {
        let id = "d00491fd7e5bb6fa28c517a0bb32b8b506539d4d";
        let whole = format!("{id} blob 3\na\nb\nff missing\n{id} tree 1\nx\n{id} blob 0\n\n");
        let content = |bytes: &[u8]| Some((id.to_owned(), bytes.to_vec()));
        assert_eq!(all(whole.as_bytes(), 100), [content(b"a\nb"), None, None, content(b"")]);
        assert!(all(whole.as_bytes(), 2).is_empty());
        assert!(all(format!("{id} blob 5\nab").as_bytes(), 100).is_empty());
    }
}
