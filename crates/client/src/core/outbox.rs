//! What waits to go out, in which order it may, and what becomes of it.

use std::collections::HashSet;

use zegel_proto::AccountId;

use super::Core;
use crate::{
    Error, Result,
    db::{ConversationState, Intent, ItemKind, NewItem, OutboxRow, OutboxState, mls::Provider},
};

/// No row waits longer because the service says so, in milliseconds: a day.
const LONGEST_WAIT_MS: u64 = 86_400_000;

/// What the outbox wants the driver to do next.
#[derive(Debug)]
pub(crate) enum Ready {
    /// Send these bytes (and first the blob).
    Send(Box<OutboxRow>),
    /// Fetch key packages of these accounts, then [`Core::make_add`].
    Packages { row: i64, accounts: Vec<AccountId> },
    /// Read this account's devices, then [`Core::make_readd`].
    Readd { row: i64, account: AccountId },
}

impl Ready {
    /// The outbox row that it is for.
    pub(crate) fn row(&self) -> i64 {
        match self {
            Ready::Send(row) => row.id,
            Ready::Packages { row, .. } | Ready::Readd { row, .. } => *row,
        }
    }
}

impl Core {
    /// What can go out now, beside what is in flight. Order within a conversation is kept; a commit waits for
    /// what was sent before it, and what follows waits for the commit.
    pub(crate) fn ready(&mut self, in_flight: &HashSet<i64>, most: usize) -> Result<Vec<Ready>> {
        let now = self.now_ms();
        let (mut ready, mut closed, mut busy) = (Vec::new(), HashSet::new(), HashSet::new());
        for row in self.db.outbox()? {
            if ready.len() >= most {
                break;
            }
            // What is for later keeps nothing back: another member may well do it first.
            let later = row.state == OutboxState::Wanted && (row.not_before_ms > now || self.waits(&row)?);
            // What is made is the next thing of its conversation, and takes what follows along.
            if put_off(&row, now) {
                closed.insert(row.conversation);
            }
            if later || closed.contains(&row.conversation) {
                continue;
            }
            let sendable = row.state != OutboxState::Accepted && !in_flight.contains(&row.id);
            if row.intent.is_commit() {
                closed.insert(row.conversation);
                if busy.contains(&row.conversation) {
                    continue;
                }
            }
            if row.state != OutboxState::Accepted {
                busy.insert(row.conversation);
            }
            if sendable && self.may_go(row.conversation, &row)? {
                let id = row.id;
                match self.step(|core| core.make(row)) {
                    Ok(Some(made)) => ready.push(made),
                    Ok(None) => continue,
                    Err(error @ Error::Database(_)) => return Err(error),
                    // What cannot be made must not keep all else back.
                    Err(error) => self.give_up(id, &error.to_string())?,
                }
            }
        }
        Ok(ready)
    }

    /// Whether everything that can go out now has been accepted.
    pub(crate) fn settled(&mut self) -> Result<bool> {
        let (now, mut closed) = (self.now_ms(), HashSet::new());
        for row in self.db.outbox()? {
            if put_off(&row, now) {
                closed.insert(row.conversation);
            }
            let later = row.not_before_ms > now || self.waits(&row)? || closed.contains(&row.conversation);
            let due = row.state != OutboxState::Accepted && !later;
            if due && self.may_go(row.conversation, &row)? {
                return Ok(false);
            }
        }
        Ok(!self.db.has_calls()?)
    }

    /// Whether it waits for the service to know of what it holds.
    fn waits(&self, row: &OutboxRow) -> Result<bool> {
        match row.intent {
            Intent::Tokens { call, .. } => self.db.call_waits(call),
            _ => Ok(false),
        }
    }

    fn may_go(&mut self, conversation: i64, row: &OutboxRow) -> Result<bool> {
        let Some(conversation) = self.db.conversation(conversation)? else { return Ok(false) };
        if row.state == OutboxState::Made {
            return Ok(true);
        }
        let open = matches!(conversation.state, ConversationState::Open | ConversationState::Asked);
        Ok(open && conversation.stuck_ms == 0 && !self.db.is_held(&conversation.group)?)
    }

    /// The service accepted a row; our mailbox will confirm it.
    pub(crate) fn note_accepted(&mut self, row: i64) -> Result<()> {
        self.step(|core| core.db.outbox_accepted(row))
    }

    /// The service takes a row's bytes only after some time: too many of its kind went out.
    pub(crate) fn note_put_off(&mut self, row: i64, wait_ms: u64) -> Result<()> {
        let until = self.now_ms().saturating_add(wait_ms.min(LONGEST_WAIT_MS));
        self.step(|core| core.db.outbox_put_off(row, until))
    }

    /// The service refused a row's bytes: they are forgotten, and made anew. If the conversation is further than
    /// this device (`head_epoch`), that waits until the missing epoch has come.
    pub(crate) fn note_refused(&mut self, row: i64, head_epoch: Option<u64>) -> Result<()> {
        self.step(|core| {
            let Some(row) = core.db.outbox_row(row)? else { return Ok(()) };
            core.note_behind(row.conversation, head_epoch)?;
            // It may have ended with that.
            let Some(row) = core.db.outbox_row(row.id)? else { return Ok(()) };
            if row.intent.is_commit()
                && let Some(conversation) = core.db.conversation(row.conversation)?
            {
                let provider = Provider::deferring(core.db.conn(), &core.crypto, &core.unsettled);
                let group = core.groups.get(&core.db, &core.crypto, &conversation.group)?;
                let clear = group.mls.clear_pending_commit(&provider.storage);
                clear.map_err(|e| Error::mls("taking a refusal")(&e))?;
            }
            core.db.outbox_unmade(row.id)
        })
    }

    fn note_behind(&mut self, conversation: i64, head_epoch: Option<u64>) -> Result<()> {
        let (Some(head), Some(conversation)) = (head_epoch, self.db.conversation(conversation)?) else {
            return Ok(());
        };
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let ours = group.mls.epoch().as_u64();
        if head < ours {
            return self
                .break_off(&conversation, "the service was set back and has forgotten its latest changes");
        }
        if head > ours && conversation.stuck_ms == 0 {
            self.db.set_stuck(conversation.id, self.now_ms())?;
        }
        Ok(())
    }

    /// The service refuses a conversation as a whole.
    pub(crate) fn lost_its_place(&mut self, row: i64, why: &str) -> Result<()> {
        self.step(|core| {
            let Some(row) = core.db.outbox_row(row)? else { return Ok(()) };
            let Some(conversation) = core.db.conversation(row.conversation)? else { return Ok(()) };
            core.break_off(&conversation, why)
        })
    }

    /// The service refused a row for good.
    pub(crate) fn give_up(&mut self, row: i64, why: &str) -> Result<()> {
        self.note_refused(row, None)?;
        self.step(|core| {
            let Some(row) = core.db.outbox_row(row)? else { return Ok(()) };
            if row.item != 0 {
                core.db.item_failed(row.item)?;
            }
            let text = format!("The service refused: {why}");
            core.db.add_item(&NewItem::line(row.conversation, ItemKind::Notice, &text))?;
            core.db.outbox_done(row.id)
        })
    }
}

/// Whether a row's bytes wait because the service wants them later.
fn put_off(row: &OutboxRow, now_ms: u64) -> bool {
    row.state == OutboxState::Made && row.not_before_ms > now_ms
}
