//! Reads the cleartext head of an MLS PrivateMessage (RFC 9420 section 6.3). This is all of MLS that the
//! server knows: no key can be used with it.

use crate::{GroupId, IdError};

/// What a PrivateMessage carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// content_type 1; the authenticated data is exactly one SafeAAD item 0x0020 with this franking tag.
    Application {
        /// HMAC over the content, set by the sender.
        franking_tag: [u8; 32],
    },
    /// content_type 3; the authenticated data is an empty SafeAAD.
    Commit,
}

/// The cleartext head of a PrivateMessage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlsHead {
    /// The conversation.
    pub group: GroupId,
    /// The epoch it was encrypted in.
    pub epoch: u64,
    /// What it is.
    pub kind: Kind,
}

/// Why a message is refused before anyone tries to decrypt it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HeadError {
    /// It ends too early, or something follows it.
    #[error("the MLS message is cut short or has bytes after its end")]
    Length,
    /// Not MLS 1.0.
    #[error("MLS protocol version {0} is not known; 1 is")]
    Version(u16),
    /// Public messages, group infos and key packages have no business here.
    #[error("wire format {0} is refused; only PrivateMessage (2) is carried")]
    WireFormat(u16),
    /// Standalone proposals are refused.
    #[error("content type {0} is refused; only application (1) and commit (3) are carried")]
    ContentType(u8),
    /// The authenticated data is not what the contract says.
    #[error("authenticated data must be {0}")]
    AuthenticatedData(&'static str),
    /// The group id is not 32 bytes.
    #[error(transparent)]
    GroupId(#[from] IdError),
}

/// The component id of the franking tag in SafeAAD (draft-ietf-mimi-protocol, `frank_aad`).
pub const FRANK_AAD: u16 = 0x0020;

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], HeadError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(HeadError::Length)?;
        self.0 = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], HeadError> {
        self.take(N).map(|bytes| bytes.try_into().expect("take gave N bytes"))
    }
    fn u16(&mut self) -> Result<u16, HeadError> {
        self.array().map(u16::from_be_bytes)
    }
    /// A variable-size vector (RFC 9420 section 2.1.2); only the shortest form of a length is allowed.
    fn vector(&mut self) -> Result<&'a [u8], HeadError> {
        let [first] = self.array()?;
        let len = match first >> 6 {
            0 => usize::from(first),
            1 => {
                let [second] = self.array()?;
                (usize::from(first & 0x3f) << 8) | usize::from(second)
            }
            2 => {
                let [b, c, d] = self.array()?;
                u32::from_be_bytes([first & 0x3f, b, c, d]) as usize
            }
            _ => return Err(HeadError::Length),
        };
        let shortest = match first >> 6 {
            0 => true,
            1 => len >= 1 << 6,
            _ => len >= 1 << 14,
        };
        if !shortest {
            return Err(HeadError::Length);
        }
        self.take(len)
    }
}

/// Reads the head of `MLSMessage(PrivateMessage)` and holds it to the contract: application messages carry
/// exactly one 32-byte franking tag, commits an empty SafeAAD, nothing else passes.
pub fn read_mls_head(message: &[u8]) -> Result<MlsHead, HeadError> {
    let mut r = Reader(message);
    match r.u16()? {
        1 => {}
        other => return Err(HeadError::Version(other)),
    }
    match r.u16()? {
        2 => {}
        other => return Err(HeadError::WireFormat(other)),
    }
    let group = GroupId::from_slice(r.vector()?)?;
    let epoch = u64::from_be_bytes(r.array()?);
    let [content_type] = r.array()?;
    let authenticated_data = r.vector()?;
    let kind = match content_type {
        1 => Kind::Application { franking_tag: one_tag(authenticated_data)? },
        3 if authenticated_data == [0] => Kind::Commit,
        3 => return Err(HeadError::AuthenticatedData("an empty SafeAAD in a commit")),
        other => return Err(HeadError::ContentType(other)),
    };
    r.vector()?; // encrypted_sender_data
    r.vector()?; // ciphertext
    if r.0.is_empty() { Ok(MlsHead { group, epoch, kind }) } else { Err(HeadError::Length) }
}

fn one_tag(authenticated_data: &[u8]) -> Result<[u8; 32], HeadError> {
    let wrong = || HeadError::AuthenticatedData("exactly one SafeAAD item 0x0020 of 32 bytes");
    let mut outer = Reader(authenticated_data);
    let mut items = Reader(outer.vector().map_err(|_| wrong())?);
    let id = items.u16().map_err(|_| wrong())?;
    let tag = items.vector().map_err(|_| wrong())?;
    if id != FRANK_AAD || !items.0.is_empty() || !outer.0.is_empty() {
        return Err(wrong());
    }
    tag.try_into().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(content_type: u8, aad: &[u8]) -> Vec<u8> {
        let mut m = vec![0, 1, 0, 2, 32];
        m.extend([9; 32]);
        m.extend(5u64.to_be_bytes());
        m.push(content_type);
        m.push(aad.len() as u8);
        m.extend(aad);
        m.extend([2, 1, 1, 0x40, 0x40]);
        m.extend([3; 64]);
        m
    }
    fn tag_aad() -> Vec<u8> {
        let mut aad = vec![35, 0, 0x20, 32];
        aad.extend([7; 32]);
        aad
    }

    #[test]
    fn reads_application_and_commit() {
        let head = read_mls_head(&message(1, &tag_aad())).expect("valid");
        assert_eq!(
            head,
            MlsHead { group: GroupId([9; 32]), epoch: 5, kind: Kind::Application { franking_tag: [7; 32] } }
        );
        assert_eq!(read_mls_head(&message(3, &[0])).map(|h| h.kind), Ok(Kind::Commit));
    }

    #[test]
    fn refuses_all_else() {
        let good = message(1, &tag_aad());
        for cut in 0..good.len() {
            assert!(read_mls_head(&good[..cut]).is_err(), "{cut}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(read_mls_head(&longer), Err(HeadError::Length));
        assert_eq!(read_mls_head(&message(2, &[0])), Err(HeadError::ContentType(2)));
        assert!(matches!(read_mls_head(&message(3, &tag_aad())), Err(HeadError::AuthenticatedData(_))));
        assert!(matches!(read_mls_head(&message(1, &[0])), Err(HeadError::AuthenticatedData(_))));
        let mut public = good.clone();
        public[3] = 1;
        assert_eq!(read_mls_head(&public), Err(HeadError::WireFormat(1)));
        let mut short_tag = vec![34, 0, 0x20, 31];
        short_tag.extend([7; 31]);
        assert!(matches!(read_mls_head(&message(1, &short_tag)), Err(HeadError::AuthenticatedData(_))));
    }
}
