//! Key packages: left in stock, each with the address inside it, and handed out once.

use bytes::Bytes;
use zegel_proto::{AccountId, Address, Code, DeviceId, KEY_PACKAGE_STOCK, MAX_FETCH, MAX_KEY_PACKAGE, v1};

use super::{
    Service, Session,
    accounts::listed,
    address_value::{AddressValue, Target},
    refusal::Refusal,
    seal::{SealKey, open_key_package, seal_key_package},
};
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{StoreResult, Tx, write},
};

/// Days after which a key package is handed out no more.
const MAX_AGE_DAYS: u32 = 28;
/// Days after which a device is asked for another last resort: it has as many again to come by.
const RENEW_DAYS: u32 = 14;

/// A package on its way into the stock.
struct Stocked {
    target: Target,
    value: Vec<u8>,
    package: Vec<u8>,
    last_resort: bool,
}

impl Service {
    /// Returns how many one-time packages are in stock then. What does not fit into the stock is ignored, and no error: packages are handed out while a device connects,
    /// so it cannot know exactly how many are missing.
    pub(super) async fn publish_key_packages(
        &self,
        session: &Session,
        call: v1::PublishKeyPackages,
    ) -> Result<u32, Refusal> {
        let (account, device) = session.member()?;
        let mut packages = call.packages;
        packages.truncate(KEY_PACKAGE_STOCK as usize);
        self.limits.lookup(Some(account), session.peer, packages.len() as u32)?;
        let keys = self.keys();
        let day = Now::get().day();
        let stock = |package, last_resort| stock(&keys, device, day, package, last_resort);
        let mut normal: Vec<Stocked> =
            packages.into_iter().map(|package| stock(package, false)).collect::<Result<_, _>>()?;
        let last_resort = call.last_resort.map(|package| stock(package, true)).transpose()?;
        let replace = call.replace;
        write(&*self.store, move |tx| {
            if tx.mailbox(&device)?.is_none() {
                return Ok(Err(Refusal::new(Code::AuthFailed, "the device was revoked meanwhile")));
            }
            let held = if replace { 0 } else { tx.key_packages(&device)?.0 };
            normal.truncate(KEY_PACKAGE_STOCK.saturating_sub(held) as usize);
            let in_stock = held + normal.len() as u32;
            let stocked: Vec<Stocked> = normal.into_iter().chain(last_resort).collect();
            for it in &stocked {
                if tx.address(&it.target.hash)?.is_some() {
                    return Ok(Err(Refusal::bad_request(
                        "an address was used before; each package has a fresh one",
                    )));
                }
            }
            if replace {
                tx.clear_key_packages(&device)?;
            }
            for it in &stocked {
                tx.put_address(&it.target.hash, &it.value)?;
                tx.put_key_package(&device, it.last_resort, &it.package)?;
            }
            Ok(Ok(in_stock))
        })
        .await?
    }

    /// Handed out to anyone who knows the account: whether the introduction that follows is delivered is
    /// decided when it comes, and not told.
    pub(super) async fn fetch_key_packages(
        &self,
        session: &Session,
        call: v1::FetchKeyPackages,
    ) -> Result<v1::KeyPackagesAnswer, Refusal> {
        let (account, device) = session.member()?;
        if call.accounts.len() > MAX_FETCH {
            return Err(Refusal::bad_request(format!("at most {MAX_FETCH} accounts at once; ask in parts")));
        }
        let accounts: Vec<AccountId> =
            call.accounts.iter().map(|id| AccountId::from_slice(id)).collect::<Result<_, _>>()?;
        self.limits.lookup(Some(account), session.peer, accounts.len() as u32)?;
        let key = SealKey::of_key_packages(self.keys().storage());
        let today = Now::get().day();
        let packages = write(&*self.store, move |tx| {
            let mut packages = Vec::new();
            for account in accounts {
                // The chain of a deleted account may still be there.
                if tx.account(&account)?.is_none() {
                    continue;
                }
                // Nobody adds the device that they are at.
                let others = listed(&tx.chain(&account)?).into_iter().filter(|other| *other != device);
                for device in others {
                    if let Some(key_package) = take(tx, &key, &device, today)? {
                        packages.push(v1::DeviceKeyPackage {
                            account: account.to_field(),
                            device: device.to_field(),
                            key_package,
                        });
                    }
                }
            }
            Ok(packages)
        });
        Ok(v1::KeyPackagesAnswer { packages: packages.await? })
    }
}

fn stock(
    keys: &KeyRing,
    device: DeviceId,
    day: u32,
    package: v1::StockedKeyPackage,
    last_resort: bool,
) -> Result<Stocked, Refusal> {
    let bytes = package.key_package;
    if bytes.is_empty() || bytes.len() > MAX_KEY_PACKAGE {
        let text = format!("a key package has 1 to {MAX_KEY_PACKAGE} bytes, not {}", bytes.len());
        return Err(Refusal::new(Code::TooLarge, text));
    }
    let target = Target::tagged(keys, &Address::from_slice(&package.address)?, [0; 32]);
    let value = target.seal(&AddressValue::unbound(device, last_resort));
    let package = seal_key_package(&SealKey::of_key_packages(keys.storage()), &device, day, &bytes);
    Ok(Stocked { target, value, package, last_resort })
}

/// One package that is young enough; older ones are thrown away as they turn up.
fn take(tx: &mut dyn Tx, key: &SealKey, device: &DeviceId, today: u32) -> StoreResult<Option<Bytes>> {
    while let Some((sealed, last_resort)) = tx.take_key_package(device)? {
        match open_key_package(key, device, &sealed) {
            Some((day, package)) if today.saturating_sub(day) <= MAX_AGE_DAYS => return Ok(Some(package)),
            // The last resort stays where it is, so asking again would give the same.
            _ if last_resort => return Ok(None),
            _ => {}
        }
    }
    Ok(None)
}

/// The names of packages that are handed out no more, and whether the last resort will be for a good while.
pub(super) fn stale(
    key: &SealKey,
    device: &DeviceId,
    stocked: &[(i64, Vec<u8>, bool)],
    today: u32,
) -> (Vec<i64>, bool) {
    let (mut stale, mut last_resort_is_young) = (Vec::new(), false);
    for (name, sealed, last_resort) in stocked {
        let age = open_key_package(key, device, sealed).map(|(day, _)| today.saturating_sub(day));
        if age.is_none_or(|age| age > MAX_AGE_DAYS) {
            stale.push(*name);
        }
        last_resort_is_young |= *last_resort && age.is_some_and(|age| age <= RENEW_DAYS);
    }
    (stale, last_resort_is_young)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SqliteStore;

    #[tokio::test]
    async fn none_older_than_28_days_is_handed_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&dir.path().join("data")).expect("a store");
        let device = DeviceId([1; 16]);
        let key = || SealKey::of_key_packages(&[7; 32]);
        let put = move |tx: &mut dyn Tx, day: u32, last_resort| {
            tx.put_key_package(&device, last_resort, &seal_key_package(&key(), &device, day, &[day as u8]))
        };
        let taken = write(&store, move |tx| {
            put(tx, 71, false)?;
            put(tx, 72, false)?;
            put(tx, 71, true)?;
            let ordinary = take(tx, &key(), &device, 100)?;
            Ok([ordinary, take(tx, &key(), &device, 100)?, take(tx, &key(), &device, 99)?])
        });
        let package = |day: u8| Some(Bytes::from(vec![day]));
        assert_eq!(taken.await.expect("taken"), [package(72), None, package(71)]);
    }

    #[test]
    fn the_old_are_dropped_and_the_last_resort_is_renewed_in_time() {
        let (key, device) = (SealKey::of_key_packages(&[7; 32]), DeviceId([1; 16]));
        let row =
            |name, day, last_resort| (name, seal_key_package(&key, &device, day, b"package"), last_resort);
        let of = |rows: &[_]| stale(&key, &device, rows, 100);
        assert_eq!(of(&[row(1, 71, false), row(2, 72, false), row(3, 86, true)]), (vec![1], true));
        assert_eq!(of(&[row(1, 99, false), row(2, 85, true)]), (vec![], false));
        assert_eq!(of(&[row(1, 71, true), (2, b"damaged".to_vec(), true)]), (vec![1, 2], false));
        assert_eq!(of(&[]), (vec![], false));
    }
}
