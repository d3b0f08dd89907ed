//! Taking mail: open, fetch what it refers to, take in one transaction, settle what was held.

use zegel_proto::{
    BlobName,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{Link, Shared, know, unexpected};
use crate::{
    Error, Result,
    core::{Need, Opened, unseal},
};

/// Takes what the server delivered; returns the number to acknowledge. After this it is in the profile.
pub(crate) async fn receive<L: Link>(shared: &Shared, link: &L, deliver: v1::Deliver) -> Result<Option<u64>> {
    let mut opened = shared.core().open(&deliver);
    for entry in &mut opened {
        inline_shared(link, entry, &deliver.payloads).await?;
    }
    Ok(shared.core().take(&opened)?.ack)
}

/// Replaces a reference to a shared payload by the payload. One that is gone stays empty, and is shown as gone.
async fn inline_shared<L: Link>(link: &L, opened: &mut Opened, at_hand: &[v1::SharedPayload]) -> Result<()> {
    let Ok(entry) = &mut opened.entry else { return Ok(()) };
    let (reference, place) = match &mut entry.body {
        Some(v1::entry::Body::Message(m)) => (m.shared.take(), &mut m.message),
        Some(v1::entry::Body::Introduction(i)) => (i.shared.take(), &mut i.welcome),
        _ => return Ok(()),
    };
    let Some(reference) = reference else { return Ok(()) };
    let Ok(key) = <[u8; 32]>::try_from(reference.key.as_ref()) else { return Ok(()) };
    let sealed = match at_hand.iter().find(|payload| payload.name == reference.name) {
        Some(payload) => Some(payload.sealed.to_vec()),
        None => match BlobName::from_slice(&reference.name) {
            Ok(name) => fetch_blob(link, &name).await?,
            Err(_) => None,
        },
    };
    if let Some(plain) = sealed.and_then(|sealed| unseal(&key, &sealed, b"")) {
        *place = plain.into();
    }
    Ok(())
}

/// Fetches a whole blob; `None` if the server no longer has it.
async fn fetch_blob<L: Link>(link: &L, name: &BlobName) -> Result<Option<Vec<u8>>> {
    let doing = "fetching a stored file";
    let mut data: Vec<u8> = Vec::new();
    loop {
        let get = v1::GetBlob { name: name.to_field(), offset: data.len() as u64 };
        let part = match link.call(doing, Call::GetBlob(get)).await {
            Ok(Answer::BlobPart(part)) => part,
            Ok(_) => return unexpected(doing),
            Err(Error::Refused { code: zegel_proto::Code::NotFound, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        data.extend_from_slice(&part.data);
        if data.len() as u64 >= part.total {
            return Ok(Some(data));
        }
        if part.data.is_empty() || part.total > zegel_proto::MAX_BLOB {
            return Err(Error::protocol(doing, "a part without end"));
        }
    }
}

/// Fetches what held entries wait for, and takes them.
pub(crate) async fn settle_held<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let groups = shared.core().db.held_groups()?;
    for group in groups {
        shared.core().tried.clear();
        let mut tree: Option<Vec<u8>> = None;
        loop {
            let need = {
                let mut core = shared.core();
                if core.db.first_held(&group)?.is_none() {
                    break;
                }
                core.take_held(&group, tree.as_deref())?
            };
            match need {
                // It was taken; the next one starts without what this one needed.
                None => {
                    tree = None;
                    shared.core().tried.clear();
                }
                Some(Need::Chains(accounts)) => {
                    let read = match know(shared, link, &accounts).await {
                        // It waits until the person trusts the directory again.
                        Err(Error::Distrusted { .. }) => break,
                        other => other?,
                    };
                    let tried = accounts.into_iter().map(|account| (account, read.contains(&account)));
                    shared.core().tried.extend(tried);
                }
                Some(Need::Tree { name }) => match fetch_blob(link, &name).await? {
                    Some(sealed) => tree = Some(sealed),
                    None => {
                        shared.core().drop_held(&group, "the group's tree is no longer at the service")?
                    }
                },
            }
        }
    }
    Ok(())
}
