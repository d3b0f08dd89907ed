//! A device that fell out of a conversation asks to be let in again. No token and no stamp: it has lost both.

use bytes::Bytes;
use zegel_proto::{Address, Code, GroupId, MAX_ADDRESSES, room_of, v1};

use super::{
    Service, Session,
    address_value::Target,
    post::{Post, padded},
    refusal::Refusal,
};
use crate::{
    clock::Now,
    store::{Head, write},
};

/// The largest sealed request, in bytes: a key package and what comes with it.
const MAX_SEALED: usize = 32 << 10;

impl Service {
    pub(super) async fn request_rejoin(
        &self,
        session: &Session,
        call: v1::RequestRejoin,
    ) -> Result<(), Refusal> {
        let (_, device) = session.member()?;
        let group = GroupId::from_slice(&call.group_id)?;
        if call.copies.len() > MAX_ADDRESSES || call.copies.iter().any(|copy| copy.sealed.len() > MAX_SEALED)
        {
            let text = format!("at most {MAX_ADDRESSES} copies of at most {MAX_SEALED} bytes each");
            return Err(Refusal::new(Code::TooLarge, text));
        }
        let room = room_of(&group);
        let keys = self.keys();
        let copies: Vec<(Target, Bytes)> = call
            .copies
            .into_iter()
            .map(|copy| Ok((Target::new(&keys, &Address::from_slice(&copy.address)?, &group), copy.sealed)))
            .collect::<Result<_, Refusal>>()?;
        self.limits.rejoin(device, room)?;
        let (office, limits) = (self.office.clone(), self.limits.clone());
        write(&*self.store, move |tx| {
            if !matches!(tx.head(&room)?, Some(Head::Live { .. })) {
                let text = "the conversation is unknown here or was given up; found it anew with a new group";
                return Ok(Err(Refusal::new(Code::UnknownConversation, text)));
            }
            let mut post = Post::new(tx, &office, Now::get());
            for (target, sealed) in copies {
                let way = post.route(&target)?;
                // Not told: others may have asked there, and other copies arrive.
                if !limits.rejoin_at(&target.hash) {
                    continue;
                }
                let request = v1::RejoinRequest { group_id: group.to_field(), sealed };
                post.put(&way, &padded(v1::entry::Body::Rejoin(request)), &None)?;
            }
            post.finish()?;
            Ok(Ok(()))
        })
        .await?
    }
}
