//! Statements of the service: shown only when a key of its directory signed them, for us.
//!
//! *Invariant:* whoever can put an entry into our mailbox, or answer in the service's place, cannot speak in its name;
//! what only waits for a key is kept, and what is not the service's word is said to be none.

use zegel_directory::{SignedStatement, Statement};
use zegel_proto::{AccountId, Message as _, v1};

use super::Core;
use crate::{
    Result,
    db::{ItemKind, NewItem, Standing, StatementRow},
};

/// How many may wait for keys at once: whoever sends them shall not fill the disk.
const MAX_WAITING: usize = 64;
/// How long until the directory's keys are asked for again because of a statement, milliseconds.
const ASK_AGAIN_MS: u64 = 60_000;

/// Why something is not taken for the service's word. Completes "…: it …".
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum NotStated {
    #[error("is not signed by the service's directory")]
    Signature,
    #[error("names a key that the service's directory does not have")]
    Key,
    #[error("cannot be read")]
    Form,
    #[error("is for another account")]
    Account,
    #[error("is one of too many that name unknown keys")]
    Crowd,
}

impl Core {
    /// Takes a statement that came, in whatever way. What came before is not shown again.
    pub(crate) fn statement(&mut self, signed: &v1::SignedStatement) -> Result<()> {
        let known = self.view()?.map(|view| (view.latest().root.epoch, view.signers().keys().len()));
        let (epoch, keys) = known.unwrap_or_default();
        let added = self.db.add_statement(&signed.body, signed.signer, &signed.signature, epoch)?;
        let Some(id) = added else { return Ok(()) };
        if signed.signer as usize >= keys {
            return match self.db.statements(Standing::Waits)?.len() > MAX_WAITING {
                true => {
                    self.db.drop_statement(id)?;
                    self.tell_not_stated(NotStated::Crowd)
                }
                false => Ok(()),
            };
        }
        let (body, signature) = (signed.body.to_vec(), signed.signature.to_vec());
        self.judge(&StatementRow { id, body, signer: signed.signer, signature, epoch })
    }

    /// Whether statements wait for keys that should be asked for now.
    pub(crate) fn statements_due(&mut self) -> Result<bool> {
        let due = self.now_ms().abs_diff(self.statements_asked_ms) >= ASK_AGAIN_MS
            && !self.db.statements(Standing::Waits)?.is_empty();
        if due {
            self.statements_asked_ms = self.now_ms();
        }
        Ok(due)
    }

    /// Takes those whose keys are known by now. A key that was not there in a later epoch of the directory either is
    /// none of its own.
    pub(crate) fn settle_statements(&mut self, epoch: u64) -> Result<()> {
        let keys = self.view()?.map_or(0, |view| view.signers().keys().len());
        for row in self.db.statements(Standing::Waits)? {
            match (row.signer as usize) < keys {
                true => self.judge(&row)?,
                false if epoch > row.epoch => self.refuse(&row, NotStated::Key)?,
                false => {}
            }
        }
        Ok(())
    }

    /// What the service stated to us, newest first.
    pub(crate) fn stated(&self) -> Result<Vec<(StatementRow, v1::Statement)>> {
        let mut all = Vec::new();
        for row in self.db.statements(Standing::Stated)? {
            if let Ok(statement) = v1::Statement::decode(row.body.as_slice()) {
                all.push((row, statement));
            }
        }
        all.sort_by_key(|(row, statement)| std::cmp::Reverse((statement.made_ms, row.id)));
        Ok(all)
    }

    fn judge(&mut self, row: &StatementRow) -> Result<()> {
        let statement = match self.check_statement(row)? {
            Ok(statement) => statement,
            Err(why) => return self.refuse(row, why),
        };
        // The same, signed by another of its keys.
        if self.db.is_stated(&row.body)? {
            return self.db.drop_statement(row.id);
        }
        self.db.set_standing(row.id, Standing::Stated)?;
        let line = NewItem::line(0, ItemKind::Service, &statement.text);
        self.db.add_item(&NewItem { accepted_ms: statement.made_ms, ..line })?;
        Ok(())
    }

    fn check_statement(
        &mut self,
        row: &StatementRow,
    ) -> Result<std::result::Result<v1::Statement, NotStated>> {
        let account = self.me.account;
        let Some(view) = self.view()? else { return Ok(Err(NotStated::Key)) };
        let signed = SignedStatement { signer: row.signer, signature: row.signature.clone() };
        if !view.signers().stated(view.domain(), Statement::Notice, &row.body, &signed) {
            return Ok(Err(NotStated::Signature));
        }
        let Ok(statement) = v1::Statement::decode(row.body.as_slice()) else {
            return Ok(Err(NotStated::Form));
        };
        Ok(match AccountId::from_slice(&statement.account) {
            Ok(to) if to == account => Ok(statement),
            _ => Err(NotStated::Account),
        })
    }

    fn refuse(&mut self, row: &StatementRow, why: NotStated) -> Result<()> {
        self.db.set_standing(row.id, Standing::Refused)?;
        self.tell_not_stated(why)
    }

    fn tell_not_stated(&mut self, why: NotStated) -> Result<()> {
        tracing::warn!(event = "not_stated");
        let text = format!(
            "Something came as a statement of the service and is not shown: it {why}. Somebody may have tried to \
             speak in the service's name; `decisions` shows what it really said."
        );
        self.db.add_item(&NewItem::line(0, ItemKind::Hidden, &text))?;
        Ok(())
    }
}
