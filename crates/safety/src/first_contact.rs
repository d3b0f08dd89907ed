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
    /// The sender showed a contact code or connection token of the receiver's that is valid.
    pub token: bool,
    /// The sender has introduced themself to as many strangers today as they may.
    pub spent: bool,
    /// Both are the same account.
    pub own_account: bool,
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
    /// The sender has introduced themself to enough strangers today.
    Spent,
}

impl Why {
    /// Its name in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Restricted => "restricted",
            Self::App => "app",
            Self::Minor => "minor",
            Self::Spent => "spent",
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
        // Whoever is or may be a minor is reached only by who was given a word of theirs.
        (is_minor(it.receiver_band) && !it.token, Why::Minor),
        (it.spent && !it.token, Why::Spent),
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
        token: false,
        spent: false,
        own_account: false,
    };

    #[test]
    fn strangers_reach_adults_only() {
        assert_eq!(judge(&STRANGER), Verdict::Deliver);
        for receiver_band in [AgeBand::Child, AgeBand::Teen, AgeBand::Unknown] {
            let minor = Introduction { receiver_band, ..STRANGER };
            assert_eq!(judge(&minor), Verdict::Drop(Why::Minor));
            assert_eq!(judge(&Introduction { token: true, ..minor }), Verdict::Deliver);
        }
    }

    #[test]
    fn a_token_overrides_neither_block_nor_restriction_but_a_daily_limit() {
        let token = Introduction { token: true, spent: true, ..STRANGER };
        assert_eq!(judge(&token), Verdict::Deliver);
        assert_eq!(judge(&Introduction { token: false, ..token }), Verdict::Drop(Why::Spent));
        assert_eq!(judge(&Introduction { blocked: true, ..token }), Verdict::Drop(Why::Blocked));
        assert_eq!(judge(&Introduction { sender_is_free: false, ..token }), Verdict::Drop(Why::Restricted));
        assert_eq!(judge(&Introduction { same_app: false, ..token }), Verdict::Drop(Why::App));
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
