//! Where a Welcome goes: to the newcomer's mailbox, or to the one that nobody reads.

use zegel_proto::{AccountId, Token};

use super::{
    address_value::State,
    facts::Sender,
    hour_keys::SINK,
    policy::{self, Verdict},
    post::Post,
    submission::Newcomer,
};
use crate::{clock::Now, keys::KeyRing, store::StoreResult};

/// Days that an unused token is valid.
const TOKEN_DAYS: u32 = 28;

/// The decision about one newcomer.
pub(super) struct Admitted {
    pub(super) to: zegel_proto::DeviceId,
    /// The token that was shown, if it was valid.
    pub(super) token: Option<Token>,
}

const DROPPED: Admitted = Admitted { to: SINK, token: None };

/// Decides, and binds the address to the conversation. What is dropped is bound as well, so that later
/// messages take the same way and the sender sees no difference.
pub(super) fn admit(
    post: &mut Post<'_>,
    newcomer: &Newcomer,
    sender: &Sender,
    keys: &KeyRing,
    now: Now,
) -> StoreResult<Admitted> {
    let target = &newcomer.target;
    let Some(mut value) = post.open(target)? else { return Ok(drop_for("unknown")) };
    let device = value.device;
    let Some(receiver) = post.mailbox(&device)?.map(|mailbox| mailbox.account) else {
        return Ok(drop_for("revoked"));
    };
    if let Some(binding) = value.binding(&target.tag) {
        // Its owner bound it to this conversation, or an earlier Welcome did.
        let to = if binding.state == State::Sink { SINK } else { device };
        return Ok(Admitted { to, token: None });
    }
    if !value.last_resort && !value.bindings.is_empty() {
        return Ok(drop_for("used"));
    }
    let Some(account) = post.tx.account(&receiver)? else { return Ok(drop_for("gone")) };
    let token = use_up(post, newcomer, &receiver, now)?;
    let verdict = policy::judge(&policy::Introduction {
        receiver_band: account.age_band,
        sender_state: sender.account.state,
        same_app: account.app == sender.account.app,
        blocked: post.tx.blocked(&keys.block_tag(&receiver, &sender.account.id))?,
        token: token.is_some(),
        own_account: receiver == sender.account.id,
    });
    let (state, admitted) = match verdict {
        Verdict::Accept => (State::Accepted, Admitted { to: device, token }),
        Verdict::Deliver => {
            (State::Pending { entries: 0, since_hour: now.hour() }, Admitted { to: device, token })
        }
        Verdict::Drop(why) => (State::Sink, drop_for(why)),
    };
    if !value.bind(target.tag, state) {
        return Ok(drop_for("full"));
    }
    post.tx.put_address(&target.hash, &target.seal(&value))?;
    Ok(admitted)
}

/// Counts; the reason is said to nobody and names nobody.
fn drop_for(why: &'static str) -> Admitted {
    metrics::counter!("zegel_introductions_dropped", "reason" => why).increment(1);
    DROPPED
}

/// A valid token of the receiver's is gone once it was shown, needed or not.
fn use_up(
    post: &mut Post<'_>,
    newcomer: &Newcomer,
    receiver: &AccountId,
    now: Now,
) -> StoreResult<Option<Token>> {
    let Some((token, key)) = &newcomer.token else { return Ok(None) };
    let Some(sealed) = post.tx.token(&key.row)? else { return Ok(None) };
    let valid =
        |(owner, day): (AccountId, u32)| owner == *receiver && now.day() <= day.saturating_add(TOKEN_DAYS);
    if !key.open(&sealed).is_some_and(valid) {
        return Ok(None);
    }
    post.tx.delete_token(&key.row)?;
    Ok(Some(*token))
}
