//! Follows the directory: asks, checks, remembers.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use zegel_directory::{Lie, SeenRoot};

use crate::{
    Exhibit, Failure, Finding, check, now_ms,
    seen::SeenRoots,
    source::{SMALL, Shown, Source, read_root, root_path},
    state::{State, beside},
};

/// What no signature holds the service to is asked for again after these pauses, before it is called a lie.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1000)];

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
}

impl Options {
    /// The usual ones.
    pub fn new(server: &str, state: &Path) -> Self {
        let state = state.to_owned();
        Self { server: server.into(), state, domain: None, ca: None, peers: Vec::new(), keep: None }
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
}

/// Follows one directory. It blocks; call it outside of any async runtime.
pub struct Auditor {
    pub(crate) source: Source,
    pub(crate) peers: Vec<Source>,
    pub(crate) seen: SeenRoots,
    pub(crate) state: Option<State>,
    pub(crate) options: Options,
    pub(crate) runtime: tokio::runtime::Runtime,
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
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| Failure::own("starting", error, "again"))?;
        Ok(Self { source, peers, seen, state, options, runtime })
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

    /// Checks everything up to now, then compares with the other auditors. When the service is caught, the evidence is
    /// in a file before this returns. `told` hears of each step that is saved.
    pub fn catch_up(&mut self, told: impl FnMut(&Progress)) -> Result<Progress, Failure> {
        self.follow(told).map_err(|failure| match failure {
            Failure::Caught(mut charge) => {
                charge.evidence = self.write_down(&charge).ok();
                Failure::Caught(charge)
            }
            other => other,
        })
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
        let view = insist(|| {
            let nothing = || {
                Failure::unreachable(format!("asking {}{path}", self.source.url()), "there is no directory")
            };
            let bytes = self.source.get(&path, SMALL)?.ok_or_else(nothing)?;
            let caught = |lie: Lie| Failure::caught(lie, 0, vec![Exhibit::answer(&path, Some(&bytes))]);
            let shown = read_root(&bytes).map_err(caught)?;
            match &self.options.domain {
                Some(asked) if *asked != shown.domain => {
                    let why = format!("it is the directory of {}", shown.domain);
                    let doing = format!("meeting {} at {}", asked, self.source.url());
                    Err(Failure::own(doing, why, "another --server or --domain"))
                }
                _ => self.runtime.block_on(check::first(&shown)).map_err(caught),
            }
        })?;
        self.seen.put(&[view.latest().seen()])?;
        let server = self.source.url().to_owned();
        let state = State { server, view, lies: 0, checked_ms: 0, peers: Default::default() };
        state.save(&self.options.state)?;
        Ok(state)
    }

    /// What the service calls its newest root, held against what was seen. The state learns its new keys.
    pub(crate) fn newest(&self, state: &mut State) -> Result<Shown, Failure> {
        let path = root_path(None);
        let asked = insist(|| {
            let ours = state.view.latest();
            let epoch = ours.root.epoch;
            let body = self.source.get(&path, SMALL)?;
            let mut exhibits = vec![Exhibit::root("the service, seen before", ours)];
            let Some(bytes) = body else {
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
            checked.map(|view| (view, shown.clone())).map_err(|lie| {
                exhibits.push(Exhibit::root("the service, now", &shown.root));
                exhibits.push(Exhibit::answer(&path, Some(&bytes)));
                Failure::caught(lie, shown.root.root.epoch, exhibits)
            })
        });
        let moved = state.server != self.source.url();
        match asked {
            Ok((view, shown)) => {
                state.view = view;
                state.server = self.source.url().into();
                Ok(shown)
            }
            // At another URL, another directory is no lie.
            Err(Failure::Caught(charge))
                if moved && matches!(charge.finding, Finding::Lie(Lie::Keys | Lie::Signature)) =>
            {
                Err(other_directory(&self.options.state, state))
            }
            Err(failure) => Err(failure),
        }
    }
}

fn other_directory(path: &Path, state: &State) -> Failure {
    let why = format!("it is about another directory: {}, followed at {}", state.view.domain(), state.server);
    Failure::own(format!("using the state {}", path.display()), why, "another --state for this one")
}

/// Asks again before something unsigned is called a lie; a network that is gone is not asked again here.
pub(crate) fn insist<T>(mut ask: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    for pause in PAUSES {
        match ask() {
            Err(Failure::Caught(charge)) if !charge.finding.is_signed_twice() => thread::sleep(pause),
            other => return other,
        }
    }
    ask()
}
