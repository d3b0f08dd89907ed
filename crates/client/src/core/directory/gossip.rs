//! The root that each saw, carried inside sealed messages with the keys that it is signed with: two people who are shown
//! different directories find out.

use zegel_content::SeenSigner;
use zegel_directory::{Lie, SeenRoot, SignerLink, Signers, View};
use zegel_proto::AccountId;

use super::{AlarmKind, Doubt, Exhibits, evidence};
use crate::{
    Result,
    core::Core,
    db::{Conversation, ConversationState, Said},
};

/// How the keys that somebody was shown stand to ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    /// They are the first of ours, or all.
    Known,
    /// They are ours, and more.
    Longer,
    /// Both begin alike, and then one key named two different ones.
    Forked,
    /// Another directory from its first key on.
    Elsewhere,
}

impl Kin {
    /// How `theirs` stand to `ours`.
    pub(crate) fn of(ours: &Signers, theirs: &Signers) -> Self {
        match () {
            () if ours.continues(theirs) => Self::Known,
            () if theirs.continues(ours) => Self::Longer,
            () if ours.first() == theirs.first() => Self::Forked,
            () => Self::Elsewhere,
        }
    }
}

fn to_say(link: &SignerLink) -> Option<SeenSigner> {
    let endorsement = match link.endorsement.as_slice() {
        [] => None,
        signature => Some(signature.try_into().ok()?),
    };
    Some(SeenSigner { key: link.key, endorsement })
}

/// What was said, read.
fn said(seen: &zegel_content::SeenRoot) -> Said {
    let link = |signer: &SeenSigner| SignerLink {
        key: signer.key,
        endorsement: signer.endorsement.map_or_else(Vec::new, Vec::from),
    };
    let root = SeenRoot {
        epoch: seen.epoch,
        hash: seen.hash,
        signer: seen.signer,
        signature: seen.signature.to_vec(),
    };
    Said { root, signers: seen.signers.iter().map(link).collect() }
}

impl Said {
    /// It as evidence.
    pub(crate) fn exhibits(&self) -> Exhibits<'_> {
        Exhibits { shown: Some(&self.root), signers: &self.signers, ..Exhibits::default() }
    }
}

/// The keys that a root was said with, if they are a directory's and one of them signed it.
fn proven(domain: &str, said: &Said) -> Option<Signers> {
    let signers = Signers::verify(domain, &said.signers).ok()?;
    said.root.is_signed(domain, &signers).then_some(signers)
}

impl Core {
    /// The newest root, if the conversation does not know that we have it; from now on it does.
    pub(crate) fn gossip(&mut self, conversation: &Conversation) -> Result<Option<zegel_content::SeenRoot>> {
        let Some(view) = self.view()? else { return Ok(None) };
        let seen = view.latest().seen();
        let signers: Option<Vec<_>> = view.signers().links().iter().map(to_say).collect();
        let (Ok(signature), Some(signers)) = (<[u8; 64]>::try_from(seen.signature), signers) else {
            return Ok(None);
        };
        if seen.epoch <= conversation.gossiped {
            return Ok(None);
        }
        // Who has not answered yet does not listen to us; they are told again when they have.
        if conversation.state != ConversationState::Asked {
            self.db.set_gossiped(conversation.id, seen.epoch)?;
        }
        let (epoch, hash, signer) = (seen.epoch, seen.hash, seen.signer);
        Ok(Some(zegel_content::SeenRoot { epoch, hash, signer, signature, signers }))
    }

    /// Takes what somebody saw: it is held against what we have seen, and kept to be held against our history if that
    /// does not settle it. What no directory signed proves nothing, and is dropped. Part of a step.
    pub(crate) fn hear(&mut self, seen: &zegel_content::SeenRoot, from: &AccountId) -> Result<()> {
        let said = said(seen);
        let Some(view) = self.view()?.cloned() else { return Ok(()) };
        let Some(theirs) = proven(view.domain(), &said) else { return Ok(()) };
        match Kin::of(view.signers(), &theirs) {
            Kin::Elsewhere => return self.note_elsewhere(&view, &said, from),
            Kin::Forked => return self.note_lie(&view, Lie::Keys, &said, None),
            Kin::Known | Kin::Longer => {}
        }
        match self.held_root(said.root.epoch)? {
            Some(held) if held.hash == said.root.hash => Ok(()),
            Some(held) => self.note_lie(&view, Lie::Fork(said.root.epoch), &said, Some(&held)),
            None => self.db.hear(&said, from, self.now_ms()),
        }
    }

    /// The root of an epoch, if we have seen it ourselves and not forgotten it.
    pub(crate) fn held_root(&mut self, epoch: u64) -> Result<Option<SeenRoot>> {
        match self.latest_root()?.map(|latest| latest.seen()).filter(|latest| latest.epoch == epoch) {
            None => self.db.past_root(epoch),
            latest => Ok(latest),
        }
    }

    /// Only a directory's own keys can have signed both: it is not asked any more.
    fn note_lie(&mut self, view: &View, lie: Lie, said: &Said, held: Option<&SeenRoot>) -> Result<()> {
        let evidence = evidence(Some(view), Exhibits { held, ..said.exhibits() });
        self.note_doubt("", &Doubt::Directory(lie), &evidence).map(drop)
    }

    /// Anybody can found a directory and say that they see it: it is said of them, once, and our own is asked on.
    fn note_elsewhere(&mut self, view: &View, said: &Said, from: &AccountId) -> Result<()> {
        let Some(handle) = self.db.handle_of(&from.0)? else { return Ok(()) };
        let kind = AlarmKind::Elsewhere;
        let before = self.db.alarms(true)?;
        if before.iter().any(|alarm| alarm.kind == kind.word() && alarm.about == handle) {
            return Ok(());
        }
        let evidence = evidence(Some(view), said.exhibits());
        self.add_alarm(kind, &handle, &format!("{handle} sees another directory than you do"), &evidence)
    }
}
