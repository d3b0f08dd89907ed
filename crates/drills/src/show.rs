//! Drills as a row of a table, and as a page to read.

use std::fmt::Write as _;

use crate::{
    drill::{Attacker, Failure},
    list, not_caught,
    run::Row,
};

/// One line: result, name, attacker, seconds, what was seen.
pub fn row(row: &Row) -> String {
    let (result, seen) = match &row.verdict {
        Ok(seen) => ("caught", seen),
        Err(Failure::Succeeded(harm)) => ("SUCCEEDED", harm),
        Err(Failure::NotRun(why)) => ("NOT RUN", why),
    };
    let drill = row.drill;
    let seconds = row.took.as_secs_f32();
    format!("{result:<10}{:<24}{:<10}{seconds:>5.1} s  {seen}", drill.name, drill.attacker.name())
}

const INTRO: &str = include_str!("intro.md");
const OUTRO: &str = include_str!("outro.md");

/// docs/drills.md.
pub fn markdown() -> String {
    let mut page = INTRO.to_owned();
    let all = list::all();
    for attacker in Attacker::ALL {
        let theirs: Vec<_> = all.iter().filter(|drill| drill.attacker == attacker).collect();
        if theirs.is_empty() {
            continue;
        }
        let _ = writeln!(page, "\n### {}\n", attacker.title());
        page.push_str("| drill | what is tried | what catches it | how soon |\n| --- | --- | --- | --- |\n");
        for drill in theirs {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                drill.name, drill.attempt, drill.defence, drill.caught
            );
        }
    }
    page.push_str("\n## What is not caught\n\n");
    page.push_str("| name | who | what they can do | why, and what is left |\n| --- | --- | --- | --- |\n");
    for it in not_caught::ALL {
        let _ = writeln!(page, "| {} | {} | {} | {} |", it.name, it.attacker, it.attempt, it.why);
    }
    page.push_str(OUTRO);
    page
}
