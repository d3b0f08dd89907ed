//! Addresses, as their owner handles them: bound, accepted, ended, deleted.

use bytes::Bytes;
use zegel_proto::{AccountId, Address, Code, DeviceId, v1};
use zegel_safety::Signal;

use super::{
    Service, Session,
    address_value::{AddressValue, State, Target},
    person::Person,
    refusal::Refusal,
};
use crate::{
    clock::Now,
    store::{StoreResult, Tx, write},
};

/// The most addresses that are deleted at once.
const MAX_DELETES: usize = 256;

impl Service {
    pub(super) async fn bind_address(&self, session: &Session, call: v1::BindAddress) -> Result<(), Refusal> {
        let (account, device) = session.member()?;
        let target = self.tagged(&call.address, &call.tag)?;
        self.limits.lookup(Some(account), session.peer, 1)?;
        let hour = Now::get().hour();
        write(&*self.store, move |tx| {
            let mut value = match tx.address(&target.hash)?.and_then(|sealed| target.open(&sealed)) {
                None => AddressValue::unbound(device, false),
                Some(value) if value.device == device => value,
                Some(_) => return Ok(Err(Refusal::bad_request("this address is in use; make a fresh one"))),
            };
            let free = value.last_resort || value.bindings.is_empty();
            let may = free || value.binding(&target.tag).is_some();
            if !may || !value.bind(target.tag, State::Bound, hour, true) {
                return Ok(Err(Refusal::bad_request("this address has its conversation; make a fresh one")));
            }
            tx.put_address(&target.hash, &target.seal(&value))?;
            Ok(Ok(()))
        })
        .await?
    }

    pub(super) async fn accept_address(
        &self,
        session: &Session,
        call: v1::AcceptAddress,
    ) -> Result<(), Refusal> {
        let (account, device) = session.member()?;
        self.limits.call(device, 1)?;
        let target = self.tagged(&call.address, &call.tag)?;
        write(&*self.store, move |tx| {
            let unknown = || Ok(Err(Refusal::new(Code::NotFound, "no introduction came to this address")));
            let Some(mut value) = tx.address(&target.hash)?.and_then(|sealed| target.open(&sealed)) else {
                return unknown();
            };
            if !owns(tx, &account, &value.device)? {
                return unknown();
            }
            let Some(binding) = value.binding(&target.tag) else { return unknown() };
            if !matches!(binding.state, State::Accepted | State::Bound) {
                binding.state = State::Accepted;
                tx.put_address(&target.hash, &target.seal(&value))?;
            }
            Ok(Ok(()))
        })
        .await?
    }

    /// Ends what one conversation has of an address: of one that serves no other, the whole address.
    pub(super) async fn end_binding(&self, session: &Session, call: v1::EndBinding) -> Result<(), Refusal> {
        let (account, device) = session.member()?;
        self.limits.call(device, 1)?;
        let target = self.tagged(&call.address, &call.tag)?;
        let now = Now::get();
        write(&*self.store, move |tx| {
            let Some(mut value) = tx.address(&target.hash)?.and_then(|sealed| target.open(&sealed)) else {
                return Ok(());
            };
            if !owns(tx, &account, &value.device)? || value.binding(&target.tag).is_none() {
                return Ok(());
            }
            if !value.last_resort {
                return tx.bury_address(&target.hash, &target.seal(&value.buried(now.hour())), now.day());
            }
            value.end(&target.tag, now.hour());
            tx.put_address(&target.hash, &target.seal(&value))
        })
        .await?;
        Ok(())
    }

    pub(super) async fn delete_addresses(
        &self,
        session: &Session,
        call: v1::DeleteAddresses,
    ) -> Result<(), Refusal> {
        let (account, device) = session.member()?;
        if call.addresses.len() > MAX_DELETES {
            let text = format!("at most {MAX_DELETES} addresses at once; delete in parts");
            return Err(Refusal::bad_request(text));
        }
        self.limits.call(device, call.addresses.len().max(1) as u32)?;
        let declined = match call.declined.is_empty() {
            true => None,
            false => Some(AccountId::from_slice(&call.declined)?),
        };
        // The tag plays no part here: an address goes with all its conversations.
        let targets: Vec<_> =
            call.addresses.iter().map(|address| self.tagged(address, &[0; 32])).collect::<Result<_, _>>()?;
        let now = Now::get();
        let keys = self.keys();
        let by = write(&*self.store, move |tx| {
            let mut counts = false;
            for target in &targets {
                let Some(mut value) = tx.address(&target.hash)?.and_then(|sealed| target.open(&sealed))
                else {
                    continue;
                };
                if !owns(tx, &account, &value.device)? {
                    continue;
                }
                counts |= declined.is_some_and(|whom| value.decline(&whom));
                if value.last_resort && declined.is_some() {
                    // Others came to the same address.
                    tx.put_address(&target.hash, &target.seal(&value))?;
                } else {
                    tx.bury_address(&target.hash, &target.seal(&value.buried(now.hour())), now.day())?;
                }
            }
            // Only who introduced what was declined here is counted.
            match counts {
                true => Person::of(tx, &keys, &account).map(Some),
                false => Ok(None),
            }
        });
        if let (Some(by), Some(whom)) = (by.await?, declined) {
            self.watch.note(&whom, [(by, Signal::Declined)], now);
        }
        Ok(())
    }

    fn tagged(&self, address: &Bytes, tag: &[u8]) -> Result<Target, Refusal> {
        let address = Address::from_slice(address)?;
        let tag = tag.try_into().map_err(|_| Refusal::bad_request("`tag` is 32 bytes"))?;
        Ok(Target::tagged(&self.keys(), &address, tag))
    }
}

/// Whether the device is one of the account's.
fn owns(tx: &mut dyn Tx, account: &AccountId, device: &DeviceId) -> StoreResult<bool> {
    Ok(tx.mailbox(device)?.is_some_and(|mailbox| mailbox.account == *account))
}
