//! Characters that do something else than show a letter.

/// Whether a terminal or a page would obey this character, or show others in another order or on another line because of
/// it. (Line breaks and tabs are among them.)
pub fn is_active(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
        || matches!(letter, '\u{fff9}'..='\u{fffb}')
}

/// Whether a reader sees nothing where this character stands: an active one, or one that is shown as nothing. Joiners are
/// among them, which emoji and several scripts need.
pub fn is_unseen(letter: char) -> bool {
    is_active(letter)
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'
                ..='\u{180f}'
        )
        || matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
        || matches!(letter, '\u{fff0}'..='\u{fff8}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_all_scripts_are_seen_and_direction_marks_are_active() {
        for letter in "aé ـשकँ語♞👩\u{301}\u{fe0f}".chars() {
            assert!(!is_unseen(letter), "{letter:?}");
        }
        for letter in
            ['\n', '\u{1b}', '\u{9b}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{202e}', '\u{2066}', '\u{fff9}']
        {
            assert!(is_active(letter) && is_unseen(letter), "{letter:?}");
        }
        for letter in ['\u{ad}', '\u{200b}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{e0041}'] {
            assert!(!is_active(letter) && is_unseen(letter), "{letter:?}");
        }
    }
}
