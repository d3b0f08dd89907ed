//! An honest server and what people say through it.

use zegel_franking::report::Link;
use zegel_franking::{
    Claimed, Context, Opened, StampKey, StampKeys, ZERO_TAG, check_report, franking_tag, stamp,
};

pub const DAY: u64 = 24 * 60 * 60 * 1000;
pub const START: u64 = 1_700_000_000_000;

/// A salt and the content that holds it.
pub type Said = ([u8; 16], Vec<u8>);

/// A message that the server stamped.
#[derive(Clone, Debug)]
pub struct Stamped {
    pub context: Context,
    pub stamp: [u8; 32],
    /// What the sender committed to, if there is such a thing.
    pub said: Option<Said>,
}

/// A message as a reporter shows it.
#[derive(Clone, Debug)]
pub struct Claim {
    pub context: Vec<u8>,
    pub stamp: Vec<u8>,
    pub content: Option<Said>,
}

impl Stamped {
    pub fn disclosed(&self) -> Claim {
        Claim { content: self.said.clone(), ..self.withheld() }
    }

    pub fn withheld(&self) -> Claim {
        Claim { context: self.context.to_bytes().into(), stamp: self.stamp.into(), content: None }
    }
}

/// The server: its clock, its keys and all that it ever stamped.
pub struct Server {
    pub now_ms: u64,
    pub keys: StampKeys,
    pub stamped: Vec<Stamped>,
}

impl Server {
    pub fn new() -> Self {
        Self { now_ms: START, keys: StampKeys::new(StampKey::new([1; 32]), START), stamped: Vec::new() }
    }

    /// A message of a person in a room; one without anything said is a commit.
    pub fn send(&mut self, room: u8, sender: u8, said: Option<Said>) -> Stamped {
        let tag = said.as_ref().map_or(ZERO_TAG, |(salt, bytes)| franking_tag(salt, bytes));
        self.send_tagged(room, sender, said, tag)
    }

    /// The same with whatever tag the sender likes: the server cannot compare it with anything.
    pub fn send_tagged(&mut self, room: u8, sender: u8, said: Option<Said>, tag: [u8; 32]) -> Stamped {
        let room = [room; 32];
        let before = self.stamped.iter().rfind(|stamped| stamped.context.room == room);
        let mut message_hash = [0; 32];
        message_hash[..8].copy_from_slice(&self.stamped.len().to_be_bytes());
        let context = Context {
            key_id: self.keys.current_id(),
            sender_account: [sender; 16],
            sender_device: [sender + 100; 16],
            room,
            epoch: 5,
            server_seq: before.map_or(1, |before| before.context.server_seq + 1),
            accepted_ms: self.now_ms,
            franking_tag: tag,
            message_hash,
            prev_stamp_hash: before.map_or([0; 32], |before| before.context.hash()),
        };
        let stamped = self.stamp(context, said);
        self.stamped.push(stamped.clone());
        stamped
    }

    /// Stamps a context as it is.
    pub fn stamp(&self, context: Context, said: Option<Said>) -> Stamped {
        let key = self.keys.get(context.key_id).expect("the key that it names");
        Stamped { stamp: stamp(key, &context), context, said }
    }

    /// Time passes, and keys that are of no more use are destroyed.
    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.keys.expire(self.now_ms);
    }

    pub fn rotate(&mut self) {
        let fill = self.keys.current_id() as u8 + 1;
        self.keys.rotate(StampKey::new([fill; 32]), self.now_ms).expect("ids are left");
    }

    pub fn check(&self, run: &[Claim]) -> Vec<Link> {
        let claimed: Vec<Claimed<'_>> = run
            .iter()
            .map(|claim| Claimed {
                context: &claim.context,
                stamp: &claim.stamp,
                content: claim.content.as_ref().map(|(salt, bytes)| Opened { salt, bytes }),
            })
            .collect();
        check_report(&self.keys, self.now_ms, &claimed)
    }
}
