//! All drills.

use crate::{children, directory, drill::Drill, mail, membership, messages, names, reports, service};

/// All, in the order of their themes.
pub fn all() -> Vec<&'static Drill> {
    let themes: [&[Drill]; 8] = [
        directory::DRILLS,
        membership::DRILLS,
        messages::DRILLS,
        mail::DRILLS,
        names::DRILLS,
        reports::DRILLS,
        service::DRILLS,
        children::DRILLS,
    ];
    themes.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn names_are_plain_and_each_is_there_once() {
        let mut seen = BTreeSet::new();
        for drill in all() {
            assert!(drill.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", drill.name);
            assert!(seen.insert(drill.name), "{} is there twice", drill.name);
            for text in [drill.attempt, drill.defence, drill.caught] {
                assert!(!text.contains(['|', '\n']), "{}: a cell of the table must stay one", drill.name);
            }
        }
    }

    #[test]
    fn each_can_fail() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutations");
        let patches = fs::read_dir(folder).expect("mutations").flatten();
        let drills: BTreeSet<String> = patches
            .map(|patch| fs::read_to_string(patch.path()).expect("a patch"))
            .map(|patch| {
                patch.lines().next().and_then(|line| line.strip_prefix("# drill: ")).expect("a drill").into()
            })
            .collect();
        let names: BTreeSet<String> = all().iter().map(|drill| drill.name.to_owned()).collect();
        assert_eq!(drills, names, "every drill has a mutation, and every mutation a drill");
    }
}
