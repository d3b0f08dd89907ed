//! All drills.

use crate::{directory, drill::Drill, mail, membership, messages, names, service};

/// All, in the order of their themes.
pub fn all() -> Vec<&'static Drill> {
    let themes: [&[Drill]; 6] = [
        directory::DRILLS,
        membership::DRILLS,
        messages::DRILLS,
        mail::DRILLS,
        names::DRILLS,
        service::DRILLS,
    ];
    themes.into_iter().flatten().collect()
}
