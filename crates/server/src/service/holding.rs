//! What the server holds about an account, told to its owner.

use serde_json::json;
use zegel_proto::v1;

use super::{
    Service, Session,
    accounts::listed,
    cases::{WORK, held},
    person::Person,
    refusal::Refusal,
};
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{StoreResult, Tx, read},
};

impl Service {
    pub(super) async fn fetch_holding(&self, session: &Session) -> Result<v1::Holding, Refusal> {
        let (account, _) = session.member()?;
        self.limits.lookup(Some(account), session.peer, WORK)?;
        let keys = self.keys();
        let json = read(&*self.store, move |tx| holding(tx, Some(&keys), &account)).await?;
        Ok(v1::Holding { json: json.to_string() })
    }
}

/// What is held about an account. Reports and statements are found only with the key file.
pub(crate) fn holding(
    tx: &mut dyn Tx,
    keys: Option<&KeyRing>,
    id: &zegel_proto::AccountId,
) -> StoreResult<serde_json::Value> {
    let links = tx.chain(id)?;
    let account = tx.account(id)?.map(|account| {
        json!({
            "id": account.id.to_hex(),
            "app": account.app,
            "handle": account.handle,
            "age_band": account.age_band.as_str_name(),
            "role": account.role,
            "state": account.state.word(),
            "until_day": account.until_day,
            "held": account.held,
            "language": account.language,
            "created_day": account.created_day,
            "last_seen_day": account.last_seen_day,
            "guarded": account.guardian.is_some(),
            "blocked_with": keys.map(|keys| {
                match Person::open(keys, &account.id, &account.person) == Person::own(&account.id) {
                    true => "no other account",
                    false => "all accounts of its invite",
                }
            }),
        })
    });
    let mut devices = Vec::new();
    for device in listed(&links) {
        let waiting =
            tx.mailbox(&device)?.map_or(0, |mailbox| mailbox.next_seq.saturating_sub(mailbox.first_seq));
        let (key_packages, last_resort) = tx.key_packages(&device)?;
        devices.push(json!({
            "id": device.to_hex(),
            "entries_waiting": waiting,
            "key_packages": key_packages,
            "last_resort_key_package": last_resort,
        }));
    }
    let told = keys.map(|keys| held(tx, keys, id)).transpose()?;
    let promised = tx.owed(id)?.map(|owed| json!({ "by_epoch": owed.by_epoch, "made_ms": owed.made_ms }));
    Ok(json!({
        "version": 1,
        "made_ms": Now::get().ms,
        "account": account,
        "sigchain_links": links.len(),
        "devices": devices,
        "directory_promise": promised,
        "reports_and_statements": told,
        "public": "What the key directory says of this handle, for ever: `zegel directory history HANDLE`.",
        "not_listed": "Rows that name nobody and cannot be found from an account: addresses, conversation heads, \
                       block tags, contact codes, remembered answers, sealed files. And what others reported: of a case \
                       about you, you are told what was decided.",
    }))
}
