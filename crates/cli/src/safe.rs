//! Text from others, made safe to show.
//!
//! A terminal obeys control characters, and a bidirectional override shows a text in another order than it
//! has. Neither is ever written raw; both are written so that a reader sees what was there.

use std::fmt::Write;

use zegel_client::is_active;

/// A text as one line.
pub fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_active(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

/// JSON with the same characters as escapes: to a parser it means the same. (Outside of strings JSON has none
/// of them.)
pub fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_active(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A name as one word of a command that somebody may copy into a shell: what others call their groups does nothing there.
pub fn word(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+' | ':' | '/');
    match !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(line("a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(line("\x07\x7f\u{9b}\r\n"), "\\u{7}\\u{7f}\\u{9b}\\r\\n");
        assert_eq!(line("evil\u{202e}gpj.exe"), "evil\\u{202e}gpj.exe");
        assert_eq!(line("\u{2066}x\u{2069}\u{2028}"), "\\u{2066}x\\u{2069}\\u{2028}");
        assert_eq!(line("\u{61c}a\u{200e}b\u{200f}"), "\\u{61c}a\\u{200e}b\\u{200f}");
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["hi", "één ⚓ 日本語", "שלום", "👩‍👩‍👧", "क्षि", "e\u{301}"]
        {
            assert_eq!(line(text), text);
            assert_eq!(json(text), text);
        }
    }

    #[test]
    fn a_name_is_one_word_of_a_command() {
        assert_eq!(word("bob"), "bob");
        assert_eq!(word("Fämily"), "Fämily");
        assert_eq!(word("club (2)"), "'club (2)'");
        assert_eq!(word("it's; rm -rf ~"), r"'it'\''s; rm -rf ~'");
        assert_eq!((word(""), word("-x")), ("''".into(), "'-x'".into()));
    }

    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({"text": "a\x1b\u{9b}\u{202e}\u{7f}\"\n"});
        let safe = json(&value.to_string());
        assert!(safe.chars().all(|c| !is_active(c)), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("JSON"), value);
    }
}
