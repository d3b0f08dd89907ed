//! Who may come to whom unasked: the one place that decides whether an introduction is delivered. The sender
//! is told the same either way.

use zegel_proto::v1::AgeBand;

use crate::store::AccountState;

/// All that the decision rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Introduction {
    /// The receiver's account.
    pub(super) receiver_band: AgeBand,
    /// The sender's account.
    pub(super) sender_state: AccountState,
    /// Both belong to the same app.
    pub(super) same_app: bool,
    /// The receiver blocked the sender.
    pub(super) blocked: bool,
    /// The sender showed a contact code or connection token of the receiver's.
    pub(super) token: bool,
    /// Both are the same account.
    pub(super) own_account: bool,
}

/// What becomes of an introduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// To the mailbox, without limits: it is no introduction.
    Accept,
    /// To the mailbox, waiting to be accepted.
    Deliver,
    /// To the mailbox that nobody reads. The reason is for the operator's count only.
    Drop(&'static str),
}

/// Decides. (An address that its owner bound to the conversation never gets here: that is no introduction.)
pub(super) fn judge(it: &Introduction) -> Verdict {
    if it.own_account {
        return Verdict::Accept;
    }
    if it.blocked {
        return Verdict::Drop("blocked");
    }
    if it.sender_state != AccountState::Active {
        return Verdict::Drop("restricted");
    }
    if !it.same_app {
        return Verdict::Drop("app");
    }
    match it.receiver_band {
        AgeBand::Adult => Verdict::Deliver,
        // Whoever is or may be a minor is reached only by who was given their code.
        AgeBand::Child | AgeBand::Teen | AgeBand::Unknown if it.token => Verdict::Deliver,
        AgeBand::Child | AgeBand::Teen | AgeBand::Unknown => Verdict::Drop("minor"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Introduction = Introduction {
        receiver_band: AgeBand::Adult,
        sender_state: AccountState::Active,
        same_app: true,
        blocked: false,
        token: false,
        own_account: false,
    };

    #[test]
    fn strangers_reach_adults_only() {
        assert_eq!(judge(&STRANGER), Verdict::Deliver);
        for receiver_band in [AgeBand::Child, AgeBand::Teen, AgeBand::Unknown] {
            let minor = Introduction { receiver_band, ..STRANGER };
            assert_eq!(judge(&minor), Verdict::Drop("minor"));
            assert_eq!(judge(&Introduction { token: true, ..minor }), Verdict::Deliver);
        }
    }

    #[test]
    fn a_token_overrides_neither_block_nor_restriction() {
        let token = Introduction { token: true, ..STRANGER };
        assert_eq!(judge(&Introduction { blocked: true, ..token }), Verdict::Drop("blocked"));
        for sender_state in [AccountState::Restricted, AccountState::Suspended, AccountState::Banned] {
            assert_eq!(judge(&Introduction { sender_state, ..token }), Verdict::Drop("restricted"));
        }
        assert_eq!(judge(&Introduction { same_app: false, ..token }), Verdict::Drop("app"));
    }

    #[test]
    fn own_devices_are_never_strangers() {
        let own = Introduction {
            own_account: true,
            receiver_band: AgeBand::Child,
            sender_state: AccountState::Restricted,
            ..STRANGER
        };
        assert_eq!(judge(&own), Verdict::Accept);
    }
}
