//! A mailbox, as its device reads it.

use std::collections::BTreeSet;

use zegel_proto::{DeviceId, v1};

use super::{Service, Session, refusal::Refusal};
use crate::store::{StoreResult, read, write};

/// Entries of one batch hold about this many bytes at most.
const BATCH_BYTES: usize = 1 << 20;

impl Service {
    /// Everything up to a number is in the device's own database, so it is deleted here. What a confirmation
    /// among it confirmed will not be sent again, so its remembered answer goes too.
    pub(super) async fn ack(&self, session: &Session, call: v1::Ack) -> Result<(), Refusal> {
        let (_, device) = session.member()?;
        self.limits.call(device, 1)?;
        let answers = self.office.answers.clone();
        write(&*self.store, move |tx| {
            let Some(mut mailbox) = tx.mailbox(&device)? else { return Ok(Ok(())) };
            if call.seq >= mailbox.next_seq {
                return Ok(Err(Refusal::bad_request(
                    "that entry does not exist yet; acknowledge what was delivered",
                )));
            }
            if call.seq >= mailbox.first_seq {
                tx.delete_entries(&device, call.seq)?;
                tx.delete_answers(&answers.take(&device, call.seq))?;
                mailbox.first_seq = call.seq + 1;
                tx.put_mailbox(&device, &mailbox)?;
            }
            Ok(Ok(()))
        })
        .await?
    }

    /// Up to `max` entries that wait for a device, from number `from` on, and the hour keys they need.
    pub async fn waiting(&self, device: &DeviceId, from: u64, max: usize) -> StoreResult<v1::Deliver> {
        let device = *device;
        read(&*self.store, move |tx| {
            let entries = tx.entries(&device, from, max, BATCH_BYTES)?;
            let ids: BTreeSet<u64> = entries.iter().map(|(_, entry)| entry.hour_key).collect();
            let mut hour_keys = Vec::with_capacity(ids.len());
            for id in ids {
                match tx.hour_key(&device, id)? {
                    Some(row) => {
                        hour_keys.push(v1::HourKey { id, encapsulated: row.encapsulated, sealed: row.sealed })
                    }
                    None => {
                        tracing::error!("an entry's hour key is not in the store; run `zegel-server verify`")
                    }
                }
            }
            let entries = entries
                .into_iter()
                .map(|(seq, entry)| v1::SealedEntry { seq, hour_key: entry.hour_key, sealed: entry.sealed })
                .collect();
            Ok(v1::Deliver { hour_keys, entries, payloads: Vec::new() })
        })
        .await
    }
}
