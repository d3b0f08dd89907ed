//! People's chains: taken when the directory covers them, and held against what it said before.

use zegel_directory::{Found, Lie, PATIENCE_MS, ProofError, SignedPromise, SignedRoot};
use zegel_identity::Chain;
use zegel_proto::AccountId;

use super::{Asked, Attested, Doubt, PROMISE_CHECK_MS};
use crate::{
    Result,
    core::Core,
    db::{Contact, ConversationState, ItemKind, NewItem, Trust},
};

/// Where somebody's chain ends as we know it, and how it is covered.
pub(crate) type Standing = Option<((u64, [u8; 32]), Trust)>;

impl Core {
    /// Whether this asks about ourselves.
    pub(crate) fn is_own(&self, asked: &Asked) -> bool {
        match asked {
            Asked::Handle(handle) => *handle == self.me.handle,
            Asked::Account(account) => *account == self.me.account,
        }
    }

    /// What we know of somebody: an answer that was asked for when we knew less, or of a time before, says nothing.
    pub(crate) fn standing(&self, asked: &Asked) -> Result<Standing> {
        let known = match asked {
            Asked::Handle(handle) => self.db.contact_by_handle(handle)?,
            Asked::Account(account) => self.db.contact(account)?,
        };
        Ok(known.map(|known| (known.chain.head(), known.trust)))
    }

    /// Takes a chain that the directory covers. One that does not continue the one we hold is refused.
    pub(crate) fn take_attested(&mut self, attested: &Attested) -> Result<std::result::Result<Chain, Doubt>> {
        let account = attested.chain.account();
        let known = self.db.contact(&account)?;
        // Two accounts under one handle would let one pose as the other.
        if known.is_none() && self.db.contact_by_handle(attested.chain.handle())?.is_some() {
            return Ok(Err(Doubt::Handle));
        }
        if known.as_ref().is_some_and(|known| !attested.continues(&known.chain)) {
            return Ok(Err(Doubt::Rewritten));
        }
        if known.as_ref().is_some_and(|known| known.ended) && !attested.ended() {
            return Ok(Err(Doubt::Unproven));
        }
        let trust = match self.weigh(known.as_ref().map(|known| &known.trust), attested)? {
            Ok(trust) => trust,
            Err(lie) => return Ok(Err(lie.into())),
        };
        self.db.put_chain(&attested.chain, &attested.links)?;
        self.keep_trust(&attested.chain, &trust)?;
        if let Some(known) = known {
            self.note_change(&known, attested)?;
        } else if attested.ended() {
            self.db.set_ended(&account)?;
        }
        Ok(Ok(attested.chain.clone()))
    }

    /// What the directory says now beside what it said before: versions never go back, and promises are kept.
    pub(super) fn weigh(
        &mut self,
        known: Option<&Trust>,
        attested: &Attested,
    ) -> Result<std::result::Result<Trust, Lie>> {
        let (server_ms, now_ms) = (self.server_ms(), self.now_ms());
        if attested.promise.as_ref().is_some_and(|promise| !promise.is_sane(&attested.root, server_ms)) {
            return Ok(Err(Lie::Promise));
        }
        let before = known.map_or((0, 0), |known| (known.version, known.epoch));
        let now = attested.found.as_ref().map_or((0, 0), |found| (found.version, found.epoch));
        if now.0 < before.0 || now.0 == before.0 && now.1 != before.1 {
            let why = ProofError::Wrong("an entry that it had proven is gone".into());
            return Ok(Err(Lie::Rewritten { epoch: attested.root.epoch, why }));
        }
        let held = known.and_then(|known| Some((known.promise.as_ref()?, known.promised_ms.min(now_ms))));
        let come = attested.promise.as_ref().map(|promise| (promise, now_ms));
        let open = |(promise, _): &(&SignedPromise, u64)| !attested.keeps(&promise.promise.entry);
        // The oldest word counts: a new one does not put it off.
        let waits = held.filter(open).or_else(|| come.filter(open));
        let (promise, promised_ms) =
            waits.map_or((None, 0), |(promise, since)| (Some(promise.clone()), since));
        let trust = Trust { version: now.0, epoch: now.1, promise, promised_ms };
        let due = |promise: &&SignedPromise| {
            promise.is_due(&attested.root, server_ms) || trust.is_overdue(server_ms, now_ms)
        };
        if let Some(broken) = trust.promise.as_ref().filter(due) {
            return Ok(Err(Lie::Broken(broken.promise.by_epoch)));
        }
        Ok(Ok(trust))
    }

    /// Keeps how an account is covered, and when to look after a promise.
    pub(super) fn keep_trust(&mut self, chain: &Chain, trust: &Trust) -> Result<()> {
        let check_ms = if trust.promise.is_some() { self.now_ms() + PROMISE_CHECK_MS } else { 0 };
        self.db.set_trust(&chain.account(), trust, check_ms)
    }

    /// Whether a promise about somebody should long have been kept.
    pub(crate) fn is_overdue(&self, account: &AccountId) -> Result<bool> {
        let (server_ms, now_ms) = (self.server_ms(), self.now_ms());
        let known = self.db.contact(account)?;
        Ok(known.is_some_and(|known| known.trust.is_overdue(server_ms, now_ms)))
    }

    /// The service knows nobody of this id. Without a word that it has to keep there is nothing to wait for; with one,
    /// this is no way out of it.
    pub(crate) fn note_gone(&mut self, account: &AccountId) -> Result<()> {
        let waits = self.db.contact(account)?.is_some_and(|known| known.trust.promise.is_some());
        if waits { Ok(()) } else { self.db.set_check(account, 0) }
    }

    /// What the directory ever had under the handle of somebody who is gone: whether a promise about them was kept all
    /// the same. If so, it is settled.
    pub(crate) fn was_kept(&mut self, account: &AccountId, history: &[Found]) -> Result<bool> {
        let Some(known) = self.db.contact(account)? else { return Ok(false) };
        let Some(promise) = &known.trust.promise else { return Ok(true) };
        let promised = &promise.promise.entry;
        let place = (promised.account, promised.len, promised.head);
        let kept = |Found { entry, .. }: &Found| {
            (entry.account, entry.len, entry.head) == place && (entry.ended || !promised.ended)
        };
        let kept = history.iter().any(kept);
        if kept {
            let trust = Trust { promise: None, promised_ms: 0, ..known.trust.clone() };
            self.db.set_trust(account, &trust, 0)?;
        }
        Ok(kept)
    }

    fn note_change(&mut self, known: &Contact, attested: &Attested) -> Result<()> {
        let handle = &known.handle;
        if attested.chain.head() != known.chain.head() {
            let count = attested.chain.devices().count();
            self.notice_to_peer(&known.account, &format!("{handle} changed their devices: {count} now."))?;
        }
        if attested.ended() && !known.ended {
            self.db.set_ended(&known.account)?;
            self.notice_to_peer(&known.account, &format!("{handle} deleted their account."))?;
            self.part_from(&known.account)?;
            for chat in self.db.direct_with(&known.account)? {
                if matches!(chat.state, ConversationState::Open | ConversationState::Asked) {
                    self.end_conversation(&chat, ConversationState::Over)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn notice_to_peer(&mut self, account: &AccountId, text: &str) -> Result<()> {
        let conversation = self.db.direct_with(account)?.first().map_or(0, |c| c.id);
        self.db.add_item(&NewItem::line(conversation, ItemKind::Notice, text))?;
        Ok(())
    }

    /// The newest root that we believe.
    pub(crate) fn latest_root(&mut self) -> Result<Option<SignedRoot>> {
        Ok(self.view()?.map(|view| view.latest().clone()))
    }
}

impl Trust {
    /// Whether its promise should long have been kept: by the service's clock, or, because that may stand still, by the
    /// device's own since it first saw it.
    pub(crate) fn is_overdue(&self, server_ms: u64, now_ms: u64) -> bool {
        let late = |promise: &SignedPromise| server_ms > promise.promise.made_ms.saturating_add(PATIENCE_MS);
        self.promise.as_ref().is_some_and(late)
            || self.promise.is_some() && now_ms > self.promised_ms.saturating_add(PATIENCE_MS)
    }
}
