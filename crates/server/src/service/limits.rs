//! Rate limits: the table in the configuration, counted in memory only.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use zegel_proto::{AccountId, DeviceId, RoomId};

use super::refusal::Refusal;
use crate::config::{self, Rate};

/// How often a device may ask to rejoin a conversation, and how often an address takes such a request.
const REJOIN: Duration = Duration::from_secs(8 * 3600);
const REJOIN_BURST: NonZeroU32 = NonZeroU32::new(3).expect("three is not zero");
/// What a part of a blob costs at least, in bytes: it is a file's work, however small.
const BLOB_LEAST: usize = 4096;
/// What a refusal names when more was asked for at once than ever fits.
const NEVER_MS: u64 = 3_600_000;

/// One limit, kept for each key.
struct Limit<K: Hash + Eq + Clone>(DefaultKeyedRateLimiter<K>);

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(rate: Rate) -> Self {
        let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_hour(at_least_one(rate.per_hour)).allow_burst(at_least_one(rate.burst));
        Self(RateLimiter::keyed(quota))
    }

    fn check(&self, key: &K, n: u32) -> Result<(), Refusal> {
        let Some(n) = NonZeroU32::new(n) else { return Ok(()) };
        match self.0.check_key_n(key, n) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                Err(Refusal::rate_limited(wait.as_millis() as u64 + 1))
            }
            Err(_) => Err(Refusal::rate_limited(NEVER_MS)),
        }
    }

    /// Forgets who has not come lately.
    fn shrink(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

/// All limits.
pub(super) struct Limits {
    register: Limit<IpAddr>,
    connect: Limit<IpAddr>,
    lookup_unknown: Limit<IpAddr>,
    audit: Limit<IpAddr>,
    desk: Limit<IpAddr>,
    submit: Limit<DeviceId>,
    call: Limit<DeviceId>,
    introduce: Limit<AccountId>,
    lookup: Limit<AccountId>,
    blob_kib: Limit<AccountId>,
    code: Limit<AccountId>,
    connection: Limit<AccountId>,
    report: Limit<AccountId>,
    appeal: Limit<AccountId>,
    rejoin: Limit<(DeviceId, RoomId)>,
    rejoin_at: Limit<[u8; 32]>,
}

impl Limits {
    pub(super) fn new(table: &config::Limits) -> Self {
        let rejoin = Quota::with_period(REJOIN).map(|quota| quota.allow_burst(REJOIN_BURST));
        let rejoin = rejoin.expect("eight hours are not zero");
        Self {
            register: Limit::new(table.register_per_address),
            connect: Limit::new(table.connect_per_address),
            lookup_unknown: Limit::new(table.lookup_per_address),
            audit: Limit::new(table.audit_per_address),
            desk: Limit::new(table.desk_per_address),
            submit: Limit::new(table.submit_per_device),
            call: Limit::new(table.calls_per_device),
            introduce: Limit::new(table.introduce_per_account),
            lookup: Limit::new(table.lookup_per_account),
            blob_kib: Limit::new(table.blob_kib_per_account),
            code: Limit::new(table.code_per_account),
            connection: Limit::new(table.connection_per_account),
            report: Limit::new(table.report_per_account),
            appeal: Limit::new(table.appeal_per_account),
            rejoin: Limit(RateLimiter::keyed(rejoin)),
            rejoin_at: Limit(RateLimiter::keyed(rejoin)),
        }
    }

    pub(super) fn register(&self, peer: IpAddr) -> Result<(), Refusal> {
        self.register.check(&network(peer), 1)
    }
    pub(super) fn connect(&self, peer: IpAddr) -> Result<(), Refusal> {
        self.connect.check(&network(peer), 1)
    }
    /// A look-up by an account, or by an address before it authenticated.
    pub(super) fn lookup(&self, account: Option<AccountId>, peer: IpAddr, n: u32) -> Result<(), Refusal> {
        match account {
            Some(account) => self.lookup.check(&account, n),
            None => self.lookup_unknown.check(&network(peer), n),
        }
    }
    /// A page of the key directory, fetched over HTTP.
    pub(super) fn audit(&self, peer: IpAddr) -> Result<(), Refusal> {
        self.audit.check(&network(peer), 1)
    }
    /// An attempt to join or to sign in at the desk.
    pub(super) fn desk(&self, peer: IpAddr) -> Result<(), Refusal> {
        self.desk.check(&network(peer), 1)
    }
    pub(super) fn submit(&self, device: DeviceId) -> Result<(), Refusal> {
        self.submit.check(&device, 1)
    }
    /// Small calls that have no limit of their own.
    pub(super) fn call(&self, device: DeviceId, n: u32) -> Result<(), Refusal> {
        self.call.check(&device, n)
    }
    pub(super) fn introduce(&self, account: AccountId, newcomers: u32) -> Result<(), Refusal> {
        self.introduce.check(&account, newcomers)
    }
    pub(super) fn blob(&self, account: AccountId, bytes: usize) -> Result<(), Refusal> {
        self.blob_kib.check(&account, bytes.max(BLOB_LEAST).div_ceil(1024) as u32)
    }
    /// Contact codes that are left, or connection tokens.
    pub(super) fn tokens(&self, account: AccountId, connection: bool, n: u32) -> Result<(), Refusal> {
        let limit = if connection { &self.connection } else { &self.code };
        limit.check(&account, n)
    }
    pub(super) fn report(&self, account: AccountId) -> Result<(), Refusal> {
        self.report.check(&account, 1)
    }
    pub(super) fn appeal(&self, account: AccountId) -> Result<(), Refusal> {
        self.appeal.check(&account, 1)
    }
    pub(super) fn rejoin(&self, device: DeviceId, room: RoomId) -> Result<(), Refusal> {
        self.rejoin.check(&(device, room), 1)
    }
    /// Whether an address (by its hash) may take one more request to rejoin, from whomever.
    pub(super) fn rejoin_at(&self, address: &[u8; 32]) -> bool {
        self.rejoin_at.check(address, 1).is_ok()
    }

    pub(super) fn shrink(&self) {
        for limit in [&self.register, &self.connect, &self.lookup_unknown, &self.audit, &self.desk] {
            limit.shrink();
        }
        for limit in [&self.introduce, &self.lookup, &self.blob_kib, &self.code, &self.connection] {
            limit.shrink();
        }
        for limit in [&self.report, &self.appeal] {
            limit.shrink();
        }
        self.submit.shrink();
        self.call.shrink();
        self.rejoin.shrink();
        self.rejoin_at.shrink();
    }
}

/// Whoever has one IPv6 address has its whole /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_burst_one_waits() {
        let limit = Limit::new(Rate { burst: 2, per_hour: 60 });
        assert!(limit.check(&1, 2).is_ok() && limit.check(&2, 1).is_ok());
        let refusal = zegel_proto::v1::Error::from(limit.check(&1, 1).expect_err("refused"));
        assert!((50_000..=60_001).contains(&refusal.retry_after_ms), "{}", refusal.retry_after_ms);
        assert!(limit.check(&3, 3).is_err(), "never fits");
    }

    #[test]
    fn neighbours_in_a_64_count_as_one() {
        let ip = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(ip("2001:db8::1"), ip("2001:db8::2"));
        assert_ne!(ip("2001:db8::1"), ip("2001:db8:0:1::1"));
        assert_eq!(ip("::ffff:10.0.0.1"), ip("10.0.0.1"));
        assert_ne!(ip("10.0.0.1"), ip("10.0.0.2"));
    }
}
