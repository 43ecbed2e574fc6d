//! Reads the portal again and judges every step by what is there.

use std::collections::BTreeMap;

use crate::domain::asset::Address;
use crate::domain::plan::{Plan, Standing};
use crate::domain::report::{Fate, StepResult};
use crate::ops::observe::Eyes;
use crate::ops::ports::ReadPortal;

use super::standing;

/// Corrects `steps` by what the portal holds now. A step that was sent and is as planned is applied, whatever was
/// answered; one that was answered well and is not as planned has failed.
pub(super) async fn verify(plan: &Plan, eyes: &Eyes<'_, impl ReadPortal>, steps: &mut BTreeMap<Address, StepResult>) {
    let sent: Vec<_> = plan
        .changes
        .iter()
        .filter(|change| steps.get(&change.address).is_some_and(|step| step.fate != Fate::Skipped))
        .collect();
    if sent.is_empty() {
        return;
    }
    match standing::standings(&sent, eyes).await {
        Ok(standings) => {
            for (address, standing) in standings {
                if let Some(step) = steps.get_mut(&address) {
                    judge(step, standing);
                }
            }
        }
        Err(error) => {
            for step in steps.values_mut().filter(|step| step.fate == Fate::Applied) {
                step.fate = Fate::Unknown;
                step.why = Some(format!("the portal took it, but could not be read again: {error}"));
            }
        }
    }
}

fn judge(step: &mut StepResult, standing: Standing) {
    match (standing, step.fate) {
        (Standing::Done, Fate::Unknown) => *step = StepResult { fate: Fate::Applied, why: None, wrote: true },
        (Standing::Done, _) => *step = StepResult { fate: Fate::Applied, why: None, wrote: step.wrote },
        (_, Fate::Failed | Fate::Recovered | Fate::Skipped | Fate::Unknown) => {}
        (standing, Fate::Applied) => {
            let found = match standing {
                Standing::Diverged(found) => found,
                Standing::Between => "the code is gone from the portal".to_owned(),
                Standing::Pending | Standing::Done => "the portal still shows what was there before".to_owned(),
            };
            step.fate = Fate::Failed;
            step.why = Some(format!("the portal took it, but afterwards: {found}"));
        }
    }
}
