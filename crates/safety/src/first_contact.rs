//! Who may come to whom unasked: the one place that decides whether an introduction is delivered. The sender is told
//! the same either way.

use zegel_proto::v1::AgeBand;

use crate::is_minor;

/// All that the decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Introduction {
    /// The receiver's account.
    pub receiver_band: AgeBand,
    /// The sender may introduce themself to strangers: neither the desk nor a rule took that away.
    pub sender_is_free: bool,
    /// Both belong to the same app.
    pub same_app: bool,
    /// The receiver blocked the sender, on whichever account of theirs the service knows.
    pub blocked: bool,
    /// The contact code or connection token that came along.
    pub shown: Shown,
    /// Both are the same account.
    pub own_account: bool,
}

/// What somebody shows who introduces themself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: a stranger.
    Nothing,
    /// A code or token of the receiver's.
    Valid,
    /// One that is used up, too old, somebody else's or made up.
    Invalid,
}

/// What becomes of an introduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// To the mailbox, without limits: it is no introduction.
    Accept,
    /// To the mailbox, waiting to be accepted.
    Deliver,
    /// To the mailbox that nobody reads.
    Drop(Why),
}

/// Why an introduction is dropped: for the operator's count only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The receiver blocked the sender.
    Blocked,
    /// The sender may not introduce themself to anyone now.
    Restricted,
    /// They belong to different apps.
    App,
    /// The receiver is or may be a minor, and gave the sender neither a code nor a token.
    Minor,
    /// The sender showed a code or token that is not valid. Whoever does is no stranger to be counted, and reaches nobody,
    /// whatever age they have: else what it costs, or whom it reaches, would tell until when it was good.
    Token,
}

impl Why {
    /// Its name in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Restricted => "restricted",
            Self::App => "app",
            Self::Minor => "minor",
            Self::Token => "token",
        }
    }
}

/// Decides. (An address that its owner bound to the conversation never gets here: that is no introduction.)
pub fn judge(it: &Introduction) -> Verdict {
    if it.own_account {
        return Verdict::Accept;
    }
    let drop = [
        (it.blocked, Why::Blocked),
        (!it.sender_is_free, Why::Restricted),
        (!it.same_app, Why::App),
        (it.shown == Shown::Invalid, Why::Token),
        // Whoever is or may be a minor is reached only by who was given a word of theirs.
        (is_minor(it.receiver_band) && it.shown == Shown::Nothing, Why::Minor),
    ];
    match drop.into_iter().find(|(applies, _)| *applies) {
        Some((_, why)) => Verdict::Drop(why),
        None => Verdict::Deliver,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Introduction = Introduction {
        receiver_band: AgeBand::Adult,
        sender_is_free: true,
        same_app: true,
        blocked: false,
        shown: Shown::Nothing,
        own_account: false,
    };

    #[test]
    fn strangers_reach_adults_only() {
        assert_eq!(judge(&STRANGER), Verdict::Deliver);
        for receiver_band in [AgeBand::Child, AgeBand::Teen, AgeBand::Unknown] {
            let minor = Introduction { receiver_band, ..STRANGER };
            assert_eq!(judge(&minor), Verdict::Drop(Why::Minor));
            assert_eq!(judge(&Introduction { shown: Shown::Valid, ..minor }), Verdict::Deliver);
        }
    }

    #[test]
    fn a_token_overrides_neither_block_nor_restriction() {
        let token = Introduction { shown: Shown::Valid, ..STRANGER };
        assert_eq!(judge(&token), Verdict::Deliver);
        assert_eq!(judge(&Introduction { blocked: true, ..token }), Verdict::Drop(Why::Blocked));
        assert_eq!(judge(&Introduction { sender_is_free: false, ..token }), Verdict::Drop(Why::Restricted));
        assert_eq!(judge(&Introduction { same_app: false, ..token }), Verdict::Drop(Why::App));
    }

    #[test]
    fn a_token_that_is_not_valid_reaches_nobody_of_any_age() {
        for receiver_band in [AgeBand::Adult, AgeBand::Teen, AgeBand::Child, AgeBand::Unknown] {
            let late = Introduction { receiver_band, shown: Shown::Invalid, ..STRANGER };
            assert_eq!(judge(&late), Verdict::Drop(Why::Token));
        }
    }

    #[test]
    fn own_devices_are_never_strangers() {
        let own = Introduction {
            own_account: true,
            receiver_band: AgeBand::Child,
            sender_is_free: false,
            ..STRANGER
        };
        assert_eq!(judge(&own), Verdict::Accept);
    }
}
