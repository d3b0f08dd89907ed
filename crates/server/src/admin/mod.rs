//! What operators type: `zegel-server COMMAND`. Every command works beside a running server, which notices
//! within a second, and on a stopped one.
//!
//! *Invariant:* a command's result goes to standard output and holds no secret, but for an invite's code and the link
//! of an invitation to the desk, once.

mod backup;
mod desk;
mod holdings;
mod invite;
mod restore;
mod safety;
mod verify;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand, ValueEnum};
use zegel_cases::Role;
use zegel_proto::{AccountId, v1::AgeBand};
use zegel_safety::{Policy, PolicyError};

use crate::{
    clock::Now,
    config::ConfigError,
    keys::{KeyFileError, KeyRing},
    service::{
        DirectoryError,
        desk::{NameError, hold, release_guardian},
    },
    store::{self, AccountState, SqliteStore, Store, StoreError, Tx},
};

/// An operator's command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes an invite and prints its code, once; only the code's hash is kept
    Invite {
        /// Where it works.
        #[command(flatten)]
        place: Place,
        /// The age band of whoever registers with it; without it they state their own
        #[arg(long)]
        age: Option<Age>,
        /// All accounts that show it are one person's: who blocks one of them has blocked them all
        #[arg(long)]
        for_one: bool,
        /// How often it may be used: to register, or (with --age) to become older
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        uses: u32,
        /// How many days it is good for
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// Suspends an account and ends its connections, or lifts that
    ///
    /// The desk's log says that it was done, and not to whom. What the desk decided about an account stays: only an
    /// appeal changes that.
    Suspend {
        /// Where it works.
        #[command(flatten)]
        place: Place,
        /// The account's handle
        handle: String,
        /// Lets the account connect again
        #[arg(long)]
        lift: bool,
    },
    /// Lets a child's account have another guardian, when the one it had is blocked, gone (lost device, deleted account) or
    /// no good
    ///
    /// A child who blocks a guardian has left them; the service learns nothing of that and keeps the account guarded until
    /// this is typed. The guardian is not told. Where the two are still linked it changes nothing for long: the child's device tells
    /// the service again. So a child with a guardian who is no good blocks them first.
    ReleaseGuardian {
        /// Where it works.
        #[command(flatten)]
        place: Place,
        /// The child's handle
        handle: String,
    },
    /// Puts a new stamp key in use; the old one verifies reports for 90 days more
    RotateKeys {
        /// Where it works.
        #[command(flatten)]
        place: Place,
    },
    /// Puts a new signing key of the key directory in use; the old one names it and is destroyed
    ///
    /// Clients and auditors follow from the old key to the new one. The other key of the directory, which places
    /// handles in its tree (VRF), has no rotation: under another one the whole tree would be another, and nobody
    /// could check what became of the old. Who steals it can find out which handles are in the directory, and can
    /// change nothing in it.
    ///
    /// Make a new copy of the key file then: once the new key has signed, the server starts with no older one.
    RotateDirectoryKey {
        /// Where it works.
        #[command(flatten)]
        place: Place,
    },
    /// Copies the data into a new folder, consistently. The key file is not part of it: keep a copy elsewhere
    Backup {
        /// Where it works.
        #[command(flatten)]
        place: Place,
        /// A folder that is not there yet, or is empty
        to: PathBuf,
    },
    /// Brings a backup back into an empty data folder of a stopped server
    ///
    /// The key directory goes back with it. Epochs that were published after the backup are lost, and whoever saw
    /// one of them is alarmed: to them it cannot be told from a lie. Say publicly what happened.
    Restore {
        /// Where it works.
        #[command(flatten)]
        place: Place,
        /// The folder that `backup` made
        from: PathBuf,
    },
    /// Checks the structure of the store, and that the key directory is one history
    ///
    /// With --keys the signatures of the directory's roots are verified too.
    Verify {
        /// Where it works.
        #[command(flatten)]
        place: Place,
    },
    /// Invites somebody to the desk and prints the link, once; it is good for 24 hours and for one person
    ///
    /// An older link for the same name ends. `desk-remove` takes an invitation back.
    DeskInvite {
        /// Where it works.
        #[command(flatten)]
        place: Place,
        /// What they are there for
        role: DeskRole,
        /// Their name in the desk's log; never given twice
        #[arg(long)]
        name: String,
        /// Where the desk is opened, such as https://desk.example.org; otherwise that of the configuration
        #[arg(long)]
        origin: Option<String>,
        /// The configuration that the server was started with
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Shows who is, was and is invited to be at the desk
    DeskStaff {
        /// Where it works.
        #[command(flatten)]
        place: Place,
    },
    /// Takes somebody's place at the desk away, for good, or the invitation that they have not used
    DeskRemove {
        /// Where it works.
        #[command(flatten)]
        place: Place,
        /// Their name
        name: String,
    },
    /// Prints the safety rules that ship with Zegel; with a file, checks it and shows what differs from them
    ///
    /// Copy what is printed, change numbers and sources, and name the copy in the configuration (`safety = "FILE"`).
    /// What changed is shown at /safety and told to everybody.
    Safety {
        /// Rules of your own
        file: Option<PathBuf>,
    },
    /// Shows what the server holds, why and for how long; with a handle, what it holds about that account
    Holdings {
        /// Where it works.
        #[command(flatten)]
        place: Place,
        /// The account's handle
        handle: Option<String>,
    },
}

/// Where a command works.
#[derive(Debug, Args)]
pub struct Place {
    /// The data folder
    #[arg(long)]
    data: PathBuf,
    /// The key file
    #[arg(long)]
    keys: Option<PathBuf>,
}

/// An age band, as operators type it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Age {
    /// Up to and including 12 years.
    Child,
    /// 13 to 17 years.
    Teen,
    /// 18 years and more.
    Adult,
}

impl From<Age> for AgeBand {
    fn from(age: Age) -> Self {
        match age {
            Age::Child => Self::Child,
            Age::Teen => Self::Teen,
            Age::Adult => Self::Adult,
        }
    }
}

/// What somebody is at the desk for, as operators type it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DeskRole {
    /// Looks into cases and decides them.
    Moderator,
    /// Also bans, and lets evidence out.
    Senior,
    /// Sees and verifies the log, and no case.
    Auditor,
}

impl From<DeskRole> for Role {
    fn from(role: DeskRole) -> Self {
        match role {
            DeskRole::Moderator => Self::Moderator,
            DeskRole::Senior => Self::Senior,
            DeskRole::Auditor => Self::Auditor,
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// No account has the handle.
    #[error(
        "while looking for @{0}: no account has this handle; try it as its owner writes it, without the @"
    )]
    NoAccount(String),
    /// What the desk decided is no operator's to lift.
    #[error(
        "while lifting the suspension of @{0}: the account is {1} because the desk decided so; try an appeal of its \
         owner (`zegel appeal`)"
    )]
    DeskDecided(String, &'static str),
    /// The key directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A name for the desk.
    #[error(transparent)]
    DeskName(#[from] NameError),
    /// Where the desk is opened.
    #[error(transparent)]
    DeskOrigin(#[from] zegel_desk::OriginError),
    /// The safety rules.
    #[error(transparent)]
    Safety(#[from] PolicyError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nobody at the desk has the name.
    #[error(
        "while looking for {0:?} at the desk: there is nobody of this name, and nobody is invited under it; see `zegel-server desk-staff`"
    )]
    NobodyAtDesk(String),
    /// The command needs the key file.
    #[error("while looking for the key file: it was not named; try --keys FILE")]
    NoKeys,
    /// A folder or a file.
    #[error("while {doing} {path}: {why}; try {hint}")]
    Folder {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What is wrong.
        why: String,
        /// What may help.
        hint: &'static str,
    },
    /// The store is damaged.
    #[error("while verifying: {0} faults were found and listed; try `zegel-server restore` with a backup")]
    Damaged(usize),
}

/// Carries a command out.
pub async fn run(command: Command) -> Result<(), AdminError> {
    match command {
        Command::Invite { place, age, for_one, uses, days } => {
            let (age, last_day) = (age.map(AgeBand::from), Now::get().day() + days);
            let code = invite::make(&place.store()?, age, uses, for_one, last_day).await?;
            println!("{code}");
        }
        Command::Suspend { place, handle, lift } => {
            let state = suspend(&place.store()?, &handle, !lift).await?;
            println!("@{} is {}", plain(&handle), state.word());
        }
        Command::ReleaseGuardian { place, handle } => {
            let had = release_guardian(&place.store()?, plain(&handle)).await?;
            let had = had.ok_or_else(|| AdminError::NoAccount(handle.clone()))?;
            let says = if had { "may have another guardian now" } else { "had no guardian" };
            println!("@{} {says}", plain(&handle));
        }
        Command::RotateKeys { place } => {
            let id = place.keys()?.ok_or(AdminError::NoKeys)?.rotate_franking(Now::get())?;
            println!("stamp key {id} is in use");
        }
        Command::RotateDirectoryKey { place } => {
            let number = place.keys()?.ok_or(AdminError::NoKeys)?.rotate_directory()?;
            println!("directory key {number} is in use; copy the key file anew: older copies are refused");
        }
        Command::Backup { place, to } => backup::run(&place.store()?, &place.data, &to)?,
        Command::Restore { place, from } => restore::run(&from, &place.data)?,
        Command::Verify { place } => verify::run(Arc::new(place.store()?), place.keys()?.as_ref()).await?,
        Command::DeskInvite { place, role, name, origin, config } => {
            let link = desk::invite(&place.store()?, role.into(), &name, origin, config.as_deref()).await?;
            println!("{link}");
            if link.starts_with('/') {
                eprintln!(
                    "Open this path where the desk is: behind https://, or for a trial at http://localhost:PORT with the port \
                     that the server listens on. `--origin` or `--config` makes a whole link."
                );
            }
        }
        Command::DeskStaff { place } => {
            let lines = desk::list(&place.store()?).await?;
            lines.iter().for_each(|line| println!("{line}"));
            if lines.is_empty() {
                println!("nobody yet");
            }
        }
        Command::DeskRemove { place, name } => {
            println!("{}", desk::remove(&place.store()?, &name).await?);
        }
        Command::Safety { file: None } => print!("{}", Policy::shipped_text()),
        Command::Safety { file: Some(file) } => println!("{}", safety::compare(&file)?),
        Command::Holdings { handle: None, .. } => print!("{}", holdings::list()),
        Command::Holdings { place, handle: Some(handle) } => {
            println!("{}", holdings::about(&place.store()?, place.keys()?, handle).await?);
        }
    }
    Ok(())
}

impl Place {
    /// The store, beside a server that may be running. A mistyped path makes no new one.
    fn store(&self) -> Result<SqliteStore, AdminError> {
        existing(&self.data, "opening the data folder", "the --data that the server was started with")?;
        Ok(SqliteStore::open_beside(&self.data)?)
    }

    /// The key file, if it was named.
    fn keys(&self) -> Result<Option<KeyRing>, AdminError> {
        let Some(path) = self.keys.as_deref() else { return Ok(None) };
        let path = existing(path, "opening the key file", "the --keys that the server was started with")?;
        Ok(Some(KeyRing::load(path, &self.data)?))
    }
}

/// Refuses a path where nothing is.
fn existing<'a>(path: &'a Path, doing: &'static str, hint: &'static str) -> Result<&'a Path, AdminError> {
    let why = match path.try_exists() {
        Ok(true) => return Ok(path),
        Ok(false) => "it is not there".into(),
        Err(error) => error.to_string(),
    };
    Err(AdminError::Folder { doing, path: path.to_owned(), why, hint })
}

/// A handle without the @ that it may be typed with.
fn plain(handle: &str) -> &str {
    handle.trim_start_matches('@')
}

/// The account that a handle names.
fn account_of(tx: &mut dyn Tx, handle: &str) -> store::StoreResult<Option<AccountId>> {
    tx.account_of_handle(plain(handle))
}

async fn suspend(store: &dyn Store, handle: &str, held: bool) -> Result<AccountState, AdminError> {
    let found = hold(store, plain(handle), held).await?;
    let (account, changed) = found.ok_or_else(|| AdminError::NoAccount(handle.to_owned()))?;
    let state = account.state_on(Now::get().day());
    match held || changed || state.may_connect() {
        true => Ok(state),
        false => Err(AdminError::DeskDecided(plain(handle).to_owned(), state.word())),
    }
}
