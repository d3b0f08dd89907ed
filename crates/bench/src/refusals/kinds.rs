//! What can become of an introduction, and with what each is compared.

use zegel_proto::v1::AgeBand;

/// See the module. What is named after somebody is an introduction to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Delivered: an adult who is away.
    Away,
    /// Delivered and pushed: an adult who is connected.
    Connected,
    /// Dropped: a child, a teen, somebody of unknown age.
    Minor,
    /// Dropped: an adult who blocked the sender.
    Blocked,
    /// Dropped: the sender may not introduce themself to anyone.
    Restricted,
    /// Dropped: the address was used before.
    Used,
    /// Dropped: the account is gone since its key package was fetched.
    Deleted,
    /// Dropped: an adult who is away, with a code that is none.
    AdultWithJunk,
    /// Dropped: a minor, with a code that is none.
    MinorWithJunk,
    /// Delivered: a minor, with a code of theirs.
    MinorWithCode,
    /// Delivered: an adult who is away, into a group that is there already.
    Added,
    /// Dropped: an adult who declined that group before.
    Declined,
}

/// How an introduction is made. Whoever makes it knows that, so only what is made alike is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// It founds a conversation and brings a first message.
    Founds,
    /// The same, and a code is shown.
    FoundsWithCode,
    /// It adds to a conversation.
    Adds,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 12] = [
        Self::Away,
        Self::Connected,
        Self::Minor,
        Self::Blocked,
        Self::Restricted,
        Self::Used,
        Self::Deleted,
        Self::AdultWithJunk,
        Self::MinorWithJunk,
        Self::MinorWithCode,
        Self::Added,
        Self::Declined,
    ];

    /// How it is made.
    pub fn shape(self) -> Shape {
        match self {
            Self::AdultWithJunk | Self::MinorWithJunk | Self::MinorWithCode => Shape::FoundsWithCode,
            Self::Added | Self::Declined => Shape::Adds,
            _ => Shape::Founds,
        }
    }

    /// The delivered kind of the same shape that it is held against; none if it is that.
    pub fn against(self) -> Option<Self> {
        let plain = match self.shape() {
            Shape::Founds => Self::Away,
            Shape::FoundsWithCode => Self::MinorWithCode,
            Shape::Adds => Self::Added,
        };
        (plain != self).then_some(plain)
    }

    /// The age of the `n`th receiver.
    pub fn age_band(self, n: usize) -> AgeBand {
        match self {
            Self::Minor | Self::MinorWithJunk | Self::MinorWithCode => {
                [AgeBand::Child, AgeBand::Teen, AgeBand::Unknown][n % 3]
            }
            _ => AgeBand::Adult,
        }
    }

    /// How many entries wait for a receiver after each introduction, counting what was before it and the message that
    /// follows: the proof that the kind is what it is called. None where nobody can look any more, or has looked.
    pub fn entries(self) -> Option<u64> {
        match self {
            Self::Away | Self::MinorWithCode => Some(3),
            Self::Minor | Self::Blocked | Self::Restricted | Self::AdultWithJunk | Self::MinorWithJunk => {
                Some(0)
            }
            Self::Used | Self::Declined => Some(2),
            Self::Added => Some(4),
            Self::Connected | Self::Deleted => None,
        }
    }

    /// In a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Away => "delivered, away",
            Self::Connected => "delivered, connected",
            Self::Minor => "dropped, a minor",
            Self::Blocked => "dropped, blocked",
            Self::Restricted => "dropped, sender restricted",
            Self::Used => "dropped, address used",
            Self::Deleted => "dropped, account deleted",
            Self::AdultWithJunk => "dropped, an adult, no code of theirs",
            Self::MinorWithJunk => "dropped, a minor, no code of theirs",
            Self::MinorWithCode => "delivered, a minor, a code of theirs",
            Self::Added => "delivered, away, to a group",
            Self::Declined => "dropped, declined that group before",
        }
    }
}
