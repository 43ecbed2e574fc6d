//! The counts of a run in JSON: each outcome under its own name, and a rename once.

use brandctl::domain::step::{StepOutcome, StepResult};
use brandctl::render::json::PlanDocument;
use serde_json::{Value, json};

use crate::shared::scenes;

fn document(change: impl Fn(&str, &mut StepResult)) -> Value {
    let mut report = scenes::run();
    for (address, step) in &mut report.run.as_mut().unwrap().steps {
        change(&address.to_string(), step);
    }
    serde_json::to_value(PlanDocument::from(&report)).unwrap()
}

fn counts(document: &Value) -> Value {
    let names = ["applied", "failed", "recovered", "unknown", "unfinished", "skipped"];
    names.iter().map(|name| document["summary"][name].clone()).collect()
}

#[test]
fn every_outcome_has_its_count() {
    assert_eq!(counts(&document(|_, _| {})), json!([7, 0, 1, 1, 0, 0]));
    let failed = document(|address, step| {
        if address == "icon/acme-call" {
            step.outcome = StepOutcome::Failed;
        }
    });
    assert_eq!(counts(&failed), json!([6, 1, 1, 1, 0, 0]));
    // The new code is there, and so is the old one.
    let half = document(|address, step| {
        if ["icon/acme-telex", "icon/acme-call"].contains(&address) {
            step.outcome = StepOutcome::Skipped;
        }
    });
    assert_eq!(counts(&half), json!([5, 0, 1, 1, 1, 1]));
}

#[test]
fn where_it_is_unknown_whether_the_portal_changed_it_is_not_said() {
    let wrote = |wrote| {
        let document = document(|address, step| {
            if address == "logo/acme-courier" {
                step.wrote = wrote;
            }
        });
        let changes = document["changes"].as_array().unwrap();
        let change = changes.iter().find(|change| change["address"] == "logo/acme-courier").unwrap();
        assert_eq!(change["outcome"], "unknown");
        change.get("wrote").cloned()
    };
    assert_eq!((wrote(false), wrote(true)), (None, Some(json!(true))));
}
