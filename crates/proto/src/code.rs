//! Stable error codes.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal),* $(,)?) => {
        /// Why the server refused. Numbers never change meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Code { $($(#[$doc])* $name = $value),* }

        impl Code {
            /// The code that a peer sent; an unknown one is [`Code::Internal`].
            pub fn from_wire(value: u32) -> Self {
                match value { $($value => Self::$name,)* _ => Self::Internal }
            }
        }
    };
}

codes! {
    /// Something failed inside the server; nothing was changed. Try again later.
    Internal = 1,
    /// The frame could not be read, or a field has the wrong form.
    BadRequest = 2,
    /// No common protocol version.
    Version = 3,
    /// The call needs `Authenticate` first.
    NotAuthenticated = 4,
    /// Wrong signature, revoked device or unknown account.
    AuthFailed = 5,
    /// The account is suspended.
    Suspended = 6,
    /// The handle is taken, was used before, or looks like one that is.
    HandleTaken = 7,
    /// The handle's form is not allowed.
    HandleForm = 8,
    /// Registration needs a valid invite.
    InviteNeeded = 9,
    /// Too much at once; wait `retry_after_ms`.
    RateLimited = 10,
    /// No such account.
    NotFound = 11,
    /// The message's epoch is not the conversation's; `head_epoch` says which it is at.
    StaleEpoch = 12,
    /// The token is not the current epoch's.
    NotMember = 13,
    /// The message breaks a rule of the contract (authenticated data, wire format, sizes).
    BadMessage = 14,
    /// The conversation is unknown, or was given up; found it anew.
    UnknownConversation = 15,
    /// Too large.
    TooLarge = 16,
    /// The disk is full; nothing was changed. The operator must make room.
    StorageFull = 17,
    /// Another connection of the same device took over.
    Replaced = 18,
    /// The server is stopping; connect again.
    GoingAway = 19,
    /// The sigchain entry does not follow from what the server has.
    BadChain = 20,
}
