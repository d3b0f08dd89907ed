//! Compares with other auditors: whoever was shown one epoch must have been shown one root.
//!
//! A statement proves what the service signed if its keys begin with the key that this auditor met first. Whose begins
//! with another one follows another directory: that is told, and accuses nobody, because anyone can make one up.

use zegel_directory::{Lie, SeenRoot, Signers};

use crate::{
    Auditor, Exhibit, Failure, Finding, Statement,
    source::{SMALL, Source},
    state::State,
};

/// What another auditor says, with the root in it, which one of our directory's keys signed.
struct Told {
    statement: Statement,
    seen: SeenRoot,
}

impl Auditor {
    /// Compares with each of them. The first failure that is no lie is told when all were asked.
    pub(crate) fn compare(&self, state: &mut State) -> Result<(), Failure> {
        let mut weaker = Ok(());
        for peer in &self.peers {
            match self.compare_with(peer, state) {
                Ok(()) => {}
                // Nothing that another auditor makes up may hide what the service signed.
                Err(Failure::Caught(charge)) if charge.finding.accuses() => {
                    return Err(Failure::Caught(charge));
                }
                Err(failure @ Failure::Caught(_)) => weaker = Err(failure),
                Err(failure) => weaker = weaker.and(Err(failure)),
            }
        }
        weaker
    }

    fn compare_with(&self, peer: &Source, state: &mut State) -> Result<(), Failure> {
        let newest = self.ask(peer, None, state)?;
        let ours = state.view.latest().root.epoch;
        if newest.seen.epoch <= ours {
            return self.same(&newest);
        }
        self.same(&self.ask(peer, Some(ours), state)?)?;
        // They are ahead: then the service must have that epoch for us too.
        let shown = self.newest(state)?.root;
        if shown.root.epoch >= newest.seen.epoch {
            return Ok(());
        }
        let exhibits = vec![Exhibit::root("the service, now", &shown), Exhibit::Witness(newest.statement)];
        Err(Failure::caught(Lie::Hidden(newest.seen.epoch), newest.seen.epoch, exhibits))
    }

    fn same(&self, told: &Told) -> Result<(), Failure> {
        let ours = self.seen.get(told.seen.epoch)?;
        if ours.hash == told.seen.hash {
            return Ok(());
        }
        let exhibits = vec![
            Exhibit::seen("the service, to this auditor", &ours),
            Exhibit::seen("the service, to another auditor", &told.seen),
            Exhibit::Witness(told.statement.clone()),
        ];
        Err(Failure::caught(Lie::Fork(ours.epoch), ours.epoch, exhibits))
    }

    fn ask(&self, peer: &Source, epoch: Option<u64>, state: &mut State) -> Result<Told, Failure> {
        let path = epoch.map_or_else(|| "/witness".into(), |epoch| format!("/witness/{epoch}"));
        let doing = || format!("comparing with the auditor at {}", peer.url());
        let failed = |why: &dyn std::fmt::Display| Failure::unreachable(doing(), why);
        let bytes = peer.get(&path, SMALL)?.ok_or_else(|| failed(&"it has no statement"))?;
        let statement: Statement = serde_json::from_slice(&bytes).map_err(|error| failed(&error))?;
        let said = statement.verify(state.view.domain()).map_err(|why| failed(&why))?;
        let known = state.peers.entry(peer.url().into()).or_insert_with(|| said.witness.into());
        if known != said.witness {
            return Err(failed(
                &"it signs with another key than before; if that is right, begin with a new --state",
            ));
        }
        if epoch.is_some_and(|epoch| epoch != said.seen.epoch) {
            return Err(failed(&"its statement is about another epoch"));
        }
        let seen = said.seen;
        if let Some(finding) = divided(state.view.signers(), &said.signers, peer) {
            let exhibits = vec![
                Exhibit::keys("the service, to this auditor", &state.signers),
                Exhibit::keys("the service, to another auditor", &said.links),
                Exhibit::Witness(statement),
            ];
            return Err(Failure::caught(finding, seen.epoch, exhibits).signed_twice_if(true));
        }
        Ok(Told { seen, statement })
    }
}

/// Whether two lists of keys cannot be of one directory. The shorter one may be an older look at the other.
fn divided(ours: &Signers, theirs: &Signers, peer: &Source) -> Option<Finding> {
    if ours.first() != theirs.first() {
        return Some(Finding::Apart(peer.url().into()));
    }
    let alike = ours.continues(theirs) || theirs.continues(ours);
    (!alike).then_some(Finding::Lie(Lie::Keys))
}
