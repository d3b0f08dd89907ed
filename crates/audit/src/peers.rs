//! Compares with other auditors: whoever was shown one epoch must have been shown one root.

use zegel_directory::{Lie, SeenRoot};

use crate::{
    Auditor, Exhibit, Failure, Statement,
    auditor::insist,
    source::{SMALL, Source},
    state::State,
};

/// What another auditor says, with the root in it.
struct Told {
    statement: Statement,
    seen: SeenRoot,
}

impl Auditor {
    /// Compares with each of them. The first failure that is no lie is told when all were asked.
    pub(crate) fn compare(&self, state: &mut State) -> Result<(), Failure> {
        let mut unreachable = Ok(());
        for peer in &self.peers {
            match self.compare_with(peer, state) {
                Ok(()) => {}
                Err(failure @ Failure::Caught(_)) => return Err(failure),
                Err(failure) => unreachable = unreachable.and(Err(failure)),
            }
        }
        unreachable
    }

    fn compare_with(&self, peer: &Source, state: &mut State) -> Result<(), Failure> {
        let newest = ask(peer, None, state)?;
        let ours = state.view.latest().root.epoch;
        if newest.seen.epoch <= ours {
            return self.same(peer, &newest, state);
        }
        self.same(peer, &ask(peer, Some(ours), state)?, state)?;
        // They are ahead: then the service must have that epoch for us too.
        if !state.view.believes(&newest.seen) {
            return Err(not_signed(peer));
        }
        insist(|| {
            let shown = self.newest(state)?.root;
            if shown.root.epoch >= newest.seen.epoch {
                return Ok(());
            }
            let exhibits =
                vec![Exhibit::root("the service, now", &shown), Exhibit::Witness(newest.statement.clone())];
            Err(Failure::caught(Lie::Hidden(newest.seen.epoch), newest.seen.epoch, exhibits))
        })
    }

    fn same(&self, peer: &Source, told: &Told, state: &State) -> Result<(), Failure> {
        let ours = self.seen.get(told.seen.epoch)?;
        if ours.hash == told.seen.hash {
            return Ok(());
        }
        if !state.view.believes(&told.seen) {
            return Err(not_signed(peer));
        }
        let exhibits = vec![
            Exhibit::seen("the service, to this auditor", &ours),
            Exhibit::seen("the service, to another auditor", &told.seen),
            Exhibit::Witness(told.statement.clone()),
        ];
        Err(Failure::caught(Lie::Fork(ours.epoch), ours.epoch, exhibits))
    }
}

fn ask(peer: &Source, epoch: Option<u64>, state: &mut State) -> Result<Told, Failure> {
    let path = epoch.map_or_else(|| "/witness".into(), |epoch| format!("/witness/{epoch}"));
    let failed = |why: &dyn std::fmt::Display| Failure::unreachable(comparing(peer), why);
    let bytes = peer.get(&path, SMALL)?.ok_or_else(|| failed(&"it has no statement"))?;
    let statement: Statement = serde_json::from_slice(&bytes).map_err(|error| failed(&error))?;
    let (seen, key) = statement.verify(state.view.domain()).map_err(|why| failed(&why))?;
    let known = state.peers.entry(peer.url().into()).or_insert_with(|| key.into());
    if known != key {
        return Err(failed(
            &"it signs with another key than before; if that is right, begin with a new --state",
        ));
    }
    if epoch.is_some_and(|epoch| epoch != seen.epoch) {
        return Err(failed(&"its statement is about another epoch"));
    }
    Ok(Told { seen, statement })
}

fn comparing(peer: &Source) -> String {
    format!("comparing with the auditor at {}", peer.url())
}

fn not_signed(peer: &Source) -> Failure {
    Failure::unreachable(comparing(peer), "it shows a root that no key of the directory signed")
}
