//! The safety rules as a service sends them: what is taken is sound, shows nothing unseen, and means the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_safety::{Language, Policy};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(policy) = Policy::read(text) else { return };
    for rule in [Language::English, Language::Dutch].into_iter().flat_map(|language| policy.rules(language)) {
        assert!(!rule.says.chars().chain(rule.source.chars()).any(char::is_control), "it is one line");
        assert!(!rule.says.contains(['{', '}']), "every number is filled in");
    }
    let again = Policy::read(&policy.to_toml()).expect("its own layout");
    assert_eq!(again.hash(), policy.hash());
    assert!(again.changed(&policy).is_empty());
});
