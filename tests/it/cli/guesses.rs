//! Fifty wrong guesses, and the tip that each gets. None of them runs anything.

use crate::common::command;

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
