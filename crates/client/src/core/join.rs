//! An introduction: a Welcome into a conversation, from a stranger, a contact or a holder of our code.

use openmls::prelude::{
    MlsMessageBodyIn, MlsMessageIn, RatchetTreeIn, StagedWelcome, Welcome, tls_codec::DeserializeBytes as _,
};
use openmls::treesync::LeafNode;
use zegel_franking::{Chain, Context};
use zegel_proto::{AccountId, Address, BlobName, GroupId, v1};

use super::{
    Core, Need,
    facts::Facts,
    groups::Seat,
    leaf::{LeafCheck, check_leaf},
    mailbox::{Step, unseal},
    make::{TREE_KEY, TREE_NAME},
    suite,
};
use crate::{
    Error, Result,
    db::{
        Conversation, ConversationState, Intro, ItemKind, Kind, NewItem, conversations::NewConversation,
        mls::Provider,
    },
};

/// Why an introduction is not taken. Completes "An invitation could not be used: …".
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("it is malformed ({0})")]
    Form(&'static str),
    #[error("it came to an address that is not ours")]
    Address,
    #[error("this device is in that conversation already")]
    Present,
    #[error("its keys do not fit ({0})")]
    Mls(String),
    #[error("{0}")]
    Context(#[from] suite::ContextProblem),
    #[error("a member's device is not on its owner's list of devices")]
    Ghost,
    #[error("its stamp does not fit")]
    Stamp,
    #[error("it has too many members whom this device does not know, and nobody whom you accepted sent it")]
    Crowd,
    #[error("it is not the conversation that this device asked to be let into")]
    Other,
}

/// How a join ended.
enum Joined {
    Yes,
    Blocked(Need),
    No(Refusal),
}

impl Core {
    pub(super) fn introduction(
        &mut self,
        introduction: &v1::Introduction,
        tree: Option<&[u8]>,
    ) -> Result<Step> {
        // A refused Welcome leaves nothing behind, least of all in the place of a conversation that works.
        self.settle()?;
        self.db.savepoint()?;
        match self.join(introduction, tree)? {
            Joined::Yes => {
                self.db.keep_savepoint()?;
                Ok(Step::Done)
            }
            Joined::Blocked(need) => Ok(Step::Blocked(need)),
            Joined::No(why) => {
                self.db.undo_savepoint()?;
                self.unsettled.clear();
                if let Ok(group) = GroupId::from_slice(&introduction.group_id) {
                    self.groups.forget(&group);
                }
                let text = format!("An invitation could not be used: {why}.");
                self.db.add_item(&NewItem::line(0, ItemKind::Hidden, &text))?;
                Ok(Step::Done)
            }
        }
    }

    fn join(&mut self, introduction: &v1::Introduction, tree: Option<&[u8]>) -> Result<Joined> {
        let no = |why| Ok(Joined::No(why));
        let (Ok(group), Ok(address)) =
            (GroupId::from_slice(&introduction.group_id), Address::from_slice(&introduction.address))
        else {
            return no(Refusal::Form("its names"));
        };
        let stamped = introduction.origin.clone().unwrap_or_default();
        let Ok(origin) = Context::from_bytes(&stamped.context) else { return no(Refusal::Stamp) };
        let known = self.db.conversation_of_group(&group)?;
        let offered = self.db.offer(&address)?;
        let rejoining = known.as_ref().is_some_and(|c| c.stuck_ms != 0 || c.state == ConversationState::Over);
        if known.is_some() && !rejoining {
            return no(Refusal::Present);
        }
        let old = match &known {
            Some(known) => self.old_state(known)?,
            None => None,
        };
        let Some(last_resort) = offered else { return no(Refusal::Address) };
        let Some(welcome) = read_welcome(&introduction.welcome) else {
            return no(Refusal::Form("the Welcome"));
        };

        // From here on the key package is used up; whatever blocks undoes that.
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let built = StagedWelcome::build_from_welcome(&provider, &suite::join_config(), welcome);
        let mut builder = match built {
            Ok(builder) => builder.skip_lifetime_validation(),
            Err(error) => return no(Refusal::Mls(error.to_string())),
        };
        let processed = builder.processed_welcome();
        if processed.unverified_group_info().group_context().group_id().as_slice() != group.0 {
            return no(Refusal::Form("its group id"));
        }
        if !introduction.tree_blob.is_empty() {
            let export = |label| {
                let secret = processed.export_secret(&self.crypto, label, b"", 32).ok()?;
                <[u8; 32]>::try_from(secret).ok()
            };
            let (Some(name), Some(key)) = (export(TREE_NAME), export(TREE_KEY)) else {
                return no(Refusal::Mls("no exporter".into()));
            };
            let Some(sealed) = tree else {
                return Ok(Joined::Blocked(Need::Tree { name: BlobName(name) }));
            };
            let Some(plain) = unseal(&key, sealed, &name) else {
                return no(Refusal::Form("the group's tree"));
            };
            let Ok(read) = RatchetTreeIn::tls_deserialize_exact_bytes(&plain) else {
                return no(Refusal::Form("the group's tree"));
            };
            builder = builder.with_ratchet_tree(read);
        }
        if rejoining {
            builder = builder.replace_old_group();
        }
        let staged = match builder.build() {
            Ok(staged) => staged,
            Err(error) => return no(Refusal::Mls(error.to_string())),
        };
        let facts = match suite::facts_of(staged.group_context()) {
            Ok(bytes) => Facts::from_bytes(bytes),
            Err(problem) => return no(problem.into()),
        };
        let Some(facts) = facts else { return no(Refusal::Form("the group's facts")) };
        let own_leaf = staged.own_leaf_index().u32();
        let sender_leaf = staged.welcome_sender_index().u32();
        let mls = match staged.into_group(&provider) {
            Ok(mls) => mls,
            Err(error) => return no(Refusal::Mls(error.to_string())),
        };

        let seats = match self.checked_seats(&mls)? {
            Seats::All(seats) => seats,
            Seats::Missing(missing) if self.chains_tried(&missing) => {
                return no(Refusal::Ghost);
            }
            Seats::Missing(missing) => {
                // Each is a call to the service: whoever invents members must not use ours up.
                let sender = mls.treesync().full_leaves().find(|(index, _)| index.u32() == sender_leaf);
                return Ok(match self.may_fetch(&missing, sender.map(|(_, leaf)| leaf))? {
                    Fetch::All => Joined::Blocked(Need::Chains(missing)),
                    Fetch::Sender(who) => Joined::Blocked(Need::Chains(vec![who])),
                    Fetch::None => Joined::No(Refusal::Crowd),
                });
            }
            Seats::Malformed => return no(Refusal::Form("a member's leaf")),
        };
        let sender = seats.iter().find(|seat| seat.leaf == sender_leaf).cloned();
        let ours = seats.iter().any(|seat| seat.leaf == own_leaf && seat.address == address);
        let Some(sender) = sender.filter(|_| ours) else { return no(Refusal::Address) };
        let fits = origin.room == zegel_proto::room_of(&group).0
            && origin.sender_account == sender.account.0
            && origin.sender_device == sender.device.0
            && origin.epoch.checked_add(1) == Some(mls.epoch().as_u64());
        if !fits {
            return no(Refusal::Stamp);
        }
        let peer = match direct_peer(&facts, &seats, &self.me.account) {
            Ok(peer) => peer,
            Err(why) => return no(why),
        };
        if let Some(known) = &known {
            let same = facts.direct == (known.kind == Kind::Direct) && peer == known.peer;
            let continues = old.as_ref().is_none_or(|old| {
                old.is_continued_by(&facts, mls.epoch().as_u64(), &sender.account, &address)
            });
            if !same || !continues {
                return no(Refusal::Other);
            }
        }
        self.groups.put(group, mls);
        if !last_resort {
            self.db.delete_offer(&address)?;
        }
        let chain = Chain::origin(&origin);
        let arrival = Arrival { group, address, last_resort, facts, peer, sender: sender.account };
        let id = match (known, old) {
            (Some(known), Some(old)) => {
                self.rejoined(&known, &arrival, &chain)?;
                self.tell_newcomers(&known, &sender.account, &old, &seats)?;
                known.id
            }
            (known, _) => self.arrive(known.as_ref(), introduction, &arrival, &chain)?,
        };
        self.db.keep_place(id, origin.server_seq, &stamped.context, &stamped.stamp)?;
        Ok(Joined::Yes)
    }

    /// What we knew of a conversation that we fell out of; `None` once we had left it.
    fn old_state(&mut self, known: &Conversation) -> Result<Option<Old>> {
        if known.state == ConversationState::Over {
            return Ok(None);
        }
        let asked = self.db.meta(&format!("rejoin address {}", known.id))?;
        let group = self.groups.get(&self.db, &self.crypto, &known.group)?;
        let number = group.mls.epoch().as_u64();
        Ok(Some(Old { asked, number, people: group.epoch(&self.crypto)?.people() }))
    }

    /// Who came while we were out.
    fn tell_newcomers(
        &mut self,
        known: &Conversation,
        by: &AccountId,
        old: &Old,
        seats: &[Seat],
    ) -> Result<()> {
        let mut newcomers: Vec<AccountId> = seats.iter().map(|seat| seat.account).collect();
        newcomers.retain(|who| !old.people.contains(who));
        newcomers.sort();
        newcomers.dedup();
        for who in &newcomers {
            let text = format!("{} is in the group now.", self.name_of(who)?);
            self.db.add_item(&NewItem::line(known.id, ItemKind::Notice, &text))?;
        }
        for text in self.warn_of(known, by, &newcomers)? {
            self.db.add_item(&NewItem::line(known.id, ItemKind::Notice, &text))?;
        }
        self.ask_again(known, by, &newcomers)
    }

    fn checked_seats(&self, mls: &openmls::group::MlsGroup) -> Result<Seats> {
        let (mut seats, mut missing) = (Vec::new(), Vec::new());
        for (index, leaf) in mls.treesync().full_leaves() {
            match check_leaf(&self.db, index.u32(), leaf)? {
                LeafCheck::Good(seat) => seats.push(seat),
                LeafCheck::NeedsChain(who) => missing.push(who),
                LeafCheck::Malformed => return Ok(Seats::Malformed),
            }
        }
        missing.sort();
        missing.dedup();
        Ok(if missing.is_empty() { Seats::All(seats) } else { Seats::Missing(missing) })
    }

    /// Whose chains are fetched for a Welcome: of a whole group if somebody whom we accepted sent it, of a few people
    /// for anybody.
    pub(super) fn may_fetch(&self, missing: &[AccountId], sender: Option<&LeafNode>) -> Result<Fetch> {
        if missing.len() <= MAX_STRANGERS {
            return Ok(Fetch::All);
        }
        let Some(sender) = sender.filter(|_| missing.len() <= MAX_GROUP) else { return Ok(Fetch::None) };
        let accepted = |who: &AccountId| {
            let known = self.db.contact(who)?;
            Ok::<_, Error>(*who == self.me.account || known.is_some_and(|known| known.accepted))
        };
        Ok(match check_leaf(&self.db, 0, sender)? {
            LeafCheck::Good(seat) if accepted(&seat.account)? => Fetch::All,
            // They may have a new device.
            LeafCheck::NeedsChain(who) if accepted(&who)? && !self.chains_tried(&[who]) => Fetch::Sender(who),
            _ => Fetch::None,
        })
    }

    /// A conversation that is new on this device, or that was over: a request, or open at once.
    fn arrive(
        &mut self,
        over: Option<&Conversation>,
        introduction: &v1::Introduction,
        arrival: &Arrival,
        chain: &Chain,
    ) -> Result<i64> {
        let facts = introduction.facts.clone().unwrap_or_default();
        let kind = if arrival.facts.direct { Kind::Direct } else { Kind::Group };
        let code = self.db.use_code(&introduction.token)?;
        let via = match code {
            true => Some(self.me.account),
            false => self.shown_token(&introduction.token, &arrival.sender)?,
        };
        let blocked = self.db.is_blocked(&arrival.sender)?
            || via.map(|friend| self.db.is_blocked(&friend)).transpose()?.unwrap_or(false);
        let intro = Intro {
            age: facts.age,
            new: facts.new,
            declined: facts.declined_lately,
            reported: facts.reported_lately,
            minors: facts.minors_lately,
            via,
        };
        let id = match over {
            None => {
                let id = self.db.add_conversation(&NewConversation {
                    group: arrival.group,
                    kind,
                    peer: arrival.peer,
                    name: arrival.facts.name.clone(),
                    state: ConversationState::Request,
                    introducer: Some(arrival.sender),
                    intro,
                    address: arrival.address,
                    last_resort: arrival.last_resort,
                    made_ms: self.now_ms(),
                })?;
                self.name_arrived(id, kind, &arrival.facts.name)?;
                id
            }
            // Whoever left is asked again before anyone may write to them there, and told of who brings them in now.
            Some(over) => {
                self.db.set_introducer(over.id, &arrival.sender, &intro)?;
                self.db.set_address(over.id, &arrival.address, arrival.last_resort)?;
                self.db.set_stuck(over.id, 0)?;
                over.id
            }
        };
        self.db.set_chain(id, chain.next_seq, &chain.prev)?;
        // A code connects two people: it opens no group, for nobody. Nothing of it is shown, and it counts as nothing that
        // somebody declined.
        let misused = code && kind == Kind::Group;
        if blocked || misused {
            let declined = Some(arrival.sender).filter(|_| over.is_none() && !misused);
            // What was read once stays readable.
            let state = over.map_or(ConversationState::Declined, |over| over.state);
            let conversation = self.arrived(id)?;
            self.end_as(&conversation, state, declined)?;
            return Ok(id);
        }
        self.db.set_state(id, ConversationState::Request)?;
        if over.is_some() {
            self.name_arrived(id, kind, &arrival.facts.name)?;
            self.tell_gap(id)?;
        }
        if kind == Kind::Group {
            let text =
                format!("{} added you to the group {}.", self.name_of(&arrival.sender)?, arrival.facts.name);
            self.db.add_item(&NewItem::line(id, ItemKind::Notice, &text))?;
        }
        let conversation = self.arrived(id)?;
        let notices = self.notices(&conversation)?;
        for text in self.in_words(&notices)? {
            self.db.add_item(&NewItem::line(id, ItemKind::Notice, &text))?;
        }
        if (code || self.is_welcome(&conversation, &arrival.sender)?) && self.may_open(&conversation)? {
            self.accept_now(&conversation)?;
        }
        Ok(id)
    }

    fn name_arrived(&self, id: i64, kind: Kind, name: &str) -> Result<()> {
        match kind {
            Kind::Direct => Ok(()),
            Kind::Group => self.name_group(id, name),
        }
    }

    fn arrived(&self, id: i64) -> Result<Conversation> {
        self.db.conversation(id)?.ok_or_else(|| Error::mls("joining")(&"it vanished"))
    }

    /// Whether a conversation that somebody brings us into needs no answer of ours: they are connected to us and, if we
    /// are or may be a minor, so is everybody in it.
    fn is_welcome(&mut self, conversation: &Conversation, by: &AccountId) -> Result<bool> {
        if *by == self.me.account {
            return Ok(true);
        }
        let asks = conversation.kind == Kind::Group && self.is_minor();
        Ok(self.is_connected(by)? && (!asks || self.unconnected_in(conversation)?.is_empty()))
    }

    /// A conversation that this device fell out of takes it in again, as it asked.
    fn rejoined(&mut self, known: &Conversation, arrival: &Arrival, chain: &Chain) -> Result<()> {
        self.db.set_chain(known.id, chain.next_seq, &chain.prev)?;
        self.db.set_stuck(known.id, 0)?;
        self.db.set_address(known.id, &arrival.address, arrival.last_resort)?;
        if !self.db.is_blocked(&arrival.sender)? {
            self.name_group(known.id, &arrival.facts.name)?;
        }
        self.tell_gap(known.id)
    }

    fn tell_gap(&self, conversation: i64) -> Result<()> {
        let text = "This device is in the conversation again. Messages from in between are missing here.";
        self.db.add_item(&NewItem::line(conversation, ItemKind::Gap, text))?;
        Ok(())
    }

    /// Whether these chains were asked for just now, so that asking again cannot help.
    pub(super) fn chains_tried(&self, accounts: &[AccountId]) -> bool {
        accounts.iter().all(|who| self.tried.contains_key(who))
    }
}

struct Arrival {
    group: GroupId,
    address: Address,
    last_resort: bool,
    facts: Facts,
    peer: Option<AccountId>,
    sender: AccountId,
}

/// A conversation as we knew it when we fell out.
struct Old {
    /// The address in our own request to be let in again.
    asked: Option<Vec<u8>>,
    number: u64,
    people: Vec<AccountId>,
}

impl Old {
    /// Whether a Welcome brings back this conversation, and not another one under its name: asked for by us, sent by
    /// someone who was in it, not older, and with admins whom we knew.
    fn is_continued_by(&self, facts: &Facts, number: u64, sender: &AccountId, address: &Address) -> bool {
        self.asked.as_deref() == Some(address.0.as_slice())
            && self.people.contains(sender)
            && number > self.number
            && facts.admins.iter().all(|admin| self.people.contains(admin))
    }
}

/// The most people of a group.
pub(super) const MAX_GROUP: usize = 1000;
/// The most people whose chains are fetched because a stranger named them.
pub(super) const MAX_STRANGERS: usize = 64;

/// Whose chains a Welcome is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fetch {
    All,
    /// First only the sender's.
    Sender(AccountId),
    None,
}

enum Seats {
    All(Vec<Seat>),
    Missing(Vec<AccountId>),
    Malformed,
}

/// The other person of a direct chat, which must be one of exactly two; `None` for a group.
fn direct_peer(facts: &Facts, seats: &[Seat], me: &AccountId) -> Result<Option<AccountId>, Refusal> {
    if !facts.direct {
        return Ok(None);
    }
    let stranger = seats.iter().any(|seat| !facts.admins.contains(&seat.account));
    if facts.admins.len() != 2 || !facts.admins.contains(me) || stranger {
        return Err(Refusal::Form("a direct chat that is not between two"));
    }
    Ok(facts.admins.iter().find(|who| *who != me).copied())
}

fn read_welcome(bytes: &[u8]) -> Option<Welcome> {
    match MlsMessageIn::tls_deserialize_exact_bytes(bytes).ok()?.extract() {
        MlsMessageBodyIn::Welcome(welcome) => Some(welcome),
        _ => None,
    }
}
