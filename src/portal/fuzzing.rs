//! The entry point of the fuzz target `answers`, which sees public items only. It is not part of any released build.

#![allow(clippy::panic, clippy::missing_panics_doc, reason = "a check fails by panicking")]

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::command::{Answer, Command, Halt};

use super::access::Access;
use super::batch::{BatchAnswers, Part};
use super::webhook::Webhook;
use super::wire::{self, AnswerBody, RestResult};

/// Reads `bytes` as the answer to each kind of request. However odd it is, every command gets one outcome, an entry is
/// of the kind that was asked for, and no outcome carries the secret on.
pub fn answers(bytes: &[u8]) {
    const SECRET: &str = "s3cr3tS3cr3t";
    let Ok(webhook) = Webhook::parse(&format!("https://acme.example/rest/1/{SECRET}/"), "fuzzing") else {
        panic!("the webhook is valid");
    };
    let access = Access::from(webhook);
    let address = |kind, code: &str| Address::new(kind, Code::new(code));
    let commands = [
        Command::Add { address: address(Kind::Icon, "acme-a"), png: [1, 2, 3].into() },
        Command::Delete { address: address(Kind::Icon, "acme-b") },
        Command::Add { address: address(Kind::Logo, "acme-c"), png: [4].into() },
    ];
    for kind in Kind::ALL {
        let AnswerBody::Result(answered) = wire::body(bytes) else { return };
        if let Ok(single) = wire::single(kind, &answered.result) {
            assert_eq!(single.address.kind, kind);
        }
        check_entries(kind, answered);
    }
    for halt in [Halt::Never, Halt::OnError] {
        let AnswerBody::Result(RestResult { result, .. }) = wire::body(bytes) else { return };
        let Ok(mut lists) = BatchAnswers::read(result.clone()) else { continue };
        for kind in Kind::ALL {
            if let Part::Result(list) = lists.take(kind.plural()) {
                check_entries(kind, list);
            }
        }
        let Ok(read) = BatchAnswers::read(result) else { panic!("it was read before") };
        let mut added = 0;
        let outcomes = read.into_writes(&access, &commands, halt, |_, _| added += 1);
        assert_eq!(outcomes.len(), commands.len());
        assert!(added <= 2, "only an entry from the request can have been added");
        assert!(halt == Halt::OnError || !outcomes.contains(&Answer::NotRun), "nothing halts this batch");
        for outcome in outcomes {
            match outcome {
                Answer::Done | Answer::NotRun => {}
                // The portal's own words are kept for the journal, and escaped where they are shown.
                Answer::Refused { code, description, .. } => assert!(!(code + &description).contains(SECRET)),
                Answer::Unknown(why) => assert!(!why.contains(SECRET) && !why.contains(char::is_control), "{why:?}"),
            }
        }
    }
}

fn check_entries(kind: Kind, list: RestResult) {
    if let Ok(entries) = wire::entries(kind, list) {
        assert!(entries.iter().all(|entry| entry.address.kind == kind));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    /// Those of the other targets are replayed by `tests/it/corpus.rs`.
    #[test]
    fn the_corpus_of_answers_holds() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus/answers")).unwrap();
        let mut count = 0;
        for file in files {
            super::answers(&std::fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= 10, "this test looks in the wrong folder");
    }
}
