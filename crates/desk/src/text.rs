//! What other people wrote, as text that cannot pretend to be anything else; times and ages in words.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;
use jiff::Timestamp;
use zegel_content::is_unseen;

/// Foreign text. Its display is HTML: escaped, with every character that nobody would see written out as its number,
/// so that no text can turn the reading direction around or hide a part of itself.
pub(crate) struct Text(pub String);

impl HtmlSafe for Text {}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = None;
        let mut letters = self.0.chars().peekable();
        while let Some(letter) = letters.next() {
            let after = letters.peek().copied();
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\r' if after == Some('\n') => {}
                _ if unseen(before, letter, after) => {
                    write!(f, "<span class=\"unseen\">U+{:04X}</span>", u32::from(letter))?;
                }
                _ => f.write_char(letter)?,
            }
            before = Some(letter);
        }
        Ok(())
    }
}

/// Whether a reader would not see this character, or see others in the wrong order because of it.
fn unseen(before: Option<char>, letter: char, after: Option<char>) -> bool {
    match letter {
        '\n' | '\t' => false,
        // Joiners belong into emoji and into several scripts, never beside ASCII.
        '\u{200c}' | '\u{200d}' => [before, after].iter().any(|beside| beside.is_none_or(|it| it.is_ascii())),
        _ => is_unseen(letter),
    }
}

/// A moment, to the minute.
pub(crate) fn time(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment
        .map_or_else(|| "at no known time".into(), |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// How long ago, in the unit that people would use.
pub(crate) fn age(now_ms: u64, then_ms: u64) -> String {
    let minutes = now_ms.saturating_sub(then_ms) / 60_000;
    match minutes {
        0..60 => format!("{minutes} min"),
        60..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hidden_and_nothing_is_markup() {
        let shown = |text: &str| Text(text.into()).to_string();
        assert_eq!(shown("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
        assert_eq!(shown("one\r\ntwo\tthree"), "one\ntwo\tthree");
        assert_eq!(shown("a\u{202e}b"), "a<span class=\"unseen\">U+202E</span>b");
        assert_eq!(
            shown("pay\u{200d}pal\0"),
            "pay<span class=\"unseen\">U+200D</span>pal<span class=\"unseen\">U+0000</span>"
        );
        for whole in ["👩\u{200d}🚀 ❤\u{fe0f}", "می\u{200c}خواهم", "שלום عليكم", "naïve"]
        {
            assert_eq!(shown(whole), whole);
        }
    }

    #[test]
    fn times_are_read_at_a_glance() {
        assert_eq!(time(1_700_000_000_000), "2023-11-14 22:13 UTC");
        assert_eq!(time(u64::MAX), "at no known time");
        let day = 24 * 60 * 60_000;
        assert_eq!(
            (age(5, 9), age(day, 0), age(3 * day, 0)),
            ("0 min".into(), "24 h".into(), "3 days".into())
        );
    }
}
