//! `idle`: what a connection costs the server that has authenticated and says nothing.

use std::{fs, net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    common::{Memory, Progress, ROOMY, Report, Result, Server, memory},
    raw::{Client, Person, Place, Rounds, together},
};

/// Connections from one network address: well below the ports that it has.
const PER_ADDRESS: usize = 9000;
/// How long the server is left alone before its memory is read.
const REST: Duration = Duration::from_secs(3);

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Connections, each of an account of its own
    #[arg(long, default_value_t = 18_000)]
    connections: usize,
    /// Over TLS that ends at the server
    #[arg(long)]
    tls: bool,
    /// Rounds, each with a freshly started server over the same accounts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Runs it.
pub fn run(args: Args) -> Result {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(args))
}

async fn measure(args: Args) -> Result {
    let certificate = if args.tls { Some(Certificate::new()?) } else { None };
    let config = certificate.as_ref().map_or(ROOMY.to_owned(), |it| format!("{ROOMY}{}", it.config));
    let mut server = Server::start(&config)?;
    let trust = certificate.as_ref().map(|it| it.trust.clone());
    let people = register(&server, trust.clone(), args.connections).await?;
    let what = if args.tls { "idle, TLS" } else { "idle, plain" };
    let columns = ["connections", "bytes each", "bytes each, private", "MB before", "MB after"];
    let mut rounds = Rounds::new(what, columns);
    for round in 1..=args.rounds {
        // A fresh start: nothing that registering left in memory hides what a connection needs.
        server.stop()?;
        server.begin()?;
        let place = Place::new(server.url(), trust.clone())?;
        // The first connection makes what all share.
        let first =
            Client::connect(&place, people.first().ok_or("no connection was asked for")?.clone()).await?;
        let before = settled(&server).await?;
        let connected = connect(&place, &people[1..], &format!("connecting, round {round}")).await?;
        let after = settled(&server).await?;
        let count = connected.len() as f64;
        let each = |pick: fn(&Memory) -> u64| (pick(&after) as f64 - pick(&before) as f64) / count;
        let megabytes = |memory: Memory| memory.resident as f64 / 1e6;
        let figures = [each(|m| m.resident), each(|m| m.private), megabytes(before), megabytes(after)];
        rounds.add([count].into_iter().chain(figures));
        drop((first, connected));
    }
    let mut report = Report::new("idle");
    rounds.tell(&mut report);
    report.print();
    Ok(())
}

/// Makes the accounts, each over a connection that is closed again.
async fn register(server: &Server, trust: Trust, count: usize) -> Result<Vec<Arc<Person>>> {
    let place = Place::new(server.url(), trust)?;
    let progress = Progress::new("registering", count as u64);
    let joined = (0..count).map(|n| {
        let (place, progress) = (&place, &progress);
        async move {
            let person = Arc::new(Person::new());
            Client::join(place, person.clone(), source(n), true).await?;
            progress.add(1);
            Ok(person)
        }
    });
    let people = together(joined).await?;
    progress.finish();
    Ok(people)
}

async fn connect(place: &Place, people: &[Arc<Person>], what: &str) -> Result<Vec<Client>> {
    let progress = Progress::new(what, people.len() as u64);
    let connected = people.iter().enumerate().map(|(n, person)| {
        let progress = &progress;
        async move {
            let client = Client::join(place, person.clone(), source(n), false).await?;
            progress.add(1);
            Ok(client)
        }
    });
    let connected = together(connected).await?;
    progress.finish();
    Ok(connected)
}

/// The network address that a connection comes from.
fn source(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, 1 + (n / PER_ADDRESS) as u8)
}

async fn settled(server: &Server) -> Result<Memory> {
    sleep(REST).await;
    memory(server.pid()?)
}

/// Whom the connections trust, if they use TLS.
type Trust = Option<Arc<rustls::ClientConfig>>;

/// A certificate for this run.
struct Certificate {
    /// The server's part of the configuration.
    config: String,
    trust: Arc<rustls::ClientConfig>,
    /// Where the files are; gone with this.
    _folder: tempfile::TempDir,
}

impl Certificate {
    fn new() -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let folder = tempfile::tempdir()?;
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        fs::write(&chain, made.cert.pem())?;
        fs::write(&key, made.signing_key.serialize_pem())?;
        let config = format!("\n[tls]\ncertificate = {chain:?}\nkey = {key:?}\n");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone())?;
        let trust =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
        Ok(Self { config, trust: Arc::new(trust), _folder: folder })
    }
}
