//! What the service finds of the messages that a report discloses.

use std::collections::{HashMap, HashSet};

use zegel_cases::{Finding, MAX_DISCLOSED, MAX_NOTE, MAX_RUN, Shown, in_words};
use zegel_content::{Content, MAX_CONTENT};
use zegel_franking::{CONTEXT_LEN, Claimed, Fault, Opened, StampKeys, Verdict, ZERO_TAG, check_report};
use zegel_proto::{AccountId, Code, MAX_FRAME, RoomId, room_uri, user_uri, v1};

use crate::service::refusal::Refusal;

/// The longest context that is kept, in bytes, readable or not: a later version's may be longer than ours.
const MAX_CONTEXT: usize = 2 * CONTEXT_LEN;
/// The longest stamp that is kept, in bytes.
const MAX_STAMP: usize = 64;
/// So much of a message is kept that is not proven, in characters: what anybody may invent costs little.
const KEPT: usize = 1000;
// Thirty of the longest messages can be reported at once, with all the places between them.
const _: () = assert!(
    MAX_DISCLOSED * MAX_CONTENT + MAX_RUN * (MAX_CONTEXT + MAX_STAMP + 32) + MAX_NOTE + 1024 < MAX_FRAME
);
const OTHER_SENDER: &str = "it names another sender than its stamp";

/// One message of a run.
pub(super) struct Judged {
    pub(super) shown: Shown,
    /// Who sent it, if the stamp is the service's own.
    pub(super) sender: Option<AccountId>,
    /// The stamp's hash, likewise.
    stamp_hash: Option<[u8; 32]>,
    room: Option<RoomId>,
    sender_uri: String,
}

/// Refuses a run that is too long, or holds what cannot be what it should.
pub(super) fn bound(run: &[v1::Disclosed]) -> Result<(), Refusal> {
    let disclosed = run.iter().filter(|link| !link.content.is_empty()).count();
    if disclosed > MAX_DISCLOSED || run.len() > MAX_RUN {
        let text = format!(
            "a report discloses at most {MAX_DISCLOSED} messages and names at most {MAX_RUN}; send another for the rest"
        );
        return Err(Refusal::new(Code::TooLarge, text));
    }
    let large = |link: &v1::Disclosed| {
        let stamped =
            |stamped: &v1::Stamped| stamped.context.len() > MAX_CONTEXT || stamped.stamp.len() > MAX_STAMP;
        link.content.len() > MAX_CONTENT || link.stamped.as_ref().is_some_and(stamped)
    };
    if run.iter().any(large) {
        let text = "a message of the report is larger than any message can be; send it as it was received";
        return Err(Refusal::new(Code::TooLarge, text));
    }
    Ok(())
}

/// Judges a run by its stamps and contents. `about` is the conversation that the reporter named.
pub(super) fn judge(
    keys: &StampKeys,
    domain: &str,
    about: Option<RoomId>,
    now_ms: u64,
    run: &[v1::Disclosed],
) -> Vec<Judged> {
    let contents: Vec<_> = run.iter().map(|link| Content::decode(&link.content)).collect();
    let bare = v1::Stamped::default();
    let claimed: Vec<_> = run
        .iter()
        .zip(&contents)
        .map(|(link, content)| {
            let stamped = link.stamped.as_ref().unwrap_or(&bare);
            let opened = |content| Opened { salt: content, bytes: &link.content };
            let content = content.as_ref().ok().map(|content| opened(&content.salt));
            Claimed { context: &stamped.context, stamp: &stamped.stamp, content }
        })
        .collect();
    let links = check_report(keys, now_ms, &claimed);
    let parts = run.iter().zip(&contents).zip(&claimed).zip(links);
    parts
        .map(|(((link, content), claimed), found)| {
            let room = found.context.as_ref().map(|context| RoomId(context.room));
            let finding = match (&found.verdict, content) {
                (Verdict::Unproven(fault), _) => Finding::Unproven(fault.to_string()),
                _ if about.is_some() && about != room => Finding::Unproven(Fault::OtherRoom.to_string()),
                (Verdict::Withheld, _) if link.content.is_empty() => match &found.context {
                    Some(context) if context.franking_tag == ZERO_TAG => Finding::Change,
                    _ => Finding::Withheld,
                },
                (_, Err(error)) => Finding::Unproven(format!("what was disclosed is no message: {error}")),
                (_, Ok(content)) if room.is_none_or(|room| content.room_uri != room_uri(domain, &room)) => {
                    Finding::Unproven("it names another conversation than its stamp".into())
                }
                (_, Ok(_)) => Finding::Proven,
            };
            let context = found.context.as_ref();
            let sender = context.map(|context| AccountId(context.sender_account));
            let shown = Shown {
                finding,
                gap: found.gap,
                sender: sender.map(AccountId::to_hex).unwrap_or_default(),
                handle: String::new(),
                accepted_ms: context.map_or(0, |context| context.accepted_ms),
                seq: context.map_or(0, |context| context.server_seq),
                text: content.as_ref().map(in_words).unwrap_or_default(),
                content: hex::encode(&link.content),
                context: hex::encode(claimed.context),
                stamp: hex::encode(claimed.stamp),
            };
            let sender_uri = content.as_ref().map(|content| content.sender_uri.clone()).unwrap_or_default();
            Judged { shown, sender, stamp_hash: context.map(|context| context.hash()), room, sender_uri }
        })
        .collect()
}

/// Everybody whom the stamps name.
pub(super) fn senders(run: &[Judged]) -> HashSet<AccountId> {
    run.iter().filter_map(|judged| judged.sender).collect()
}

/// The conversation of a run: that of its first stamp of the service's own.
pub(super) fn room(run: &[Judged]) -> Option<RoomId> {
    run.iter().find_map(|judged| judged.room)
}

impl Judged {
    /// Puts the sender's handle in. A message that says it is somebody else's proves nothing against either. (Of
    /// whoever is gone for long no handle is left to compare; the stamp names their account all the same.) What is
    /// not proven by then is not kept whole.
    pub(super) fn name(&mut self, domain: &str, handles: &HashMap<AccountId, String>) {
        if let Some(handle) = self.sender.and_then(|sender| handles.get(&sender)) {
            self.shown.handle.clone_from(handle);
            if self.shown.finding == Finding::Proven && self.sender_uri != user_uri(domain, handle) {
                self.shown.finding = Finding::Unproven(OTHER_SENDER.into());
            }
        }
        self.shorten();
    }

    /// Of what is not proven the beginning of the text is kept, and what the service's own stamp says.
    fn shorten(&mut self) {
        let shown = &mut self.shown;
        let Finding::Unproven(why) = &mut shown.finding else { return };
        if self.sender.is_none() {
            (shown.context, shown.stamp) = Default::default();
        }
        if !shown.content.is_empty() && shown.text.is_empty() {
            shown.text = "(no readable text)".into();
        }
        shown.content.clear();
        if let Some((end, _)) = shown.text.char_indices().nth(KEPT) {
            shown.text.truncate(end);
            why.push_str(&format!("; only its first {KEPT} characters are kept"));
        }
    }

    /// The stamp's hash of what is proven.
    pub(super) fn proven(&self) -> Option<[u8; 32]> {
        self.stamp_hash.filter(|_| self.shown.finding == Finding::Proven)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use zegel_franking::{Context, StampKey, franking_tag, stamp};

    const ROOM: RoomId = RoomId([3; 32]);

    fn context(server_seq: u64, franking_tag: [u8; 32]) -> Context {
        Context {
            key_id: 1,
            sender_account: [1; 16],
            sender_device: [2; 16],
            room: ROOM.0,
            epoch: 1,
            server_seq,
            accepted_ms: 5,
            franking_tag,
            message_hash: [4; 32],
            prev_stamp_hash: [5; 32],
        }
    }

    /// A readable content that this sender could have sent, and the tag that commits to it.
    fn content(text: &str) -> (Vec<u8>, [u8; 32]) {
        let (sender, room) = (user_uri("localhost", "bob"), room_uri("localhost", &ROOM));
        let bytes = Content::text([7; 16], sender, room, 5, text).encode().expect("a short text");
        let tag = franking_tag(&[7; 16], &bytes);
        (bytes, tag)
    }

    fn stamped(context: &Context, content: Vec<u8>) -> v1::Disclosed {
        let stamp = stamp(&StampKey::new([9; 32]), context).to_vec().into();
        let stamped = Some(v1::Stamped { context: context.to_bytes().to_vec().into(), stamp });
        v1::Disclosed { stamped, content: content.into() }
    }

    #[test]
    fn only_what_was_committed_to_is_proven() {
        let keys = StampKeys::new(StampKey::new([9; 32]), 0);
        let names = HashMap::from([(AccountId([1; 16]), "bob".to_owned())]);
        let found = |said: &str, committed: &str| {
            let run = [stamped(&context(1, content(committed).1), content(said).0)];
            let mut found = judge(&keys, "localhost", None, 6, &run).remove(0);
            found.name("localhost", &names);
            found.shown.finding
        };
        assert_eq!(found("hello", "hello"), Finding::Proven);
        assert!(matches!(found("I will hurt you", "hello"), Finding::Unproven(_)));
    }

    fn disclosed() -> impl Strategy<Value = v1::Disclosed> {
        let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
        let seq = 0..4_u64;
        (bytes(300), bytes(40), bytes(100), any::<bool>(), seq).prop_map(|(junk, mac, content, real, seq)| {
            let context = context(seq, ZERO_TAG);
            let ours = stamp(&StampKey::new([9; 32]), &context).to_vec();
            let (context, stamp) = if real { (context.to_bytes().to_vec(), ours) } else { (junk, mac) };
            let stamped = Some(v1::Stamped { context: context.into(), stamp: stamp.into() });
            v1::Disclosed { stamped, content: content.into() }
        })
    }

    proptest! {
        #[test]
        fn what_nobody_committed_to_is_never_proven(run in prop::collection::vec(disclosed(), 0..6)) {
            let keys = StampKeys::new(StampKey::new([9; 32]), 0);
            let found = judge(&keys, "localhost", None, 6, &run);
            prop_assert_eq!(found.len(), run.len());
            for (judged, link) in found.iter().zip(&run) {
                prop_assert!(judged.proven().is_none());
                // These contexts are of changes, so nobody withholds anything.
                prop_assert!(judged.shown.finding != Finding::Withheld);
                let change = judged.shown.finding == Finding::Change;
                prop_assert!(!change || link.content.is_empty() && judged.sender.is_some());
            }
        }
    }
}
