//! The GitHub action and the GitLab components of this repository: what they share with the files of `init`.

use std::fs;
use std::path::Path;

use crate::shared::init::yaml;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const INSTALL: &str = include_str!("../../../src/domain/init/install.sh");

#[test]
fn components_install_the_program_with_the_same_lines() {
    let indented = INSTALL.lines().fold(String::new(), |text, line| text + "      " + line + "\n");
    let (first, last) = (indented.lines().next().unwrap(), indented.lines().last().unwrap());
    for name in ["validate", "plan", "apply", "drift"] {
        let path = Path::new(ROOT).join("templates").join(format!("{name}.yml"));
        let text = fs::read_to_string(&path).unwrap();
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            let (start, end) = (text.find(first).unwrap(), text.find(last).unwrap() + last.len() + 1);
            fs::write(&path, format!("{}{indented}{}", &text[..start], &text[end..])).unwrap();
        } else {
            assert!(text.contains(&indented), "{name} is stale: run `UPDATE_EXAMPLES=1 cargo test --test it init`");
        }
    }
}

#[test]
fn no_step_of_the_action_holds_an_expression() {
    let action = yaml(&Path::new(ROOT).join("action.yml"));
    let steps = action["runs"]["steps"].as_array().unwrap();
    for step in steps {
        let run = step["run"].as_str().unwrap();
        // `exec`: the runner signals the script itself when a job is cancelled.
        let script = run.strip_prefix("exec \"$GITHUB_ACTION_PATH/").and_then(|rest| rest.strip_suffix('"')).unwrap();
        assert!(Path::new(ROOT).join(script).is_file(), "{run}");
        assert_eq!(step["uses"], serde_json::Value::Null);
    }
    // The token is given to the step that comments, and to no other.
    let with_token: Vec<_> = steps.iter().filter(|step| step["env"].to_string().contains("inputs.token")).collect();
    assert_eq!(with_token.len(), 1);
    assert!(with_token[0]["run"].as_str().unwrap().contains("action/comment"));
}

/// GitLab refuses an input that its `regex` does not match, before any job.
#[test]
fn an_input_of_a_component_is_refused_if_it_could_mean_more_than_a_value() {
    for name in ["validate", "plan", "apply", "drift"] {
        let text = fs::read_to_string(Path::new(ROOT).join("templates").join(format!("{name}.yml"))).unwrap();
        let (header, _) = text.split_once("\n---\n").unwrap();
        let header: serde_json::Value = serde_saphyr::from_str(header).unwrap();
        let accepts = |input: &str, value: &str| {
            let regex = header["spec"]["inputs"][input]["regex"].as_str().unwrap();
            let pattern = regex.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).unwrap().replace("\\/", "/");
            let schema = serde_json::json!({"pattern": pattern});
            jsonschema::draft7::new(&schema).unwrap().is_valid(&serde_json::json!(value))
        };
        let sum = "0".repeat(64);
        for tool in ["", "https://e.com:8443/o/x.tar.gz", &format!("https://e.com/x.tar.gz#sha256={sum}")] {
            assert!(accepts("tool", tool), "{name}: {tool}");
        }
        for tool in [
            "http://e.com/x",
            "https://a:b@e.com/x",
            "https://e.com/$X",
            "https://e.com/x\ny",
            "https://e.com/`x`",
            "https://e.com/x.tar.gz?y",
            "https://e.com/o/n",
        ] {
            assert!(!accepts("tool", tool), "{name}: {tool}");
        }
    }
}
