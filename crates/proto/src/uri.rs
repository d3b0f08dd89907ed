//! Handles and MIMI URIs (draft-ietf-mimi-protocol).

use crate::RoomId;

/// Why a handle is not allowed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HandleError {
    /// Length outside 2 to 32.
    #[error("a handle has 2 to 32 characters")]
    Length,
    /// A character outside the allowed ones.
    #[error("a handle has only a-z, 0-9, '.', '_' and '-', not {0:?}")]
    Character(char),
    /// Punctuation at an end, or twice in a row.
    #[error("a handle begins and ends with a letter or digit and has no two of '.', '_', '-' in a row")]
    Punctuation,
}

/// Checks the form of a handle: lower-case ASCII, 2 to 32 characters. (Whether it is confusable with an
/// existing one is the server's to know.)
pub fn check_handle(handle: &str) -> Result<(), HandleError> {
    if let Some(c) = handle.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
        return Err(HandleError::Character(c));
    }
    if !(2..=32).contains(&handle.len()) {
        return Err(HandleError::Length);
    }
    let punctuation = |b: u8| matches!(b, b'.' | b'_' | b'-');
    let bytes = handle.as_bytes();
    let doubled = bytes.windows(2).any(|w| punctuation(w[0]) && punctuation(w[1]));
    if punctuation(bytes[0]) || punctuation(bytes[bytes.len() - 1]) || doubled {
        return Err(HandleError::Punctuation);
    }
    Ok(())
}

/// `mimi://DOMAIN/u/HANDLE`
pub fn user_uri(domain: &str, handle: &str) -> String {
    format!("mimi://{domain}/u/{handle}")
}

/// `mimi://DOMAIN/r/ROOM`, the room in hexadecimal.
pub fn room_uri(domain: &str, room: &RoomId) -> String {
    format!("mimi://{domain}/r/{}", room.to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles() {
        for good in ["al", "alice", "a.b-c_d", "7x", &"a".repeat(32)] {
            assert_eq!(check_handle(good), Ok(()), "{good}");
        }
        assert_eq!(check_handle("Alice"), Err(HandleError::Character('A')));
        assert_eq!(check_handle("a"), Err(HandleError::Length));
        assert_eq!(check_handle(""), Err(HandleError::Length));
        assert_eq!(check_handle(&"a".repeat(33)), Err(HandleError::Length));
        assert_eq!(check_handle("аlice"), Err(HandleError::Character('а')));
        for bad in [".a", "a.", "a..b", "a-_b"] {
            assert_eq!(check_handle(bad), Err(HandleError::Punctuation), "{bad}");
        }
    }
}
