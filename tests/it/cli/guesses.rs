//! Fifty wrong guesses, and the tip that each gets. None of them runs anything.

use serde_json::Value;

use crate::common::{Brand, command, found};

const GUESSES: &str = "diff\npreview\ncheck\nlint\ntest\nsync\npush\ndeploy\nimport\npull\nadopt\nbackup\ndelete acme-call\ndestroy\nadd acme-call\nstatus\nrollback\nruns\nsetup\nls\nlogin\nconfig\nserve\nrefresh\nexplain\nfmt\ncompletion bash\nversion\nunlock\nplann\nplan brand.yaml\nplan plan.json\nplan acme-call\nvalidate --strict\napply --dry-run\napply --auto-approve\napply -auto-approve\napply --force\nplan --portal acme.bitrix24.com\nplan --webhook=https://acme.bitrix24.com/rest/1/q7w8e9r0t1y2u3i4/\nplan --manifest brand.yaml\nplan -out=plan.json\nplan -out plan.json\napply -force\nplan -target=icon/acme-call\nplan --json\nplan --html\nplan --no-color\napply --parallelism 4\napply --no-delete\nplan --insecure\nlist --debug\nplan --proxy http://proxy:3128\ndrift --workspace acme\nlist --filter acme\n";

#[test]
fn fifty_wrong_guesses_get_the_right_tip() {
    let folder = tempfile::tempdir().unwrap();
    let mut shown = String::new();
    for guess in GUESSES.lines() {
        let output = command(folder.path()).args(guess.split(' ')).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{guess}");
        let said = String::from_utf8(output.stderr).unwrap();
        let said: Vec<_> = said.lines().filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
        shown.push_str(&format!("$ brandctl {guess}\n{}\n\n", said.join("\n")));
    }
    assert!(GUESSES.lines().count() >= 50);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(!shown.contains("q7w8e9r0t1y2u3i4/'"), "{shown}");
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("guesses", shown) });
}

/// Others see a command line, errors would quote it, and reports are kept: what looks like a webhook is refused before anything reads it.
#[test]
fn a_webhook_on_the_command_line_is_in_no_output() {
    const SECRET: &str = "q7w8e9r0t1y2u3i4";
    let url = format!("https://acme.bitrix24.com/rest/1/{SECRET}/");
    let forms = [
        url.clone(),
        url.replace('/', "%2F"),
        format!("https://u:{SECRET}@acme.bitrix24.com"),
        format!("x?auth={SECRET}"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for form in &forms {
        for line in [
            "plan @",
            "doctor @",
            "show @",
            "-f @ plan",
            "plan --only @",
            "plan --report=@",
            "rules @",
            "plan -o @",
            "nope @",
        ] {
            for format in ["human", "json"] {
                let line = format!("{line} --format {format}");
                let words: Vec<_> = line.split(' ').map(|word| word.replace('@', form)).collect();
                let output = command(folder.path()).args(&words).output().unwrap();
                let text = [output.stdout.clone(), output.stderr].concat();
                let text = String::from_utf8(text).unwrap();
                assert_eq!(output.status.code(), Some(1), "{words:?}");
                assert!(!text.contains(SECRET), "{words:?}: {text}");
                if format == "json" {
                    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
                    assert_eq!(found(&json, "error")[0]["rule"], "usage", "{json}");
                }
            }
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // A folder may be called like the path of a webhook.
    let deep = folder.path().join("rest/2026");
    std::fs::create_dir_all(&deep).unwrap();
    let missing = deep.join("brand.yaml");
    let output = command(folder.path()).args(["validate", "-f"]).arg(&missing).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(text.contains("the manifest does not exist"), "{text}");
    // The text of a log entry may hold any URL.
    let brand = Brand::new().portal_has("icon/acme-a", 1);
    brand
        .run(["log", "add", "--entity", "deal:1", "--icon", "acme-a", "--title", "t", "--text", &forms[0]])
        .ends_with(0);
}
