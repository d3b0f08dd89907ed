//! Accounts begin, connect and end.

use zegel_directory::{Entry, SignedPromise};
use zegel_identity::{Chain, SignedLink, auth_message, verify};
use zegel_proto::{
    AccountId, Code, DeviceId, check_handle,
    v1::{self, AgeBand},
};

use super::{
    Service, Session,
    directory::{has_room, owe, promise},
    handles::{id_mark, skeleton},
    hour_keys::{Admissible, NOBODY},
    invites::{invite_hash, use_invite, valid_invite},
    key_packages::stale,
    person::Person,
    post::Post,
    refusal::Refusal,
    seal::SealKey,
};
use crate::{
    clock::Now,
    config::Registration,
    keys::KeyRing,
    store::{Account, AccountState, Mailbox, Owed, StoreResult, Tx, read, write},
};

/// What somebody is told who may not connect.
pub(crate) const HOW_TO_APPEAL: &str =
    "the account is suspended; `zegel decisions` shows why, `zegel appeal` asks for another look";

impl Service {
    pub(super) async fn register(
        &self,
        session: &Session,
        call: v1::Register,
    ) -> Result<SignedPromise, Refusal> {
        self.limits.register(session.peer)?;
        check_handle(&call.handle).map_err(|error| Refusal::new(Code::HandleForm, error.to_string()))?;
        let link: SignedLink = call.entry.ok_or_else(|| Refusal::bad_request("`entry` is missing"))?.into();
        let chain = Chain::verify(std::slice::from_ref(&link))
            .map_err(|error| Refusal::new(Code::BadChain, error.to_string()))?;
        let same = chain.handle() == call.handle && chain.app() == call.app;
        if !same || chain.app() != self.config.app || chain.domain() != self.config.domain {
            let text = format!(
                "handle, app and domain of the sigchain must be those of the call; this server is for app {:?} \
                 and domain {:?}",
                self.config.app, self.config.domain
            );
            return Err(Refusal::new(Code::BadChain, text));
        }
        let language = language(&call.language)?;
        let device = chain.devices().next().map(|device| self.office.hours.admit(device)).transpose()?;
        let device = device.ok_or_else(|| Refusal::new(Code::BadChain, "the chain lists no device"))?;
        let declared = AgeBand::try_from(call.age_band).unwrap_or(AgeBand::Unknown);
        let today = Now::get().day();
        let account = Account {
            id: chain.account(),
            app: call.app,
            handle: call.handle,
            age_band: declared,
            role: "person".into(),
            state: AccountState::Active,
            until_day: 0,
            held: false,
            language,
            created_day: today,
            last_seen_day: today,
            person: Vec::new(),
            guardian: None,
        };
        let invite = invite_hash(&call.invite);
        let needed = self.config.registration == Registration::Invite;
        let (keys, with) = (self.keys(), self.keys());
        let owed =
            write(&*self.store, move |tx| begin(tx, &with, account, device, &link, invite, needed)).await??;
        Ok(promise(&keys, chain.handle(), Entry::of(&chain), &owed))
    }

    pub(super) async fn authenticate(
        &self,
        session: &mut Session,
        call: v1::Authenticate,
    ) -> Result<v1::Authenticated, Refusal> {
        if session.device.is_some() {
            return Err(Refusal::bad_request("this connection is authenticated already; open another one"));
        }
        let failed = || {
            let text = "wrong signature, unknown account, or a device that was revoked";
            Refusal::new(Code::AuthFailed, text)
        };
        let account = AccountId::from_slice(&call.account)?;
        let device = DeviceId::from_slice(&call.device)?;
        let known = read(&*self.store, move |tx| {
            let Some(row) = tx.account(&account)? else { return Ok(None) };
            let state = row.state_on(Now::get().day());
            Ok(Some((state, tx.chain(&account)?, tx.stocked(&device)?)))
        });
        let (state, links, stocked) = known.await?.ok_or_else(failed)?;
        let chain = Chain::verify(&links).map_err(|error| {
            tracing::error!(%error, "a stored sigchain does not verify; run `zegel-server verify`");
            failed()
        })?;
        let info = chain.device(&device).ok_or_else(failed)?;
        let message = auth_message(&session.domain, &session.nonce, &account, &device);
        if !verify(&info.signing_key, &message, &call.signature) {
            return Err(failed());
        }
        if call.appeal_only {
            return self.authenticate_for_appeal(session, account, device).await?.ok_or_else(failed);
        }
        if !state.may_connect() {
            return Err(Refusal::new(Code::Suspended, HOW_TO_APPEAL));
        }
        let now = Now::get();
        self.office.hours.prepare(&device, &info.queue_key, now.hour());
        let key = SealKey::of_key_packages(self.keys().storage());
        let (stale, last_resort_is_young) = stale(&key, &device, &stocked, now.day());
        let office = self.office.clone();
        let answer = write(&*self.store, move |tx| {
            // The device may have been revoked since the chain was read.
            let Some(mailbox) = tx.mailbox(&device)? else { return Ok(None) };
            let Some(row) = tx.account(&account)? else { return Ok(None) };
            if row.last_seen_day != now.day() {
                tx.set_last_seen(&account, now.day())?;
            }
            let first_seq = first_waiting(tx, &device, &mailbox)?;
            tx.drop_key_packages(&device, &stale)?;
            let (key_packages, _) = tx.key_packages(&device)?;
            // One that grows old counts as none, so that the device renews it in time.
            let last_resort = last_resort_is_young;
            let mut post = Post::new(tx, &office, now);
            post.keep_hour_key(&device)?;
            post.finish()?;
            let next_seq = mailbox.next_seq;
            Ok(Some(v1::Authenticated {
                first_seq,
                next_seq,
                key_packages,
                last_resort,
                server_ms: now.ms,
                age_band: row.age_band.into(),
                guarded: row.guardian.is_some(),
            }))
        });
        let answer = answer.await?.ok_or_else(failed)?;
        session.device = Some((account, device));
        session.first_seq = answer.first_seq;
        Ok(answer)
    }

    /// Lets in who may not connect otherwise. The device's other connection, its mail and its keys stay as they are. None
    /// if the device was revoked meanwhile.
    async fn authenticate_for_appeal(
        &self,
        session: &mut Session,
        account: AccountId,
        device: DeviceId,
    ) -> Result<Option<v1::Authenticated>, Refusal> {
        let rows = read(&*self.store, move |tx| Ok((tx.mailbox(&device)?, tx.account(&account)?)));
        let (Some(mailbox), Some(row)) = rows.await? else { return Ok(None) };
        let seq = mailbox.next_seq;
        session.device = Some((account, device));
        (session.first_seq, session.appeal_only) = (seq, true);
        Ok(Some(v1::Authenticated {
            first_seq: seq,
            next_seq: seq,
            server_ms: Now::get().ms,
            age_band: row.age_band.into(),
            guarded: row.guardian.is_some(),
            ..Default::default()
        }))
    }

    pub(super) async fn delete_account(
        &self,
        session: &Session,
        call: v1::DeleteAccount,
    ) -> Result<(), Refusal> {
        let (account, _) = session.member()?;
        let office = self.office.clone();
        write(&*self.store, move |tx| {
            let Some(row) = tx.account(&account)? else { return Ok(Ok(())) };
            if row.handle != call.handle {
                return Ok(Err(Refusal::bad_request("type the account's own handle to delete it")));
            }
            let devices = listed(&tx.chain(&account)?);
            let now = Now::get();
            tx.remove_account(&account, now.day())?;
            owe(tx, &account, now)?;
            tx.after_commit(Box::new(move || {
                devices.iter().for_each(|device| office.end_device(device));
            }));
            Ok(Ok(()))
        })
        .await?
    }
}

/// The devices that a stored chain lists.
pub(super) fn listed(links: &[SignedLink]) -> Vec<DeviceId> {
    Chain::verify(links).map(|chain| chain.devices().map(|device| device.id).collect()).unwrap_or_default()
}

/// The lowest number that still waits: mail that nobody fetched may have been swept.
fn first_waiting(tx: &mut dyn Tx, device: &DeviceId, mailbox: &Mailbox) -> StoreResult<u64> {
    if mailbox.first_seq == mailbox.next_seq {
        return Ok(mailbox.next_seq);
    }
    let first = tx.entries(device, mailbox.first_seq, 1, 1)?;
    Ok(first.first().map_or(mailbox.next_seq, |(seq, _)| *seq))
}

fn language(tag: &str) -> Result<String, Refusal> {
    let form = tag.len() <= 35 && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    form.then(|| tag.to_owned())
        .ok_or_else(|| Refusal::bad_request("`language` is a BCP 47 tag such as nl or en-GB"))
}

fn begin(
    tx: &mut dyn Tx,
    keys: &KeyRing,
    mut account: Account,
    device: Admissible,
    link: &SignedLink,
    invite: Option<[u8; 32]>,
    needed: bool,
) -> StoreResult<Result<Owed, Refusal>> {
    let taken = |code, text: &'static str| Ok(Err(Refusal::new(code, text)));
    if !has_room(tx)? {
        return Ok(Err(Refusal::rate_limited(zegel_directory::EPOCH_MS)));
    }
    let valid = match &invite {
        Some(hash) => valid_invite(tx, hash, account.created_day)?,
        None => None,
    };
    if valid.is_none() && (needed || invite.is_some()) {
        return taken(Code::InviteNeeded, "this server takes no account without a valid invite; ask for one");
    }
    let looks = skeleton(&account.handle);
    if tx.skeleton_used(&looks)? {
        return taken(
            Code::HandleTaken,
            "the handle is taken, or looks like one that is or was; choose another",
        );
    }
    let mark = id_mark(&account.id);
    if account.id == NOBODY || tx.skeleton_used(&mark)? || tx.mailbox(&device.id)?.is_some() {
        return taken(Code::BadChain, "the account's or device's id was used before; make new ones");
    }
    let mut person = Person::own(&account.id);
    if let (Some(hash), Some(invite)) = (invite, valid) {
        account.age_band = invite.age_band.unwrap_or(account.age_band);
        use_invite(tx, &hash, &invite)?;
        if invite.for_one {
            person = Person::invited(keys, &hash);
        }
    }
    account.person = person.seal(keys, &account.id);
    // Both the handle and the id stay taken for ever, also when the account is gone.
    tx.put_account(&account, &mark)?;
    tx.put_account(&account, &looks)?;
    tx.append_chain(&account.id, 0, link)?;
    device.open(tx, &account.id)?;
    Ok(Ok(owe(tx, &account.id, Now::get())?))
}
