//! The worst patterns of mannered English, counted in everything that people read: the strings and comments of src, help,
//! schemas, README, docs, examples. CONTRIBUTING.md, "English", says how to write instead.

use std::path::{Path, PathBuf};

/// A way of writing that has to be read twice, and the plain one.
struct Pattern {
    /// Words in a row. `a|b` is one of two, `a*` a beginning, `_` any word; `-a,b` is any word but these, or none at the front.
    words: &'static str,
    better: &'static str,
}

const fn pattern(words: &'static str, better: &'static str) -> Pattern {
    Pattern { words, better }
}

const PATTERNS: &[Pattern] = &[
    pattern("-there,where,which is|are|was|were|be no -longer,more,less,use,doubt,different,way", "is not a"),
    pattern("all the same", "still, anyway"),
    pattern("anew", "again, re-…"),
    pattern("anybody", "anyone"),
    pattern("as a rule", "usually"),
    pattern("as good as", "almost"),
    pattern("at work", "running"),
    pattern("but for", "except for"),
    pattern("came|comes|come|became|become of", "result, happen to"),
    pattern("does|do without", "does not need"),
    pattern("everybody", "everyone"),
    pattern("for ever", "forever"),
    pattern("for want of", "without"),
    pattern("in one go", "together"),
    pattern("is|are|be|was|were to be", "must be, will be"),
    pattern("keep it so", "keep it that way"),
    pattern("look|looks|looked whether", "check whether"),
    pattern("mend*", "fix"),
    pattern("nobody", "no one, does not, cannot"),
    pattern("nothing but", "only"),
    pattern("of which", "whose, that … of; a shorter sentence"),
    pattern("of|to whom", "who … of"),
    pattern("once more", "again"),
    pattern("reckon*", "count, assume"),
    pattern("say|says what", "explain, name, show"),
    pattern("shall", "must, will"),
    pattern("slip", "mistake, typo"),
    pattern("speak|speaks of", "name, mention"),
    pattern("tell|tells", "say, show, know"),
    pattern("there already", "already exists"),
    pattern("told", "said, shown, reported"),
    pattern("whatever", "any, every, what"),
    pattern("why so", "why"),
];

impl Pattern {
    /// The lines on which it begins.
    fn matches(&self, words: &[Word]) -> Vec<usize> {
        let wanted: Vec<_> = self.words.split(' ').collect();
        let begins = words.windows(wanted.len()).filter(|window| {
            window.iter().zip(&wanted).enumerate().all(|(at, (word, wanted))| is_wanted(&word.text, wanted, at == 0))
        });
        begins.map(|window| window[0].line).collect()
    }
}

fn is_wanted(word: &str, wanted: &str, first: bool) -> bool {
    let is_word = word.starts_with(char::is_alphabetic);
    match wanted.strip_prefix('-') {
        Some(others) => (is_word || first) && others.split(',').all(|other| other != word),
        None => wanted.split('|').any(|one| one.strip_suffix('*').map_or(one == word, |start| word.starts_with(start))),
    }
}

/// A word in lower case, or a mark between words.
struct Word {
    text: String,
    line: usize,
}

/// The words of a text that begins on `line`, and its punctuation. Marks of Markdown and of strings are between words only.
fn words(text: &str, line: usize, into: &mut Vec<Word>) {
    for (at, text) in text.split('\n').enumerate() {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let in_word = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '_' | '-');
            let end = if first.is_alphanumeric() {
                rest.find(|c| !in_word(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let (word, after) = rest.split_at(end);
            if !first.is_whitespace() && !"`*\"'#/>{}\\".contains(first) {
                into.push(Word { text: word.trim_end_matches('\'').to_lowercase(), line: line + at });
            }
            rest = after;
        }
    }
}

/// The strings and comments of a Rust file, each with the line where it begins. Comments in a row are one.
fn prose(source: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut rest, mut line, mut comment_ends) = (source, 1, 0);
    while let Some(first) = rest.chars().next() {
        let hashes = rest.strip_prefix('r').map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
        let is_raw = rest.strip_prefix('r').is_some_and(|raw| raw.trim_start_matches('#').starts_with('"'));
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if is_raw {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = 2 + hashes;
            rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len())
        } else if first == '"' {
            string_end(rest)
        } else {
            character_end(rest)
        };
        let (piece, after) = rest.split_at(end);
        if let Some(comment) = piece.strip_prefix("//") {
            let comment = comment.trim_start_matches(['/', '!']);
            match found.last_mut() {
                Some((_, text)) if comment_ends + 1 == line => text.extend(["\n", comment]),
                _ => found.push((line, comment.to_owned())),
            }
            comment_ends = line;
        } else if is_raw || first == '"' {
            found.push((line, piece.replace("\\n", "  ")));
            comment_ends = 0;
        }
        line += piece.matches('\n').count();
        rest = after;
    }
    found
}

/// Where a string that begins here ends.
fn string_end(rest: &str) -> usize {
    let mut escaped = false;
    let close = rest.char_indices().skip(1).find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    close.map_or(rest.len(), |(at, _)| at + 1)
}

/// Where a character of code ends: `'"'` begins no string.
fn character_end(rest: &str) -> usize {
    let first = rest.chars().next().map_or(0, char::len_utf8);
    ["'\"'", "'\\\"'", "'\\''"].iter().find(|quoted| rest.starts_with(**quoted)).map_or(first, |quoted| quoted.len())
}

/// The files that people read, from the repository's folder.
fn files() -> Vec<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kinds = ["rs", "md", "yml", "yaml", "sh", "json", "js", "css", "html"];
    let mut found: Vec<_> = ["src", "docs", "examples", "schema"]
        .iter()
        .flat_map(|folder| walkdir::WalkDir::new(repository.join(folder)))
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| kinds.iter().any(|kind| extension == *kind)))
        .chain(["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|page| repository.join(page)))
        .map(|path| path.strip_prefix(repository).unwrap().to_owned())
        .collect();
    found.sort();
    found
}

fn words_of(file: &Path) -> Vec<Word> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let pieces = if file.extension().is_some_and(|kind| kind == "rs") { prose(&text) } else { vec![(1, text)] };
    words_in(pieces)
}

/// The words of pieces of text, with a mark around each piece.
fn words_in(pieces: Vec<(usize, String)>) -> Vec<Word> {
    let mark = |line| Word { text: "¶".to_owned(), line };
    let mut found = vec![mark(1)];
    for (line, piece) in pieces {
        words(&piece, line, &mut found);
        found.push(mark(line));
    }
    found
}

#[test]
fn what_people_read_is_plain_english() {
    let files: Vec<_> = files().into_iter().map(|file| (words_of(&file), file)).collect();
    let mut wrong = String::new();
    for pattern in PATTERNS {
        let hits =
            files.iter().flat_map(|(words, file)| pattern.matches(words).into_iter().map(move |line| (file, line)));
        let places: String = hits.map(|(file, line)| format!("\n    {}:{line}", file.display())).collect();
        if !places.is_empty() {
            wrong += &format!("\n`{}`: write {}{places}", pattern.words, pattern.better);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn patterns_are_found_where_they_are() {
    let source = "\
/// The file is
/// no manifest.
fn f(c: char) -> &str {
    // There is no other: 'mend' is in a comment.
    let quote = ['\"', '\\'', '\\\\']; let shall = r#\"a \"told\" b\"#; let n = \"x\\nanew \\\" once\"; // more
    \"`{name}` is no key\\nit was no longer there\"
}";
    let found = words_in(prose(source));
    let hits: Vec<_> = PATTERNS
        .iter()
        .flat_map(|pattern| pattern.matches(&found).into_iter().map(|line| (line, pattern.better.split(',').next())))
        .collect();
    let expected = [(1, "is not a"), (6, "is not a"), (5, "again"), (4, "fix"), (5, "said")];
    assert_eq!(hits, expected.map(|(line, better)| (line, Some(better))));
    assert!(PATTERNS.is_sorted_by_key(|pattern| pattern.words), "sorted, so that each is found");
}
