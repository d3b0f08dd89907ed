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
    token_days: u32,
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
    let token = use_up(post, newcomer, &receiver, token_days, now)?;
    let verdict = policy::judge(&policy::Introduction {
        receiver_band: account.age_band,
        sender_state: sender.account.state_on(now.day()),
        same_app: account.app == sender.account.app,
        blocked: post.tx.blocked(&keys.block_tag(&receiver, &sender.account.id))?,
        token: token.is_some(),
        own_account: receiver == sender.account.id,
    });
    let (state, admitted) = match verdict {
        Verdict::Accept => (State::Accepted, Admitted { to: device, token }),
        Verdict::Deliver => {
            let introducer = sender.account.id;
            let state = State::Pending { entries: 0, since_hour: now.hour(), introducer };
            (state, Admitted { to: device, token })
        }
        Verdict::Drop(why) => (State::Sink, drop_for(why)),
    };
    if !value.bind(target.tag, state, now.hour()) {
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
    days: u32,
    now: Now,
) -> StoreResult<Option<Token>> {
    let Some((token, key)) = &newcomer.token else { return Ok(None) };
    let Some(sealed) = post.tx.token(&key.row)? else { return Ok(None) };
    let valid = |(owner, day): (AccountId, u32)| owner == *receiver && now.day() <= day.saturating_add(days);
    if !key.open(&sealed).is_some_and(valid) {
        return Ok(None);
    }
    post.tx.delete_token(&key.row)?;
    Ok(Some(*token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        service::{address_value::Target, hour_keys::HourKeys, post::PostOffice, seal::TokenKey},
        store::{SqliteStore, write},
    };
    use std::sync::Arc;
    use zegel_proto::{Address, GroupId, token_hash};

    #[tokio::test]
    async fn a_code_is_valid_for_the_configured_days() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let store = SqliteStore::open(&data).expect("a store");
        let keys = KeyRing::load_or_create(&dir.path().join("keys.toml"), &data, "localhost").expect("keys");
        let (owner, token, address) = (AccountId([4; 16]), Token([5; 16]), Address([2; 16]));
        let key = TokenKey::new(keys.storage(), &token_hash(&token.0));
        let target = Target::new(&keys, &address, &GroupId([3; 32]));
        let newcomer = Newcomer { target, address, token: Some((token, key)) };
        let now = Now { ms: 100 * 86_400_000 };
        let office = PostOffice {
            hours: Arc::new(HourKeys::new()),
            answers: Arc::default(),
            hub: Arc::default(),
            unaccepted_entries: 1000,
        };
        let used = write(&store, move |tx| {
            let Some((_, key)) = &newcomer.token else { return Ok([None; 3]) };
            tx.put_token(&key.row, 97, &key.seal(&owner, 97))?;
            let mut post = Post::new(tx, &office, now);
            let mut used = |days| use_up(&mut post, &newcomer, &owner, days, now);
            Ok([used(2)?, used(3)?, used(3)?])
        });
        assert_eq!(used.await.expect("written"), [None, Some(token), None]);
    }
}
