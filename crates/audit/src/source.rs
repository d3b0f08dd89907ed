//! What the service, or another auditor, answers over HTTP.

use std::{
    io::Read,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use ureq::tls::{PemItem, RootCerts, TlsConfig};
use zegel_directory::{Lie, SignedRoot, SignerLink};
use zegel_proto::{Message, v1};

use crate::Failure;

/// No root or statement is longer, bytes.
pub(crate) const SMALL: u64 = 1 << 20;
/// No proof is longer, bytes.
pub(crate) const LARGE: u64 = zegel_directory::MAX_PROOF as u64;
/// How long the service may make us wait for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many questions are under way at once.
const HANDS: usize = 4;

/// Asks one server.
pub(crate) struct Source {
    agent: ureq::Agent,
    base: String,
}

/// What the service shows for an epoch.
#[derive(Clone)]
pub(crate) struct Shown {
    pub root: SignedRoot,
    pub signers: Vec<SignerLink>,
    pub domain: String,
}

impl Source {
    /// `ca`: certificates to trust instead of the usual ones.
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        let base = url.trim_end_matches('/');
        if !base.starts_with("https://") && !base.starts_with("http://") {
            let fix = "one like https://chat.example.org";
            return Err(Failure::own("reading the options", format!("{url:?} is no URL of a server"), fix));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(120)))
            .user_agent(concat!("zegel-audit/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(trusted(ca)?).build());
        Ok(Self { agent: config.build().into(), base: base.into() })
    }

    /// The URL, as it is compared and shown.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// The body of an answer; `None` if there is no such thing. A body that is longer than `most` is cut after one byte
    /// more. Waits when it is told to ask more slowly.
    pub fn get(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, Failure> {
        let url = format!("{}{path}", self.base);
        let failed = |why: &dyn std::fmt::Display| Failure::unreachable(format!("asking {url}"), why);
        let mut waited = Duration::ZERO;
        loop {
            let mut answer = self.agent.get(&url).call().map_err(|error| failed(&error))?;
            match answer.status().as_u16() {
                200 => {
                    let mut body = Vec::new();
                    let read = answer.body_mut().as_reader().take(most + 1).read_to_end(&mut body);
                    return read.map(|_| Some(body)).map_err(|error| failed(&error));
                }
                404 | 410 => return Ok(None),
                429 if waited < PATIENCE => {
                    let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
                    let seconds = asked.and_then(|seconds| seconds.parse().ok()).unwrap_or(1);
                    let pause = Duration::from_secs(seconds).clamp(Duration::from_secs(1), PATIENCE);
                    std::thread::sleep(pause);
                    waited += pause;
                }
                other => return Err(failed(&format!("the answer has status {other}"))),
            }
        }
    }

    /// Several at once, in the order of the paths; none where the body is longer than `most`: to be asked for alone, so
    /// that no more than that is held of each.
    pub fn get_all(&self, paths: &[String], most: u64) -> Vec<Option<Result<Option<Vec<u8>>, Failure>>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some((at, path)) =
                Some(next.fetch_add(1, Relaxed)).and_then(|at| Some((at, paths.get(at)?)))
            {
                done.push((at, self.get(path, most)));
            }
            done
        };
        let mut answers: Vec<_> = std::thread::scope(|scope| {
            let hands: Vec<_> = (0..HANDS.min(paths.len())).map(|_| scope.spawn(work)).collect();
            hands.into_iter().flat_map(|hand| hand.join().expect("asking does not panic")).collect()
        });
        answers.sort_by_key(|(at, _)| *at);
        let short = |answer: &Result<Option<Vec<u8>>, Failure>| !matches!(answer, Ok(Some(body)) if body.len() as u64 > most);
        answers.into_iter().map(|(_, answer)| Some(answer).filter(short)).collect()
    }
}

fn trusted(ca: Option<&Path>) -> Result<RootCerts, Failure> {
    let Some(path) = ca else { return Ok(RootCerts::WebPki) };
    let doing = format!("reading the certificates in {}", path.display());
    let wrong = |why: &dyn std::fmt::Display| Failure::own(doing.clone(), why, "a PEM file of certificates");
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(&error))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() { Err(wrong(&"there is none")) } else { Ok(RootCerts::from(certificates)) }
}

/// Where the service shows the root of an epoch; `None` is the newest.
pub(crate) fn root_path(epoch: Option<u64>) -> String {
    let epoch = epoch.map_or_else(String::new, |epoch| format!("/{epoch}"));
    format!("/v1/directory/root{epoch}")
}

/// The name of the proof that epoch `epoch` only added: what AKD auditors call an audit blob's name.
pub(crate) fn proof_name(epoch: u64, before: &[u8; 32], after: &[u8; 32]) -> String {
    format!("{epoch}/{}/{}", hex::encode(before), hex::encode(after))
}

/// Reads what came from [`root_path`].
pub(crate) fn read_root(bytes: &[u8]) -> Result<Shown, Lie> {
    let form = |_| Lie::Form("a root");
    let answer = v1::RootAnswer::decode(bytes).map_err(|_| Lie::Form("a root"))?;
    let root = answer.root.as_ref().ok_or(Lie::Form("a root"))?;
    let root = SignedRoot::try_from(root).map_err(form)?;
    let signers = answer.signers.iter().map(SignerLink::try_from).collect::<Result<_, _>>()?;
    Ok(Shown { root, signers, domain: answer.domain })
}
