//! Handles that look alike are one.

/// What a handle looks like to a hurried reader: handles with the same skeleton are not told apart, and only
/// one of them is ever given out.
pub fn skeleton(handle: &str) -> String {
    let plain: String = handle.chars().filter(|c| !matches!(c, '.' | '_' | '-')).collect();
    // Unicode's own table first (it takes `m` for `rn` and 1 for l), so that the rule stays right should
    // handles ever have more than ASCII; then what it leaves apart.
    let looks: String = unicode_security::skeleton(&plain).flat_map(char::to_lowercase).collect();
    let folded: String = looks
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' | '|' => 'l',
            other => other,
        })
        .collect();
    folded.replace("rn", "m").replace("vv", "w")
}

/// Takes an account id for ever, as skeletons are: no handle has this form.
pub(super) fn id_mark(account: &zegel_proto::AccountId) -> String {
    format!("#{}", account.to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_one() {
        for (a, b) in [
            ("alice", "a1ice"),
            ("alice", "aiice"),
            ("bob", "b0b"),
            ("modern", "rnodern"),
            ("modern", "modem"),
            ("winner", "vvinner"),
            ("a.lice", "al-ice"),
        ] {
            assert_eq!(skeleton(a), skeleton(b), "{a} {b}");
        }
    }

    #[test]
    fn different_ones_stay_apart() {
        let all = ["alice", "alicia", "bob", "rob", "carol", "dave", "eve", "anna", "a2", "a3", "tom", "ton"];
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert_ne!(skeleton(a), skeleton(b), "{a} {b}");
            }
        }
    }
}
