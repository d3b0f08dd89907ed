//! Entries of our mailbox: opened, put in order, and taken in one transaction.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use zegel_proto::{GroupId, HOUR_KEY_INFO, Message as _, SubmissionId, v1};
use zeroize::Zeroizing;

use super::{Core, Need};
use crate::{
    Error, Result,
    db::{ItemKind, NewItem},
};

/// An entry after opening: its number, and what it is, or why it could not be opened.
pub(crate) struct Opened {
    pub seq: u64,
    pub entry: Result<v1::Entry, &'static str>,
}

/// What taking entries did.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Everything up to this number is in the profile.
    pub ack: Option<u64>,
}

/// What stopped a batch: the entry at `place` is blocked or, with a reason, failed.
struct Stop {
    place: usize,
    failed: Option<String>,
}

/// How far an entry got.
#[derive(Debug)]
pub(crate) enum Step {
    Done,
    Blocked(Need),
}

/// A service that was restored from a backup goes on so far behind any number that it may have given out.
pub(super) const SKIPPED: u64 = 1 << 31;

impl Core {
    /// The number of the next entry that we expect; 0 before the first connection.
    pub(crate) fn cursor(&self) -> Result<u64> {
        let stored = self.db.meta("cursor")?;
        Ok(stored.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    fn set_cursor(&self, next: u64) -> Result<()> {
        self.db.set_meta("cursor", &next.to_be_bytes())
    }

    /// Compares where the server says our mailbox stands with where we are.
    pub(crate) fn meet_mailbox(&mut self, first_seq: u64, next_seq: u64) -> Result<()> {
        let cursor = self.cursor()?;
        let notice = match cursor {
            0 => None,
            _ if first_seq.saturating_sub(cursor) > SKIPPED => Some(
                "The service was restored from a backup: what it had of your mailbox since then is gone. \
                 Messages may be missing."
                    .to_owned(),
            ),
            _ if first_seq > cursor => Some(format!(
                "{} entries of your mailbox are gone: they were not fetched in time, or the service lost them. \
                 Conversations show where messages are missing.",
                first_seq - cursor
            )),
            _ if next_seq < cursor => Some(
                "The service's memory of your mailbox is older than yours: it was restored from a backup. \
                 Messages may be missing."
                    .to_owned(),
            ),
            _ => return Ok(()),
        };
        self.set_cursor(first_seq)?;
        if let Some(text) = notice {
            self.db.add_item(&NewItem::line(0, ItemKind::Gap, &text))?;
        }
        Ok(())
    }

    /// Opens sealed entries. Nothing is changed but the hour keys in memory.
    pub(crate) fn open(&mut self, deliver: &v1::Deliver) -> Vec<Opened> {
        for key in &deliver.hour_keys {
            let aad = [self.me.device.0.as_slice(), &key.id.to_be_bytes()].concat();
            let opened = self.me.open_sealed(&key.encapsulated, &key.sealed, HOUR_KEY_INFO, &aad);
            if let Some(Ok(bytes)) = opened.map(|bytes| <[u8; 32]>::try_from(bytes.as_slice())) {
                self.hour_keys.insert(key.id, Zeroizing::new(bytes));
            }
        }
        deliver
            .entries
            .iter()
            .map(|sealed| Opened { seq: sealed.seq, entry: self.open_one(sealed) })
            .collect()
    }

    fn open_one(&self, sealed: &v1::SealedEntry) -> Result<v1::Entry, &'static str> {
        let key = self.hour_keys.get(&sealed.hour_key).ok_or("its hour key did not open")?;
        let aad = [self.me.device.0.as_slice(), &sealed.seq.to_be_bytes()].concat();
        let plain = unseal(key, &sealed.sealed, &aad).ok_or("it does not open")?;
        v1::Entry::decode(plain.as_slice()).map_err(|_| "it cannot be read")
    }

    /// Takes opened entries in order, in one transaction. An entry that needs something first is held, and with
    /// it all later ones of its conversation.
    pub(crate) fn take(&mut self, opened: &[Opened]) -> Result<Taken> {
        let mut taken = Taken::default();
        let mut rest = opened;
        while !rest.is_empty() {
            // A step that is blocked, or failed, has already moved its group on: undo the batch, take what came
            // before it, put it aside, and go on behind it.
            let Some(stop) = self.step(|core| core.take_batch(rest, &mut taken))? else { break };
            let (before, after) = rest.split_at(stop.place);
            self.step(|core| {
                let again = core.take_batch(before, &mut taken)?;
                debug_assert!(again.is_none(), "what passed before passes again");
                core.put_aside(&after[0], stop.failed.as_deref(), &mut taken)
            })?;
            rest = &after[1..];
        }
        Ok(taken)
    }

    /// Takes entries until one stops it; then nothing of the batch is kept.
    fn take_batch(&mut self, batch: &[Opened], taken: &mut Taken) -> Result<Option<Stop>> {
        let cursor = self.cursor()?;
        let mut next = cursor;
        for (place, opened) in batch.iter().enumerate() {
            if opened.seq < next {
                continue;
            }
            self.note_hole(next, opened.seq)?;
            match &opened.entry {
                Err(why) => self.note_unreadable(why)?,
                Ok(entry) if self.waits_behind_held(entry)? => {
                    self.hold_behind(entry)?;
                }
                Ok(entry) => {
                    let failed = match self.take_entry(entry, None) {
                        Ok(Step::Done) => None,
                        Ok(Step::Blocked(_)) => Some(None),
                        Err(error @ Error::Database(_)) => return Err(error),
                        // One conversation's trouble must not keep the mail of all others back.
                        Err(error) => Some(Some(error.to_string())),
                    };
                    if let Some(failed) = failed {
                        self.undo()?;
                        return Ok(Some(Stop { place, failed }));
                    }
                }
            }
            next = opened.seq.saturating_add(1);
        }
        if next != cursor {
            self.set_cursor(next)?;
        }
        // What came again was taken before; its acknowledgement was lost.
        if next != 0 && !batch.is_empty() {
            taken.ack = Some(next - 1);
        }
        Ok(None)
    }

    /// Leaves the transaction as it was at its begin, without ending it.
    fn undo(&mut self) -> Result<()> {
        self.roll_back();
        self.db.begin()
    }

    /// Holds an entry that waits for something; says of one that failed that it did.
    fn put_aside(&mut self, opened: &Opened, failed: Option<&str>, taken: &mut Taken) -> Result<()> {
        self.note_hole(self.cursor()?, opened.seq)?;
        match (&opened.entry, failed) {
            (_, Some(why)) => self.note_unreadable(why)?,
            (Ok(entry), None) => self.hold_behind(entry)?,
            (Err(why), None) => self.note_unreadable(why)?,
        }
        self.set_cursor(opened.seq.saturating_add(1))?;
        taken.ack = Some(opened.seq);
        Ok(())
    }

    fn note_hole(&mut self, expected: u64, got: u64) -> Result<()> {
        if got > expected && expected != 0 {
            let text = format!("{} entries of your mailbox are missing.", got - expected);
            self.db.add_item(&NewItem::line(0, ItemKind::Gap, &text))?;
        }
        Ok(())
    }

    fn note_unreadable(&mut self, why: &str) -> Result<()> {
        let text = format!("An entry of your mailbox could not be opened: {why}.");
        self.db.add_item(&NewItem::line(0, ItemKind::Hidden, &text))?;
        Ok(())
    }

    fn waits_behind_held(&self, entry: &v1::Entry) -> Result<bool> {
        match self.group_of(entry)? {
            Some(group) => self.db.is_held(&group),
            None => Ok(false),
        }
    }

    fn hold_behind(&mut self, entry: &v1::Entry) -> Result<()> {
        match self.group_of(entry)? {
            Some(group) => self.db.hold(&group, &entry.encode_to_vec()),
            None => self.note_unreadable("it names no conversation"),
        }
    }

    /// The conversation that an entry belongs to.
    fn group_of(&self, entry: &v1::Entry) -> Result<Option<GroupId>> {
        let bytes = match &entry.body {
            Some(v1::entry::Body::Message(message)) => &message.group_id,
            Some(v1::entry::Body::Introduction(introduction)) => &introduction.group_id,
            Some(v1::entry::Body::Rejoin(request)) => &request.group_id,
            Some(v1::entry::Body::Confirmation(confirmation)) => {
                return self.group_of_confirmation(confirmation);
            }
            Some(v1::entry::Body::Statement(_)) | None => return Ok(None),
        };
        Ok(GroupId::from_slice(bytes).ok())
    }

    /// A confirmation has its place in the conversation's order too. Asked only while something is held.
    fn group_of_confirmation(&self, confirmation: &v1::Confirmation) -> Result<Option<GroupId>> {
        let Ok(id) = SubmissionId::from_slice(&confirmation.submission_id) else { return Ok(None) };
        if self.db.held_groups()?.is_empty() {
            return Ok(None);
        }
        let Some(row) = self.db.outbox_of_submission(&id)? else { return Ok(None) };
        Ok(self.db.conversation(row.conversation)?.map(|conversation| conversation.group))
    }

    /// Takes one entry. `tree` is the ratchet tree that an introduction needed.
    fn take_entry(&mut self, entry: &v1::Entry, tree: Option<&[u8]>) -> Result<Step> {
        match &entry.body {
            Some(v1::entry::Body::Message(message)) => self.message(message),
            Some(v1::entry::Body::Introduction(introduction)) => self.introduction(introduction, tree),
            Some(v1::entry::Body::Confirmation(confirmation)) => self.confirmation(confirmation),
            Some(v1::entry::Body::Rejoin(request)) => self.rejoin_request(request),
            Some(v1::entry::Body::Statement(signed)) => self.statement(signed).map(|()| Step::Done),
            None => {
                self.note_unreadable("it is of a kind that this release does not know")?;
                Ok(Step::Done)
            }
        }
    }

    /// Tries the oldest held entry of a group again. `Ok(None)`: taken, or none is held.
    pub(crate) fn take_held(&mut self, group: &GroupId, tree: Option<&[u8]>) -> Result<Option<Need>> {
        let mut need = None;
        let blocked = self.step(|core| {
            let Some(held) = core.db.first_held(group)? else { return Ok(false) };
            let entry = v1::Entry::decode(held.entry.as_slice()).unwrap_or_default();
            match core.take_entry(&entry, tree) {
                Ok(Step::Done) => {}
                Ok(Step::Blocked(what)) => {
                    need = Some(what);
                    core.undo()?;
                    return Ok(true);
                }
                Err(error @ Error::Database(_)) => return Err(error),
                Err(error) => {
                    core.undo()?;
                    core.note_unreadable(&error.to_string())?;
                }
            }
            core.db.release_held(held.id)?;
            Ok(false)
        })?;
        debug_assert_eq!(blocked, need.is_some());
        Ok(need)
    }

    /// Gives up on the oldest held entry of a group, and says why on screen.
    pub(crate) fn drop_held(&mut self, group: &GroupId, why: &str) -> Result<()> {
        self.step(|core| {
            let Some(held) = core.db.first_held(group)? else { return Ok(()) };
            core.db.release_held(held.id)?;
            let conversation = core.db.conversation_of_group(group)?.map_or(0, |c| c.id);
            let text = format!("A message or invitation could not be used: {why}.");
            core.db.add_item(&NewItem::line(conversation, ItemKind::Hidden, &text))?;
            Ok(())
        })
    }
}

/// AES-256-GCM with the nonce in front.
pub(crate) fn unseal(key: &[u8; 32], sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
    let (nonce, ciphertext) = sealed.split_at_checked(12)?;
    let cipher = Aes256Gcm::new(key.into());
    cipher.decrypt(nonce.into(), Payload { msg: ciphertext, aad }).ok()
}

/// See [`unseal`].
pub(crate) fn seal(key: &[u8; 32], plain: &[u8], aad: &[u8]) -> Vec<u8> {
    let mut nonce = [0; 12];
    getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
    let cipher = Aes256Gcm::new(key.into());
    let sealed = cipher
        .encrypt(&nonce.into(), Payload { msg: plain, aad })
        .expect("the plaintext is far below AES-GCM's limit");
    [nonce.as_slice(), &sealed].concat()
}
