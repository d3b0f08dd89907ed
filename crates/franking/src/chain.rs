//! The order of a conversation, as a member follows it.

use crate::context::Context;

/// Where a member is in the conversation's chain of stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The sequence number that comes next.
    pub next_seq: u64,
    /// The stamp hash that the next context must name.
    pub prev: [u8; 32],
}

/// How a context follows what came before.
///
/// A break is *shown* beside the message and never hides it: otherwise one recipient that the server left out
/// would silence that person for ever. Only what [`check_received`](crate::check_received) refuses is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It follows.
    Next,
    /// Some are missing before it; the chain resumes here.
    Gap {
        /// How many.
        missing: u64,
    },
    /// Its number has passed already. Whether it is the same message again, the message id tells, not the
    /// number: a server could have skipped ahead.
    Repeat,
    /// Its number follows, but it names another past; the chain resumes here.
    Fork,
}

impl Chain {
    /// Starts after a context: for a newcomer the one of the commit that added them.
    pub fn origin(context: &Context) -> Self {
        // A number that cannot grow comes from a dishonest server; staying there is as good as anything.
        Self { next_seq: context.server_seq.saturating_add(1), prev: context.hash() }
    }

    /// Compares the next context with the chain and, unless it is a repeat, moves on to it.
    pub fn check(&mut self, context: &Context) -> Link {
        let Some(missing) = context.server_seq.checked_sub(self.next_seq) else {
            return Link::Repeat;
        };
        let link = match missing {
            0 if context.prev_stamp_hash == self.prev => Link::Next,
            0 => Link::Fork,
            missing => Link::Gap { missing },
        };
        *self = Self::origin(context);
        link
    }
}
