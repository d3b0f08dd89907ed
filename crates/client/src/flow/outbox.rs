//! Sending what the outbox holds.

use zegel_proto::{
    BLOB_PART, Code, Message as _,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{Link, Shared, fetch_fresh, know, unexpected, unreadable};
use crate::{Error, Result, core::Ready, db::OutboxRow};

/// From this many milliseconds on, what the service puts off is not waited for.
pub(crate) const LONG_WAIT_MS: u64 = 60_000;

/// What became of an outbox row.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The row.
    pub row: i64,
    /// Accepted, or why not.
    pub result: Result<()>,
}

/// Sends small calls, in order, until none is left.
pub(crate) async fn send_calls<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    loop {
        let Some((id, body)) = shared.core().db.next_call()? else { return Ok(()) };
        let has_time = matches!(body, Call::PutToken(_));
        match link.call("telling the service", body).await {
            Ok(_) => {}
            // A block must not wait until there may be tokens again.
            Err(Error::Refused { code: Code::RateLimited, .. }) if has_time => {
                shared.core().db.put_call_off(id)?;
                continue;
            }
            Err(error) if error.is_passing() => return Err(error),
            // It will never be taken; keeping it would keep all later ones back.
            Err(error) => tracing::warn!(%error, event = "call_refused"),
        }
        shared.core().db.call_done(id)?;
    }
}

/// Brings one ready row to the server. The order of the first poll is the order on the wire.
pub(crate) async fn submit<L: Link>(shared: &Shared, link: &L, ready: Ready) -> Outcome {
    match ready {
        Ready::Send(row) => {
            let id = row.id;
            // An earlier connection's attempt may have been confirmed since this was made ready.
            if !matches!(shared.core().db.outbox_row(id), Ok(Some(_))) {
                return Outcome { row: id, result: Ok(()) };
            }
            // The addresses that a commit makes known are bound before anyone can write to them.
            let result = match row.intent.is_commit() {
                true => match send_calls(shared, link).await {
                    Ok(()) => send(link, *row).await,
                    Err(error) => Err(error),
                },
                false => send(link, *row).await,
            };
            Outcome { row: id, result }
        }
        Ready::Packages { row, accounts } => {
            let made = async {
                let (read, packages) = fetch_fresh(shared, link, &accounts).await?;
                match read.is_empty() {
                    true => Err(unreadable(shared, &accounts)?),
                    false => shared.core().make_add(row, &read, &packages),
                }
            };
            Outcome { row, result: send_made(link, made.await).await }
        }
        Ready::Readd { row, account } => {
            let made = async {
                // Its owner may have revoked the device since it asked.
                match know(shared, link, &[account]).await?.is_empty() {
                    true => Err(unreadable(shared, &[account])?),
                    false => shared.core().make_readd(row),
                }
            };
            Outcome { row, result: send_made(link, made.await).await }
        }
    }
}

async fn send_made<L: Link>(link: &L, made: Result<Option<OutboxRow>>) -> Result<()> {
    match made? {
        Some(row) => send(link, row).await,
        None => Ok(()),
    }
}

async fn send<L: Link>(link: &L, row: OutboxRow) -> Result<()> {
    let doing = "sending";
    let (name, sealed) = &row.blob;
    for (part, data) in sealed.chunks(BLOB_PART).enumerate() {
        let offset = part * BLOB_PART;
        let put = v1::PutBlob {
            name: name.clone().into(),
            offset: offset as u64,
            data: data.to_vec().into(),
            last: offset + data.len() == sealed.len(),
        };
        link.call("uploading a group's tree", Call::PutBlob(put)).await?;
    }
    let submit = v1::Submit::decode(row.submit.as_slice()).map_err(|e| Error::protocol(doing, e))?;
    match link.call(doing, Call::Submit(submit)).await? {
        Answer::Submitted(_) => Ok(()),
        _ => unexpected(doing),
    }
}

/// Notes what became of a row: accepted, to be made anew, to be tried again later, or given up.
pub(crate) fn take_outcome(shared: &Shared, outcome: &Outcome) -> Result<()> {
    let mut core = shared.core();
    match &outcome.result {
        Ok(()) => core.note_accepted(outcome.row),
        Err(Error::Refused { code: Code::StaleEpoch, head_epoch, .. }) => {
            core.note_refused(outcome.row, Some(*head_epoch))
        }
        Err(Error::Refused { code: Code::UnknownConversation, .. }) => {
            core.lost_its_place(outcome.row, "the service no longer knows it")
        }
        Err(Error::Refused { code: Code::RateLimited, retry_after_ms, .. })
            if *retry_after_ms >= LONG_WAIT_MS =>
        {
            core.note_put_off(outcome.row, *retry_after_ms)
        }
        Err(error) if error.is_passing() => Ok(()),
        Err(error) => core.give_up(outcome.row, &error.to_string()),
    }
}
