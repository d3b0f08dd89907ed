//! Fixed-size names. Each is its own type, so that an address can never be given where a group id is meant.

use std::fmt;

/// Bytes of the wrong length where an id was expected.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what} must be {want} bytes, not {got}")]
pub struct IdError {
    /// Which id.
    pub what: &'static str,
    /// Its length in bytes.
    pub want: usize,
    /// What came.
    pub got: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// A fresh random one. Panics only if the operating system has no randomness, in which case
            /// nothing here may go on.
            pub fn random() -> Self {
                let mut bytes = [0; $len];
                getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
                Self(bytes)
            }

            /// From bytes of exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                let array = bytes.try_into();
                array.map(Self).map_err(|_| IdError { what: $what, want: $len, got: bytes.len() })
            }

            /// As a protobuf field.
            pub fn to_field(self) -> bytes::Bytes {
                bytes::Bytes::copy_from_slice(&self.0)
            }

            /// Lower-case hexadecimal.
            pub fn to_hex(self) -> String {
                hex::encode(self.0)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}

macro_rules! shown {
    ($($name:ident),*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({}..)", stringify!($name), hex::encode(&self.0[..4]))
            }
        }
    )* };
}
macro_rules! hidden {
    ($($name:ident),*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )* };
}

id!(
    /// A stable random name of an account.
    AccountId, 16, "an account id"
);
id!(
    /// A device of an account; also the name of its mailbox.
    DeviceId, 16, "a device id"
);
id!(
    /// An MLS group id: 32 random bytes, known to members and, as it passes, to the server.
    GroupId, 32, "a group id"
);
id!(
    /// What a conversation is called in contexts and URIs: see [`crate::room_of`].
    RoomId, 32, "a room id"
);
id!(
    /// An unguessable name for a mailbox, good for one conversation (DESIGN.md section 5).
    Address, 16, "an address"
);
id!(
    /// The client's random name for one submission.
    SubmissionId, 16, "a submission id"
);
id!(
    /// A contact code's or connection token's secret.
    Token, 16, "a token"
);
id!(
    /// A stored file.
    BlobName, 32, "a blob name"
);

shown!(AccountId, DeviceId, RoomId, SubmissionId);
// Knowing one of these gives a capability: they never reach a log.
hidden!(GroupId, Address, Token, BlobName);
