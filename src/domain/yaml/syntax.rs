//! Errors of the YAML parser, as messages for users.

use serde_saphyr::granit_parser::ErrorKind;

use crate::domain::finding::Problem;

use super::YamlFile;

/// The problem behind an error of the parser; `rest` is the text from where it stopped.
pub(super) fn problem(kind: &ErrorKind, rest: &str, file: &YamlFile) -> Problem {
    let too_deep = format!("a {} needs {}; is a bracket opened too often?", file.name, file.levels);
    let (message, help): (String, Option<&str>) = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => {
            ("a tab cannot be used as indentation".to_owned(), Some("indent with spaces"))
        }
        ErrorKind::RecursionLimitExceeded => ("values are nested too deep".to_owned(), Some(&too_deep)),
        ErrorKind::UnclosedFlowCollection { open } => {
            (format!("the bracket `{open}` is never closed"), Some("close it; was the file cut off?"))
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("the bracket `{open}` is closed by `{close}`"), None)
        }
        ErrorKind::UnclosedQuotedScalar => {
            ("a quote is never closed".to_owned(), Some("close it; was the file cut off?"))
        }
        ErrorKind::MissingAnchorOrAliasName if rest.starts_with('*') => {
            ("YAML reads a bare `*` as an alias".to_owned(), Some("quote a value that begins with `*`: `\"*\"`"))
        }
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("the character `{character}` cannot begin a value"), Some("quote the value"))
        }
        ErrorKind::SimpleKeyExpected => {
            ("this line is not `key: value`".to_owned(), Some("add a colon and a space; was the file cut off?"))
        }
        ErrorKind::MappingValueNotAllowed => (
            "a `:` is not expected here".to_owned(),
            Some("quote a value that holds `: `, or check the indentation of this line"),
        ),
        ErrorKind::ExpectedBlockMappingKey => (
            "a key was expected here".to_owned(),
            Some("keys of one mapping begin in the same column; text after a closing quote belongs inside the quotes"),
        ),
        ErrorKind::UnexpectedEof
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            ("the file ends in the middle of a value".to_owned(), Some("was the file cut off?"))
        }
        other => (format!("this is not valid YAML: {other}"), None),
    };
    Problem { message, help: help.map(str::to_owned) }
}
