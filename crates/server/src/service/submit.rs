//! Accepts a message into a conversation (DESIGN.md section 5): one write job that holds the head, every entry
//! and the remembered answer. It decides first; once it writes, it can no longer refuse.

use std::sync::Arc;

use bytes::Bytes;
use subtle::ConstantTimeEq as _;
use zegel_franking::{Context, StampKey, stamp};
use zegel_proto::{Code, v1};
use zegel_safety::Policy;

use super::{
    Service, Session,
    facts::Sender,
    introduce::Admission,
    post::{Post, PostOffice, Pushed, Way, later, padded, random_48},
    refusal::Refusal,
    seal::Payload,
    signals::Watch,
    strangers::Strangers,
    submission::{Carried, Piece, Submission},
};
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{Head, StoreResult, Tx, write},
};

impl Service {
    pub(super) async fn submit(&self, session: &Session, call: v1::Submit) -> Result<v1::Submitted, Refusal> {
        let sender = session.member()?;
        self.limits.submit(sender.1)?;
        if let Some(welcome) = &call.welcome {
            self.limits.introduce(sender.0, welcome.newcomers.len() as u32)?;
        }
        let keys = self.keys();
        let submission = Submission::prepare(call, sender, &keys)?;
        let (office, watch) = (self.office.clone(), self.watch.clone());
        let (safety, strangers) = (self.safety.clone(), self.strangers.clone());
        let job = SubmitJob { submission, keys, office, watch, safety, strangers };
        write(&*self.store, move |tx| job.run(tx)).await?
    }
}

struct SubmitJob {
    submission: Submission,
    keys: Arc<KeyRing>,
    office: PostOffice,
    watch: Arc<Watch>,
    safety: Arc<Policy>,
    strangers: Arc<Strangers>,
}

/// The place in the conversation that a submission takes.
#[derive(Clone, Copy)]
struct Place {
    seq: u64,
    prev: [u8; 32],
    /// The head's epoch and token afterwards.
    epoch: u64,
    token_hash: [u8; 32],
}

impl SubmitJob {
    fn run(self, tx: &mut dyn Tx) -> StoreResult<Result<v1::Submitted, Refusal>> {
        let it = &self.submission;
        if let Some(sealed) = tx.answer(&it.answer.row)? {
            return Ok(it.answer.open(&sealed).ok_or_else(|| {
                Refusal::bad_request("this submission id was used for other content; make a new one")
            }));
        }
        if tx.mailbox(&it.sender.1)?.is_none() {
            return Ok(Err(Refusal::new(Code::AuthFailed, "this device was revoked")));
        }
        let place = match self.place(tx.head(&it.room)?) {
            Ok(place) => place,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let keys = self.keys.franking();
        let key_id = keys.current_id();
        let Some(key) = keys.get(key_id) else {
            return Ok(Err(Refusal::new(
                Code::Internal,
                "the server has no stamp key; its operator must look",
            )));
        };
        let now = Now::get();
        let sender = match &it.welcome {
            None => None,
            Some(_) => match tx.account(&it.sender.0)? {
                Some(account) => Some(Sender::new(account)),
                None => return Ok(Err(Refusal::new(Code::AuthFailed, "this account is gone"))),
            },
        };
        let admission = sender.as_ref().map(|sender| self.admission(sender, now));
        if let (Some(admission), Some(welcome)) = (&admission, &it.welcome)
            && let Err(refusal) = admission.may_come(tx, welcome)?
        {
            return Ok(Err(refusal));
        }

        // From here on nothing refuses any more.
        let (stamped, hash) = self.stamped(&it.message, place.seq, place.prev, now, (key_id, key));
        let mut stamps = vec![stamped];
        let (mut seq, mut stamp_hash) = (place.seq, hash);
        if let Some(first) = &it.first {
            seq += 1;
            let (stamped, hash) = self.stamped(first, seq, stamp_hash, now, (key_id, key));
            stamps.push(stamped);
            stamp_hash = hash;
        }
        let Place { epoch, token_hash, .. } = place;
        tx.put_head(&it.room, &Head::Live { epoch, token_hash, seq, stamp_hash, month: now.month() })?;

        let mut post = Post::new(tx, &self.office, now);
        self.to_members(&mut post, now, &stamps[0])?;
        if let (Some(sender), Some(admission)) = (&sender, &admission) {
            self.to_newcomers(&mut post, now, &stamps, sender, admission)?;
        }
        let submission_id = it.id.to_field();
        let confirmation = v1::Confirmation { submission_id, stamps: stamps.clone() };
        let confirmation = padded(v1::entry::Body::Confirmation(confirmation));
        post.confirm(&it.sender.1, &confirmation, it.answer.row)?;
        let answer = v1::Submitted { stamps };
        post.tx.put_answer(&it.answer.row, now.hour(), &it.answer.seal(&answer))?;
        post.finish()?;
        Ok(Ok(answer))
    }

    /// Whether the head lets this in, and where.
    fn place(&self, head: Option<Head>) -> Result<Place, Refusal> {
        let it = &self.submission;
        match (head, it.next_token_hash) {
            (None, Some(token_hash)) if it.message.epoch == 0 => {
                Ok(Place { seq: random_48(), prev: [0; 32], epoch: 1, token_hash })
            }
            (None | Some(Head::Tombstone), _) => {
                let text = "the conversation is unknown here or was given up; found it anew with a new group";
                Err(Refusal::new(Code::UnknownConversation, text))
            }
            (Some(Head::Live { epoch, .. }), _) if it.message.epoch != epoch => {
                Err(Refusal::stale_epoch(epoch))
            }
            (Some(Head::Live { token_hash, .. }), _) if !bool::from(token_hash.ct_eq(&it.token_hash)) => {
                let text = "the token is not this epoch's; if you were removed there is nothing to send, \
                            else process your mail or ask to rejoin";
                Err(Refusal::new(Code::NotMember, text))
            }
            (Some(Head::Live { epoch, token_hash, seq, stamp_hash, .. }), next) => {
                let seq = seq.saturating_add(1);
                match next {
                    None => Ok(Place { seq, prev: stamp_hash, epoch, token_hash }),
                    Some(token_hash) => {
                        Ok(Place { seq, prev: stamp_hash, epoch: epoch.saturating_add(1), token_hash })
                    }
                }
            }
        }
    }

    fn admission<'a>(&'a self, sender: &'a Sender, now: Now) -> Admission<'a> {
        Admission::new(sender, &self.keys, &self.safety, &self.strangers, now)
    }

    fn stamped(
        &self,
        piece: &Piece,
        server_seq: u64,
        prev_stamp_hash: [u8; 32],
        now: Now,
        (key_id, key): (u32, &StampKey),
    ) -> (v1::Stamped, [u8; 32]) {
        let it = &self.submission;
        let context = Context {
            key_id,
            sender_account: it.sender.0.0,
            sender_device: it.sender.1.0,
            room: it.room.0,
            epoch: piece.epoch,
            server_seq,
            accepted_ms: now.ms,
            franking_tag: piece.tag,
            message_hash: piece.hash,
            prev_stamp_hash,
        };
        let stamped = v1::Stamped {
            context: Bytes::copy_from_slice(&context.to_bytes()),
            stamp: Bytes::copy_from_slice(&stamp(key, &context)),
        };
        (stamped, context.hash())
    }

    fn entry(&self, piece: &Piece, stamped: &v1::Stamped) -> Vec<u8> {
        padded(v1::entry::Body::Message(v1::Message {
            stamped: Some(stamped.clone()),
            message: piece.carried.inline.clone(),
            shared: reference(&piece.carried),
            group_id: self.submission.group.to_field(),
        }))
    }

    /// To each address whose tag is this conversation's; for others it is dropped, and the sender does not learn it.
    fn to_members(&self, post: &mut Post<'_>, now: Now, stamped: &v1::Stamped) -> StoreResult<()> {
        let it = &self.submission;
        let pushed = keep(post, now, &it.message.carried)?;
        let entry = self.entry(&it.message, stamped);
        for target in &it.targets {
            // A device's own message comes back as a confirmation.
            let way = post.route(target)?;
            if way.to != it.sender.1 {
                post.put(&way, &entry, &pushed)?;
            }
        }
        Ok(())
    }

    /// The Welcome, then the first message if this founds the conversation.
    fn to_newcomers(
        &self,
        post: &mut Post<'_>,
        now: Now,
        stamps: &[v1::Stamped],
        sender: &Sender,
        admission: &Admission<'_>,
    ) -> StoreResult<()> {
        let it = &self.submission;
        let Some(welcome) = &it.welcome else { return Ok(()) };
        let pushed = keep(post, now, &welcome.carried)?;
        let first = match (&it.first, stamps.get(1)) {
            (Some(first), Some(stamped)) => {
                Some((self.entry(first, stamped), keep(post, now, &first.carried)?))
            }
            _ => None,
        };
        let about = sender.account.id;
        let facts = sender.facts(now, &self.safety, self.watch.lately(&self.safety, &about, now));
        let mut signs = Vec::with_capacity(welcome.newcomers.len());
        for newcomer in &welcome.newcomers {
            let admitted = admission.admit(post, newcomer)?;
            if let Some(read) = &admitted.read {
                post.spend_hour_key(read)?;
            }
            signs.extend(admitted.signal);
            let entry = padded(v1::entry::Body::Introduction(v1::Introduction {
                origin: stamps.first().cloned(),
                welcome: welcome.carried.inline.clone(),
                shared: reference(&welcome.carried),
                tree_blob: welcome.tree_blob.clone(),
                group_id: it.group.to_field(),
                address: newcomer.address.to_field(),
                token: admitted.token.map(|token| token.to_field()).unwrap_or_default(),
                facts: Some(facts.clone()),
            }));
            let way = Way::unaccepted(admitted.to);
            post.put(&way, &entry, &pushed)?;
            if let Some((entry, pushed)) = &first {
                post.put(&way, entry, pushed)?;
            }
        }
        let (watch, runtime) = (self.watch.clone(), self.office.runtime.clone());
        // Some moments later, as pushes: how long the counting takes tells what is counted.
        post.tx.after_commit(Box::new(move || {
            runtime.spawn(async move {
                later().await;
                watch.note(&about, signs, now);
            });
        }));
        Ok(())
    }
}

fn reference(carried: &Carried) -> Option<v1::Shared> {
    carried.payload.as_ref().map(|payload| payload.reference.clone())
}

/// Stores the payload, if there is one, and gives what goes along with pushes.
fn keep(post: &mut Post<'_>, now: Now, carried: &Carried) -> StoreResult<Pushed> {
    let Some(Payload { name, sealed, .. }) = &carried.payload else { return Ok(None) };
    post.tx.put_payload(name, now.hour(), sealed)?;
    Ok(Some((name.to_field(), sealed.clone())))
}
