//! The safety rules: what ships, and how a file of the operator's differs from it.

use std::{fmt::Write as _, path::Path};

use zegel_safety::{Language, Policy, RuleText};

use super::AdminError;

/// Checks a file, and says which rules differ from those that ship, how, and where they protect less.
pub(super) fn compare(path: &Path) -> Result<String, AdminError> {
    let text = std::fs::read_to_string(path).map_err(|error| AdminError::Folder {
        doing: "reading the safety rules",
        path: path.to_owned(),
        why: error.to_string(),
        hint: "a copy of what `zegel-server safety` prints",
    })?;
    let own = Policy::read_own(&text)?;
    let shipped = Policy::shipped();
    let changed = shipped.changed(&own);
    let mut said = match changed.len() {
        0 => "the rules are those that ship".to_owned(),
        1 => "the rules are sound; 1 of them differs from those that ship:".to_owned(),
        n => format!("the rules are sound; {n} of them differ from those that ship:"),
    };
    let weaker = own.weaker(&shipped);
    let pairs = own.rules(Language::English).into_iter().zip(shipped.rules(Language::English));
    for (own, shipped) in pairs.filter(|(own, _)| changed.contains(&own.name)) {
        said.push_str(&difference(&own, &shipped, &weaker));
    }
    if !weaker.is_empty() {
        said.push_str("\n\nLines with ! protect people less than the rules that ship; everybody will see that at /safety.");
    }
    Ok(said)
}

fn difference(own: &RuleText, shipped: &RuleText, weaker: &[(&str, &str)]) -> String {
    let mut said = format!("\n\n{}", own.name);
    for (name, shipped, now) in own.changed_numbers(shipped) {
        let mark = if weaker.contains(&(&*own.name, name)) { "!" } else { " " };
        write!(said, "\n{mark} {name} is {now}, shipped {shipped}").expect("a string takes all");
    }
    if own.source != shipped.source {
        write!(said, "\n  source: {}", own.source).expect("a string takes all");
    }
    write!(said, "\n  {}", own.says).expect("a string takes all");
    said
}
