//! `--config FILE`: limits, retention and registration, in TOML. Every value has a default.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de::Error as _};
use zegel_safety::Policy;

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The domain in URIs and authentication signatures.
    pub domain: String,
    /// The app that new accounts belong to.
    pub app: String,
    /// Who may register.
    pub registration: Registration,
    /// Serve TLS with these files; without them, put a proxy that does in front.
    pub tls: Option<Tls>,
    /// Proxies in front, by address: what comes from one counts, in rate limits, as coming from the last address
    /// in its `X-Forwarded-For`. From anybody else that header is ignored.
    pub trusted_proxies: Vec<IpAddr>,
    /// The key directory.
    pub directory: Directory,
    /// Where reports are dealt with.
    pub desk: Desk,
    /// The safety rules: a file like the one that `zegel-server safety` prints; by default those that ship with Zegel.
    #[serde(deserialize_with = "safety_file")]
    pub safety: Policy,
    /// How long things are kept.
    pub retention: Retention,
    /// How much is allowed.
    pub limits: Limits,
}

/// Who may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anybody.
    #[default]
    Open,
    /// Only with an invite that `zegel-server invite` made.
    Invite,
}

/// Certificate files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM chain, leaf first.
    pub certificate: PathBuf,
    /// PEM private key.
    pub key: PathBuf,
}

/// The key directory's pace and memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Directory {
    /// Time between two epochs, if anything changed; milliseconds, from 100 to 60 000: clients take a promise that is
    /// not kept within ten minutes for a lie.
    pub epoch_ms: u64,
    /// The most memory that the tree takes beside what the store's own cache has; MiB.
    pub cache_mib: usize,
}

/// The desk's pages, and where cases are filed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Desk {
    /// Where a browser opens the desk, such as `https://desk.example.org`; passkeys are bound to it. By default
    /// `localhost` with the port that the server listens on, which is for trials.
    pub origin: Option<String>,
    /// The authority that cases are filed with; without it none can be.
    pub filing: Option<Filing>,
}

/// An authority that takes reports as NCMEC's reporting interface does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filing {
    /// Its address, such as `https://report.cybertip.org/ispws`; https, but for this machine itself.
    pub url: String,
    /// Who the service is there.
    pub user: String,
    /// A file with the password, read whenever something is filed.
    pub password_file: PathBuf,
    /// Who reports: a person whom the authority can ask.
    pub reporter_name: String,
    /// Their e-mail address.
    pub reporter_email: String,
}

/// How long things are kept; a sweeper deletes what is older.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Mail that nobody fetched, sealed trees and shared payloads; days. The sigchain of a deleted account stays 28
    /// days longer, so that who joins a group by such mail can still verify it.
    pub mail_days: u32,
    /// Remembered answers to submissions; hours.
    pub answer_hours: u32,
    /// Heads of conversations that nobody used; days.
    pub head_days: u32,
    /// Cases with their reports, and statements to people, after the last thing that was done; days. At least as long
    /// as a decision may be appealed (184 days).
    pub case_days: u32,
    /// Time between two sweeps; seconds.
    pub sweep_seconds: u64,
    /// Accounts (by handle) whose rows no sweep may delete: a legal hold. Only what is already held is kept.
    pub legal_hold: Vec<String>,
}

/// A rate: a burst, refilled evenly.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// How many more in an hour.
    pub per_hour: u32,
}

/// Rate limits: the one table (DESIGN.md section 6).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Registrations from one network address (in memory only).
    pub register_per_address: Rate,
    /// Connections opened from one network address (in memory only).
    pub connect_per_address: Rate,
    /// Submissions of one device.
    pub submit_per_device: Rate,
    /// Acknowledgements, parts of blobs fetched, and addresses accepted or deleted by one device.
    pub calls_per_device: Rate,
    /// Introductions to newcomers (each counts) by one account.
    pub introduce_per_account: Rate,
    /// Look-ups of accounts and key packages by one account.
    pub lookup_per_account: Rate,
    /// Look-ups of accounts before authentication from one network address.
    pub lookup_per_address: Rate,
    /// Roots and proofs of the key directory fetched over HTTP from one network address (auditors), and the safety
    /// rules and pages.
    pub audit_per_address: Rate,
    /// Attempts to join or to sign in at the desk from one network address: each begins a ceremony that the server
    /// has to remember, or tries a code.
    pub desk_per_address: Rate,
    /// Bytes of blobs uploaded by one account, in KiB.
    pub blob_kib_per_account: Rate,
    /// Contact codes left by one account.
    pub code_per_account: Rate,
    /// Connection tokens left by one account, for its friends.
    pub connection_per_account: Rate,
    /// Reports by one account.
    pub report_per_account: Rate,
    /// Appeals by one account.
    pub appeal_per_account: Rate,
    /// Entries an address takes before its introduction is accepted.
    pub unaccepted_entries: u32,
    /// Seconds a connection may stay without authenticating.
    pub authenticate_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            domain: "localhost".into(),
            app: "zegel".into(),
            registration: Registration::Open,
            tls: None,
            trusted_proxies: Vec::new(),
            directory: Directory::default(),
            desk: Desk::default(),
            safety: Policy::shipped(),
            retention: Retention::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Directory {
    fn default() -> Self {
        Self { epoch_ms: zegel_directory::EPOCH_MS, cache_mib: 64 }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            mail_days: 28,
            answer_hours: 48,
            head_days: 365,
            case_days: 400,
            sweep_seconds: 300,
            legal_hold: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let rate = |burst, per_hour| Rate { burst, per_hour };
        Self {
            register_per_address: rate(20, 20),
            connect_per_address: rate(600, 36_000),
            submit_per_device: rate(600, 36_000),
            calls_per_device: rate(20_000, 720_000),
            introduce_per_account: rate(300, 600),
            lookup_per_account: rate(1200, 3_600),
            lookup_per_address: rate(60, 600),
            audit_per_address: rate(20_000, 360_000),
            desk_per_address: rate(30, 60),
            blob_kib_per_account: rate(128 << 10, 512 << 10),
            code_per_account: rate(20, 20),
            connection_per_account: rate(1000, 60),
            report_per_account: rate(10, 20),
            appeal_per_account: rate(10, 10),
            unaccepted_entries: 1000,
            authenticate_seconds: 15,
        }
    }
}

/// The rules in the file that is named.
fn safety_file<'de, D: Deserializer<'de>>(path: D) -> Result<Policy, D::Error> {
    read_safety(&PathBuf::deserialize(path)?).map_err(D::Error::custom)
}

fn read_safety(path: &Path) -> Result<Policy, ConfigError> {
    let error = |why: String| ConfigError::Safety { path: path.to_owned(), why };
    let text = std::fs::read_to_string(path)
        .map_err(|e| error(format!("{e}; try another path at `safety` in the configuration")))?;
    Policy::read_own(&text).map_err(|e| {
        let why = e.to_string();
        error(why.strip_prefix("while reading the safety rules: ").unwrap_or(&why).to_owned())
    })
}

/// The file that a configuration names.
#[derive(Deserialize)]
struct Named {
    safety: Option<PathBuf>,
}

/// A configuration file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The configuration itself.
    #[error("while reading the configuration {path}: {why}; mend the file and start again")]
    File {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The safety rules that it names.
    #[error("while reading the safety rules {path}: {why}")]
    Safety {
        /// Where they are.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Config {
    /// Reads a file, or gives the defaults for none.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let error = |why: String| ConfigError::File { path: path.to_owned(), why };
        let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        // First by itself: what is wrong in that file is on no line of this one.
        if let Ok(Named { safety: Some(file) }) = toml::from_str(&text) {
            read_safety(&file)?;
        }
        toml::from_str(&text).map_err(|e| error(e.to_string()))
    }
}
