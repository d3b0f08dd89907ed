//! The key directory as a person sees it: numbers to compare, entries, alarms, own devices.

use std::collections::BTreeSet;

use serde::Serialize;
use zegel_directory::Found;
use zegel_identity::{Action, SignedLink};
use zegel_proto::{
    AccountId, Code, DeviceId,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{client::Client, ops::PATIENCE};
use crate::{
    Error, Result,
    core::directory::{AlarmKind, steps},
    db::Contact,
    flow::{Link, check_due, check_own, history, know_account, know_handle, unexpected},
};

/// What two people compare when they want to be sure by themselves. Nobody needs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SafetyNumber {
    /// With whom.
    pub handle: String,
    /// Twelve groups of five digits, the same on both sides.
    pub number: String,
    /// The text of a QR code of it.
    pub qr: String,
    /// Whether it was compared on this device before.
    pub checked: bool,
}

/// A device of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Its id, hexadecimal.
    pub id: String,
    /// When it was listed, by the clock of the device that listed it, milliseconds since 1970.
    pub since: u64,
    /// Whether it is this one.
    pub this: bool,
}

/// What the directory says about a handle now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectoryEntry {
    /// The handle.
    pub handle: String,
    /// Its account, hexadecimal.
    pub account: String,
    /// `proven`, `promised` (it will be proven within a few epochs) or `ended` (the account was deleted).
    pub state: &'static str,
    /// The newest proven version of the entry; 0 before the first.
    pub version: u64,
    /// The epoch in which that version came.
    pub epoch: u64,
    /// Number of links of the account's sigchain.
    pub links: u64,
    /// The epoch that the newest state is promised for, if it is not proven yet.
    pub by_epoch: Option<u64>,
    /// The newest epoch that this device has seen.
    pub root_epoch: u64,
    /// The hash of its root, hexadecimal.
    pub root: String,
    /// The devices that can read what is written to this account.
    pub devices: Vec<Device>,
}

/// A root of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectoryRoot {
    /// Its epoch.
    pub epoch: u64,
    /// Its hash, hexadecimal: two people who see the same one see the same directory.
    pub root: String,
    /// When it was published, by the service's clock, milliseconds since 1970.
    pub at: u64,
}

/// A version of a handle's entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// Counts from 1.
    pub version: u64,
    /// The epoch in which it came.
    pub epoch: u64,
    /// Number of links of the sigchain.
    pub links: u64,
    /// Ids of devices that came with it, hexadecimal.
    pub added: Vec<String>,
    /// Ids of devices that went with it, hexadecimal.
    pub removed: Vec<String>,
    /// Whether the account ended with it.
    pub ended: bool,
}

/// What the service was caught at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Local number.
    pub id: i64,
    /// When, by this device's clock, milliseconds since 1970.
    pub at: u64,
    /// A stable word. `fork`, `rollback`, `keys`, `unlinked`, `vrf`, `hidden`, `broken`, `time` and `removed` are about the
    /// directory as a whole, and end the trust in it; `unproven`, `handle` and `rewritten` are about somebody, `own`
    /// and `device` about ourselves.
    pub kind: &'static str,
    /// Whose handle it is about; empty for the directory.
    pub about: String,
    /// What happened, and what it means.
    pub text: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What the service signed, for others to check; null if there is nothing to show.
    pub evidence: serde_json::Value,
    /// Whether it was acknowledged.
    pub seen: bool,
    /// How often the same came again before that.
    pub repeats: u64,
}

impl Client {
    /// The number to compare with somebody.
    pub async fn verify(&self, handle: &str) -> Result<SafetyNumber> {
        let contact = self.other("comparing numbers", handle).await?;
        let number = self.engine.shared.core().safety_number(&contact)?;
        let (number, qr) = (number.number, number.qr);
        Ok(SafetyNumber { handle: handle.into(), number, qr, checked: contact.compared })
    }

    /// Whether `given`, typed or scanned from the other's screen, is the number that we share; if so, they are marked
    /// as verified by hand.
    pub async fn compare(&self, handle: &str, given: &str) -> Result<bool> {
        let contact = self.other("comparing numbers", handle).await?;
        let mut core = self.engine.shared.core();
        let same = core.safety_number(&contact)?.is(given);
        if same {
            core.step(|core| core.db.set_compared(&contact.account))?;
        }
        Ok(same)
    }

    async fn other(&self, doing: &'static str, handle: &str) -> Result<Contact> {
        let own = self.engine.shared.core().me.handle == handle;
        match own {
            true => Err(Error::usage(doing, "that is you", "someone else's handle")),
            false => self.person(handle).await,
        }
    }

    /// Fetches what the directory says about somebody, or about ourselves.
    async fn looked_up(&self, handle: &str) -> Result<Contact> {
        let socket = self.connected(PATIENCE).await?;
        let shared = &self.engine.shared;
        let own = shared.core().me.handle == handle;
        if own {
            check_own(shared, &*socket).await?;
            return shared.core().own();
        }
        match know_handle(shared, &*socket, handle).await {
            // A deleted account is found by its id only, for a while.
            Err(error @ Error::Refused { code: Code::NotFound, .. }) => {
                let known = shared.core().db.contact_by_handle(handle)?;
                let Some(known) = known else { return Err(error) };
                know_account(shared, &*socket, &known.account).await?;
            }
            other => drop(other?),
        }
        let contact = shared.core().db.contact_by_handle(handle)?;
        contact.ok_or_else(|| Error::usage("looking up a person", "they are gone", "another handle"))
    }

    /// What the directory says about a handle now, verified.
    pub async fn directory_show(&self, handle: &str) -> Result<DirectoryEntry> {
        let contact = self.looked_up(handle).await?;
        let root = self.engine.shared.core().latest_root()?;
        let devices = self.devices_of(&contact)?;
        Ok(DirectoryEntry {
            handle: contact.handle,
            account: contact.account.to_hex(),
            state: if contact.ended { "ended" } else { contact.trust.word() },
            version: contact.trust.version,
            epoch: contact.trust.epoch,
            links: contact.chain.head().0,
            by_epoch: contact.trust.promise.map(|promise| promise.promise.by_epoch),
            root_epoch: root.as_ref().map_or(0, |root| root.root.epoch),
            root: root.map(|root| hex::encode(root.root.hash())).unwrap_or_default(),
            devices,
        })
    }

    /// The newest root that this device has seen; `None` before the first connection.
    pub fn directory_root(&self) -> Result<Option<DirectoryRoot>> {
        let latest = self.engine.shared.core().latest_root()?;
        Ok(latest.map(|latest| DirectoryRoot {
            epoch: latest.root.epoch,
            root: hex::encode(latest.root.hash()),
            at: latest.root.time_ms,
        }))
    }

    /// Every version that a handle's entry has had, verified, oldest first.
    pub async fn directory_history(&self, handle: &str) -> Result<Vec<HistoryEntry>> {
        let socket = self.connected(PATIENCE).await?;
        let found = match history(&self.engine.shared, &*socket, handle, 0).await {
            // Nothing is in the directory before the first epoch after a registration.
            Err(Error::Refused { code: Code::NotFound, .. }) => Vec::new(),
            other => other?,
        };
        // After it, so that the chain has all that the history has.
        let contact = self.looked_up(handle).await?;
        let links = self.engine.shared.core().db.links(&contact.account)?;
        history_of(&contact.account, &links, found)
    }

    /// Alarms, oldest first: all that there ever were, or those that were not acknowledged.
    pub fn alarms(&self, all: bool) -> Result<Vec<Alarm>> {
        let rows = self.engine.shared.core().db.alarms(all)?;
        let shown = rows.into_iter().filter_map(|row| {
            // A word of a newer release cannot occur: its profile is not opened.
            let kind = AlarmKind::from_word(&row.kind)?;
            Some(Alarm {
                id: row.id,
                at: row.made_ms,
                kind: kind.word(),
                steps: steps(kind, &row.about),
                about: row.about,
                text: row.text,
                evidence: serde_json::from_slice(&row.evidence).unwrap_or_default(),
                seen: row.seen,
                repeats: row.repeats,
            })
        });
        Ok(shown.collect())
    }

    /// The person has seen the alarms up to this [`Alarm::id`], the highest that was shown to them; how many were new
    /// to them. What came since stays.
    pub fn acknowledge_alarms(&self, up_to: i64) -> Result<usize> {
        self.engine.shared.core().step(|core| core.db.alarms_seen(up_to))
    }

    /// Whether new people and devices are taken from the directory: it was not caught.
    pub fn is_directory_trusted(&self) -> Result<bool> {
        self.engine.shared.core().is_directory_trusted()
    }

    /// Forgets all that the directory has shown and begins anew with what it shows now. Only for a person who was told
    /// why they should; alarms stay.
    pub async fn trust_directory_anew(&self) -> Result<()> {
        self.engine.shared.core().trust_anew()?;
        self.check_directory().await
    }

    /// Looks at our own entry, at promises and at what others saw now, and not when it is due.
    pub async fn check_directory(&self) -> Result<()> {
        let socket = self.connected(PATIENCE).await?;
        check_own(&self.engine.shared, &*socket).await?;
        check_due(&self.engine.shared, &*socket).await?;
        self.engine.bump();
        Ok(())
    }

    /// Our devices, as our own chain lists them.
    pub fn devices(&self) -> Result<Vec<Device>> {
        let own = self.engine.shared.core().own()?;
        self.devices_of(&own)
    }

    fn devices_of(&self, contact: &Contact) -> Result<Vec<Device>> {
        let core = self.engine.shared.core();
        let links = core.db.links(&contact.account)?;
        let mut devices = Vec::new();
        for link in &links {
            let link = link.link().map_err(|e| Error::protocol("reading a list of devices", e))?;
            let (Action::Create { device, .. } | Action::AddDevice(device)) = link.action else { continue };
            if contact.chain.device(&device.id).is_some() {
                let this = device.id == core.me.device;
                devices.push(Device { id: device.id.to_hex(), since: link.time_ms, this });
            }
        }
        Ok(devices)
    }

    /// Removes one of our devices from our account, for good: by its id, or an unambiguous beginning of it.
    pub async fn revoke_device(&self, id: &str) -> Result<()> {
        let doing = "removing a device";
        let socket = self.connected(PATIENCE).await?;
        check_own(&self.engine.shared, &*socket).await?;
        let mut meant = self.devices()?;
        meant.retain(|device| !id.is_empty() && device.id.starts_with(&id.to_lowercase()));
        let device = match meant.as_slice() {
            [device] if device.this => {
                let fix = "another of your devices, or `delete-account`";
                return Err(Error::usage(doing, "this is the device that you are using", fix));
            }
            [device] => device,
            [] => return Err(Error::usage(doing, format!("you have no device {id}"), "`devices`")),
            _ => return Err(Error::usage(doing, format!("{id} could be several"), "a longer beginning")),
        };
        let id = hex::decode(&device.id).ok().and_then(|id| DeviceId::from_slice(&id).ok());
        let id = id.ok_or_else(|| Error::protocol(doing, "a device id that cannot be read"))?;
        let link = self.engine.shared.core().revoking(id)?;
        let append = v1::AppendChain { entry: Some(link.clone().into()) };
        let Answer::Promised(promised) = socket.call(doing, Call::AppendChain(append)).await? else {
            return unexpected(doing);
        };
        self.engine.shared.core().step(|core| core.append_own(link, &promised))?;
        self.engine.bump();
        Ok(())
    }
}

/// What each version changed; `found` comes newest first.
fn history_of(account: &AccountId, links: &[SignedLink], found: Vec<Found>) -> Result<Vec<HistoryEntry>> {
    let doing = "reading a history";
    let mut history = Vec::with_capacity(found.len());
    let mut at = 0;
    for found in found.into_iter().rev() {
        if !found.entry.is_point_of(account, links) {
            return Err(Error::protocol(doing, "a version that the account's own devices never made"));
        }
        let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
        let upto = usize::try_from(found.entry.len).unwrap_or(usize::MAX).min(links.len());
        for link in links.get(at..upto).unwrap_or_default() {
            match link.link().map_err(|e| Error::protocol(doing, e))?.action {
                Action::Create { device, .. } | Action::AddDevice(device) => added.insert(device.id.to_hex()),
                Action::RevokeDevice(id) => removed.insert(id.to_hex()),
                Action::RotateRecovery(_) => continue,
            };
        }
        at = upto;
        history.push(HistoryEntry {
            version: found.version,
            epoch: found.epoch,
            links: found.entry.len,
            added: added.into_iter().collect(),
            removed: removed.into_iter().collect(),
            ended: found.entry.ended,
        });
    }
    Ok(history)
}
