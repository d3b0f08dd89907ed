//! Follows the directory: asks, checks, remembers.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use zegel_directory::{Lie, SeenRoot, SignerLink};

use crate::{
    Charge, Exhibit, Failure, Finding, check, now_ms,
    seen::SeenRoots,
    source::{SMALL, Shown, Source, read_root, root_path},
    state::{State, beside},
};

/// How long something may be missing or older, unless told otherwise: longer than a restart, or than a cache keeps.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest pause between two looks at something that is not in order.
const PAUSE: Duration = Duration::from_secs(1);

/// What to follow, and where to remember it.
#[derive(Clone, Debug)]
pub struct Options {
    /// URL of the service.
    pub server: String,
    /// The state file; others are made beside it, their names beginning with its name.
    pub state: PathBuf,
    /// Follow nothing but this domain; if left out, whatever domain the service says at the first meeting.
    pub domain: Option<String>,
    /// Certificates to trust instead of the usual ones, PEM.
    pub ca: Option<PathBuf>,
    /// URLs of other auditors to compare with.
    pub peers: Vec<String>,
    /// Where to keep the proofs, in the layout of AKD's audit blobs.
    pub keep: Option<PathBuf>,
    /// How long what no two signatures prove must stay wrong before it is called a lie.
    pub patience: Duration,
}

impl Options {
    /// The usual ones.
    pub fn new(server: &str, state: &Path) -> Self {
        let state = state.to_owned();
        let (server, peers) = (server.into(), Vec::new());
        Self { server, state, domain: None, ca: None, peers, keep: None, patience: PATIENCE }
    }
}

/// How far the auditor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The domain that it follows.
    pub domain: String,
    /// The newest root that it checked.
    pub seen: SeenRoot,
    /// How many epochs it checked this time.
    pub new: u64,
    /// The newest epoch that the service shows; what is between is still to be checked.
    pub newest: u64,
    /// How many lies this state knows of, from earlier runs.
    pub lies: u64,
    /// The directory's keys.
    pub signers: Vec<SignerLink>,
}

/// Something that is not in order, and not yet a lie.
struct Doubt {
    since: Instant,
    /// It is settled when the auditor has checked this epoch.
    until: u64,
}

/// Follows one directory. It blocks.
pub struct Auditor {
    pub(crate) source: Source,
    pub(crate) peers: Vec<Source>,
    pub(crate) seen: SeenRoots,
    pub(crate) state: Option<State>,
    pub(crate) options: Options,
    doubt: Option<Doubt>,
    /// Which auditors see another directory, and the file that shows it: one each, however often they are asked.
    pub(crate) apart: BTreeMap<String, PathBuf>,
}

impl Auditor {
    /// Reads the state, if there is one. Asks nobody yet.
    pub fn open(options: Options) -> Result<Self, Failure> {
        let ca = options.ca.as_deref();
        let source = Source::new(&options.server, ca)?;
        let peers = options.peers.iter().map(|url| Source::new(url, ca)).collect::<Result<_, _>>()?;
        let mut seen = SeenRoots::open(Self::roots_file(&options.state))?;
        let state = State::load(&options.state)?;
        seen.go_on_after(state.as_ref().map(|state| state.view.latest().seen()).as_ref())?;
        if let (Some(asked), Some(state)) = (&options.domain, &state)
            && asked != state.view.domain()
        {
            return Err(other_directory(&options.state, state));
        }
        Ok(Self { source, peers, seen, state, options, doubt: None, apart: BTreeMap::new() })
    }

    /// The file beside the state in which every checked root is.
    pub(crate) fn roots_file(state: &Path) -> PathBuf {
        beside(state, ".roots")
    }

    /// How far it is; `None` before the first meeting.
    pub fn progress(&self) -> Option<Progress> {
        let state = self.state.as_ref()?;
        Some(state.progress(state.view.latest().root.epoch, state.view.latest().root.epoch))
    }

    /// Looks, and looks again as long as there is only a doubt. The progress counts all of these looks.
    pub fn catch_up(&mut self, mut told: impl FnMut(&Progress)) -> Result<Progress, Failure> {
        let begun = self.epoch();
        loop {
            match self.look(&mut told) {
                Err(Failure::Doubtful { .. }) => thread::sleep(PAUSE.min(self.options.patience)),
                Ok(progress) => return Ok(Progress { new: progress.seen.epoch - begun, ..progress }),
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Checks everything up to now, then compares with the other auditors. When the service is caught, the evidence is
    /// in a file before this returns. `told` hears of each step that is saved.
    pub fn look(&mut self, told: impl FnMut(&Progress)) -> Result<Progress, Failure> {
        let failure = match self.follow(told) {
            Ok(progress) => {
                self.doubt = None;
                return Ok(progress);
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::Caught(charge) if !charge.signed_twice && !self.persists(&charge) => {
                Err(Failure::Doubtful { charge, patience: self.options.patience })
            }
            Failure::Caught(mut charge) => {
                charge.evidence = self.write_down(&charge).ok();
                Err(Failure::Caught(charge))
            }
            other => {
                // What is wrong must be seen at each look: who was away for an hour was not seen.
                self.doubt = None;
                Err(other)
            }
        }
    }

    /// Whether it has been like this for too long.
    fn persists(&mut self, charge: &Charge) -> bool {
        let ours = self.epoch();
        // An epoch that others have seen is hidden until it is shown, however many older ones come meanwhile.
        let until = match charge.finding {
            Finding::Lie(Lie::Hidden(epoch)) => epoch.max(ours + 1),
            _ => ours + 1,
        };
        let doubt = self.doubt.take().filter(|doubt| ours < doubt.until);
        let doubt = self.doubt.insert(doubt.unwrap_or_else(|| Doubt { since: Instant::now(), until }));
        doubt.since.elapsed() >= self.options.patience
    }

    /// The newest epoch that was checked.
    fn epoch(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.view.latest().root.epoch)
    }

    fn follow(&mut self, told: impl FnMut(&Progress)) -> Result<Progress, Failure> {
        let mut state = match self.state.take() {
            Some(state) => state,
            None => self.meet()?,
        };
        let outcome = self.follow_from(&mut state, told);
        self.state = Some(state);
        outcome
    }

    fn follow_from(
        &mut self,
        state: &mut State,
        mut told: impl FnMut(&Progress),
    ) -> Result<Progress, Failure> {
        let begun = state.view.latest().root.epoch;
        let shown = self.newest(state)?.root;
        let newest = shown.root.epoch;
        told(&state.progress(begun, newest));
        while state.view.latest().root.epoch < newest {
            self.window(state, newest)?;
            told(&state.progress(begun, newest));
        }
        let latest = state.view.latest();
        if latest.root.epoch == newest && latest.root.hash() != shown.root.hash() {
            let exhibits = vec![
                Exhibit::root("the service, asked for this epoch", latest),
                Exhibit::root("the service, asked for its newest epoch", &shown),
            ];
            return Err(Failure::caught(Lie::Fork(newest), newest, exhibits));
        }
        state.checked_ms = now_ms();
        state.save(&self.options.state)?;
        if !self.peers.is_empty() {
            let compared = self.compare(state);
            // The keys of those who answered for the first time.
            state.save(&self.options.state)?;
            compared?;
        }
        Ok(state.progress(begun, newest))
    }

    /// The first meeting.
    fn meet(&mut self) -> Result<State, Failure> {
        let path = root_path(Some(0));
        let nothing =
            || Failure::unreachable(format!("asking {}{path}", self.source.url()), "there is no directory");
        let bytes = self.source.get(&path, SMALL)?.ok_or_else(nothing)?;
        let caught = |lie: Lie| Failure::caught(lie, 0, vec![Exhibit::answer(&path, Some(&bytes))]);
        let shown = read_root(&bytes).map_err(caught)?;
        if let Some(asked) = self.options.domain.as_ref().filter(|asked| **asked != shown.domain) {
            let why = format!("it is the directory of {}", shown.domain);
            let doing = format!("meeting {} at {}", asked, self.source.url());
            return Err(Failure::own(doing, why, "another --server or --domain"));
        }
        let view = check::first(&shown).map_err(caught)?;
        self.seen.put(&[view.latest().seen()])?;
        let server = self.source.url().to_owned();
        let signers = shown.signers;
        let state = State { server, view, signers, lies: 0, checked_ms: 0, peers: Default::default() };
        state.save(&self.options.state)?;
        Ok(state)
    }

    /// What the service calls its newest root, held against what was seen. The state learns its new keys.
    pub(crate) fn newest(&self, state: &mut State) -> Result<Shown, Failure> {
        let path = root_path(None);
        let ours = state.view.latest();
        let epoch = ours.root.epoch;
        let mut exhibits = vec![Exhibit::root("the service, seen before", ours)];
        let Some(bytes) = self.source.get(&path, SMALL)? else {
            exhibits.push(Exhibit::answer(&path, None));
            return Err(Failure::caught(Lie::Hidden(epoch), epoch, exhibits));
        };
        let shown = match read_root(&bytes) {
            Ok(shown) => shown,
            Err(lie) => {
                exhibits.push(Exhibit::answer(&path, Some(&bytes)));
                return Err(Failure::caught(lie, epoch, exhibits));
            }
        };
        if shown.domain != state.view.domain() {
            return Err(other_directory(&self.options.state, state));
        }
        let checked = check::newest(&state.view, &shown, |epoch| {
            let seen = self.seen.get(epoch)?;
            exhibits.push(Exhibit::seen("the service, seen before", &seen));
            Ok::<_, Failure>(seen)
        })?;
        match checked {
            Ok(()) => {
                state.learn(&shown.signers);
                state.server = self.source.url().into();
                Ok(shown)
            }
            // At another URL, another directory is no lie.
            Err(Lie::Keys | Lie::Signature) if state.server != self.source.url() => {
                Err(other_directory(&self.options.state, state))
            }
            Err(lie) => {
                exhibits.push(Exhibit::root("the service, now", &shown.root));
                exhibits.push(Exhibit::keys("the service, seen before", &state.signers));
                exhibits.push(Exhibit::keys("the service, now", &shown.signers));
                exhibits.push(Exhibit::answer(&path, Some(&bytes)));
                let forked = check::keys_forked(&state.view, &shown.signers);
                Err(Failure::caught(lie, shown.root.root.epoch, exhibits).signed_twice_if(forked))
            }
        }
    }
}

fn other_directory(path: &Path, state: &State) -> Failure {
    let why = format!("it is about another directory: {}, followed at {}", state.view.domain(), state.server);
    Failure::own(format!("using the state {}", path.display()), why, "another --state for this one")
}
