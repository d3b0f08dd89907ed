//! Text from others, made safe to show, and names of the form that they are given in.
//!
//! A terminal obeys control characters, and a bidirectional override shows a text in another order than it has. What is
//! signed can hold both: a signature says whose words they are, and not that they are harmless.

use zegel_content::is_active;

#[cfg(feature = "archive")]
use crate::Ruled;
use crate::StaffId;

/// The longest name in DNS, in bytes.
#[cfg(feature = "archive")]
const MAX_DOMAIN: usize = 253;

/// A text as one line: what a terminal would obey is written out, so that a reader sees what was there.
pub fn one_line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_active(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

/// Whether a text can be a service's domain: a name or an address, perhaps with a port.
#[cfg(feature = "archive")]
pub(crate) fn is_domain(text: &str) -> bool {
    let letter = |letter: u8| letter.is_ascii_alphanumeric() || b".-_:[]".contains(&letter);
    (1..=MAX_DOMAIN).contains(&text.len()) && text.bytes().all(letter)
}

/// Whether a text can be a handle; it is empty where nobody has one.
#[cfg(feature = "archive")]
pub(crate) fn is_handle(text: &str) -> bool {
    text.is_empty() || zegel_proto::check_handle(text).is_ok()
}

impl StaffId {
    /// The longest name, in bytes.
    pub const MAX: usize = 40;

    /// Whether it is a name as the operator gives them: 1 to 40 small letters, digits, hyphens and dots.
    pub fn has_form(&self) -> bool {
        let letter =
            |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-.".contains(&letter);
        (1..=Self::MAX).contains(&self.0.len()) && self.0.bytes().all(letter)
    }
}

#[cfg(feature = "archive")]
impl Ruled {
    /// Whether its rule has a name as the safety rules have: 1 to 40 small letters and hyphens.
    pub(crate) fn has_form(&self) -> bool {
        let letter = |letter: u8| letter.is_ascii_lowercase() || letter == b'-';
        (1..=StaffId::MAX).contains(&self.rule.len()) && self.rule.bytes().all(letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(one_line("a\x1b[2Jb\r\n\u{9b}"), "a\\u{1b}[2Jb\\r\\n\\u{9b}");
        assert_eq!(one_line("evil\u{202e}gpj\u{2028}\u{200f}"), "evil\\u{202e}gpj\\u{2028}\\u{200f}");
        assert_eq!(one_line("één שלום 日本語"), "één שלום 日本語");
    }

    #[test]
    fn names_at_the_desk_have_one_form() {
        for (name, has_form) in
            [("ada", true), ("a.b-7", true), ("", false), ("Ada", false), ("a da", false), ("a\x1b", false)]
        {
            assert_eq!(StaffId(name.into()).has_form(), has_form, "{name:?}");
        }
        assert!(!StaffId("a".repeat(41)).has_form());
    }
}
