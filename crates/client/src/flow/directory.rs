//! Asking the key directory: roots that continue what we saw, and what they prove.

use zegel_directory::{Found, Lie, Root, SeenRoot, SignedRoot, SignerLink, View};
use zegel_proto::{
    Code, Message as _,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{Link, Shared, unexpected};
use crate::{
    Error, Result,
    core::{
        Core,
        directory::{Asked, Attested, Doubt, Exhibits, Standing, evidence},
    },
};

const DOING: &str = "asking the directory";
/// How often an answer that is older than what we know is asked for again.
pub(super) const TRIES: usize = 5;

/// Raises the alarm about a lie of the directory itself.
pub(super) fn caught(shared: &Shared, lie: Lie, exhibits: Exhibits<'_>) -> Error {
    let mut core = shared.core();
    let view = match core.view() {
        Ok(view) => view.cloned(),
        Err(error) => return error,
    };
    let evidence = evidence(view.as_ref(), exhibits);
    core.raise("", &Doubt::Directory(lie), &evidence).unwrap_or_else(|error| error)
}

/// The exhibit that is an answer alone.
fn answered(answer: &[u8]) -> Exhibits<'_> {
    Exhibits { answer, ..Exhibits::default() }
}

/// A root of the directory, the way down to an earlier one, and the keys.
pub(super) struct Roots {
    pub root: SignedRoot,
    pub path: Vec<Root>,
    pub signers: Vec<SignerLink>,
    pub answer: Vec<u8>,
}

impl Roots {
    /// All of it, with the root that it is held against.
    pub(super) fn exhibits<'a>(&'a self, shown: &'a SeenRoot) -> Exhibits<'a> {
        Exhibits { shown: Some(shown), path: &self.path, answer: &self.answer, ..Exhibits::default() }
    }
}

fn read_roots(answer: &v1::RootAnswer) -> std::result::Result<Roots, Lie> {
    let root = answer.root.as_ref().ok_or(Lie::Form("no root"))?;
    Ok(Roots {
        root: SignedRoot::try_from(root)?,
        path: answer.path.iter().map(|body| Root::from_bytes(body)).collect::<Result<_, _>>()?,
        signers: answer.signers.iter().map(SignerLink::try_from).collect::<Result<_, _>>()?,
        answer: answer.encode_to_vec(),
    })
}

pub(super) async fn fetch_roots<L: Link>(
    shared: &Shared,
    link: &L,
    from: u64,
    to: Option<u64>,
) -> Result<Roots> {
    match link.call(DOING, Call::FetchRoot(v1::FetchRoot { from, to })).await? {
        Answer::Root(answer) => {
            read_roots(&answer).map_err(|lie| caught(shared, lie, answered(&answer.encode_to_vec())))
        }
        _ => unexpected(DOING),
    }
}

/// Our view of the directory; the first meeting, if there was none.
pub(super) async fn our_view<L: Link>(shared: &Shared, link: &L) -> Result<View> {
    let known = shared.core().view()?.cloned();
    if let Some(view) = known {
        return Ok(view);
    }
    let roots = match fetch_roots(shared, link, 0, None).await {
        Err(Error::Refused { code: Code::NotFound, .. }) => {
            return Err(Error::protocol(DOING, "it has no root"));
        }
        other => other?,
    };
    let begun = shared.core().step(|core| core.begin_view(&roots.signers, roots.root))?;
    begun.map_err(|lie| caught(shared, lie, answered(&roots.answer)))?;
    let begun = shared.core().view()?.cloned();
    begun.ok_or_else(|| Error::protocol(DOING, "it was forgotten meanwhile"))
}

/// Brings our view to the root that an answer was given under. `None`: the answer is older than what we have seen.
async fn meet_root<L: Link>(
    shared: &Shared,
    link: &L,
    root: Option<&v1::SignedRoot>,
    answer: &[u8],
) -> Result<Option<View>> {
    let shown = root.ok_or(Lie::Form("no root")).and_then(|root| Ok(SignedRoot::try_from(root)?));
    let shown = shown.map_err(|lie| caught(shared, lie, answered(answer)))?;
    for _ in 0..TRIES {
        let view = our_view(shared, link).await?;
        let (ours, theirs) = (view.latest().root.epoch, shown.root.epoch);
        if theirs < ours {
            return Ok(None);
        }
        if theirs == ours {
            return match same_root(&view, &shown.seen()) {
                Ok(()) => Ok(Some(view)),
                Err(lie) => {
                    Err(caught(shared, lie, Exhibits { shown: Some(&shown.seen()), ..answered(answer) }))
                }
            };
        }
        match advance(shared, link, &view, &shown.seen()).await {
            // It has just shown that epoch itself.
            Err(Error::Refused { code: Code::NotFound, .. }) => {
                return Err(caught(
                    shared,
                    Lie::Hidden(theirs),
                    Exhibits { shown: Some(&shown.seen()), ..answered(answer) },
                ));
            }
            // The view is read again, and holds it now, or has moved on another way.
            other => other?,
        };
    }
    Err(Error::protocol(DOING, "it changes faster than it can be read"))
}

/// Another root of the epoch that we are at.
pub(super) fn same_root(view: &View, shown: &SeenRoot) -> std::result::Result<(), Lie> {
    match view.latest().seen().hash == shown.hash {
        true => Ok(()),
        false if view.believes(shown) => Err(Lie::Fork(shown.epoch)),
        false => Err(Lie::Signature),
    }
}

/// Advances our view to a newer root that was shown, by the service or by somebody else. `false`: our view has moved
/// meanwhile, so the answer was held against nothing.
pub(super) async fn advance<L: Link>(
    shared: &Shared,
    link: &L,
    view: &View,
    shown: &SeenRoot,
) -> Result<bool> {
    let ours = view.latest().root.epoch;
    let roots = fetch_roots(shared, link, shown.epoch, Some(ours)).await?;
    let seen = roots.root.seen();
    if seen.epoch != shown.epoch {
        let lie = Lie::Form("the root of another epoch than was asked for");
        return Err(caught(shared, lie, roots.exhibits(shown)));
    }
    let next = roots.root.clone();
    let advanced = shared.core().step(|core| core.advance_view(ours, &roots.signers, next, &roots.path))?;
    match advanced {
        Ok(true) => {}
        Ok(false) => return Ok(false),
        Err(lie) => return Err(caught(shared, lie, roots.exhibits(&seen))),
    }
    if seen.hash != shown.hash {
        let lie = same_root(&our_view(shared, link).await?, shown).err().unwrap_or(Lie::Signature);
        return Err(caught(shared, lie, roots.exhibits(shown)));
    }
    Ok(true)
}

/// Learns keys of the directory that came after those we know; the epoch of the root that they came with.
pub(super) async fn learn_signers<L: Link>(shared: &Shared, link: &L) -> Result<u64> {
    let roots = fetch_roots(shared, link, 0, None).await?;
    let learnt = shared.core().step(|core| core.learn_signers(&roots.signers))?;
    learnt.map_err(|lie| caught(shared, lie, answered(&roots.answer)))?;
    Ok(roots.root.root.epoch)
}

pub(super) fn knows_key(view: &View, signer: u32) -> bool {
    view.signers().keys().len() > signer as usize
}

/// What the service says about somebody, held against the directory, and the answer itself.
pub(super) async fn ask<L: Link>(shared: &Shared, link: &L, asked: &Asked) -> Result<(Attested, Vec<u8>)> {
    let doing = "looking up a person";
    shared.core().check_trusted(doing)?;
    let mut tries = 0;
    loop {
        let Answer::Account(answer) = link.call(doing, Call::FetchAccount(asked.into())).await? else {
            return unexpected(doing);
        };
        let bytes = answer.encode_to_vec();
        let Some(mut view) = meet_root(shared, link, answer.root.as_ref(), &bytes).await? else {
            tries += 1;
            if tries == TRIES {
                return Err(went_back(shared, &bytes, answer.root.as_ref())?);
            }
            continue;
        };
        if answer.promise.as_ref().is_some_and(|promise| !knows_key(&view, promise.signer)) {
            learn_signers(shared, link).await?;
            view = our_view(shared, link).await?;
        }
        return match Attested::check(&view, asked, &answer) {
            Ok(attested) => Ok((attested, bytes)),
            Err(doubt) => Err(doubted(shared, asked, &doubt, &bytes)?),
        };
    }
}

/// Takes an answer, if what we know of them is still what it was `before` we asked. Two flows may ask at once, and the
/// answer that comes second may be the older one: nobody is blamed for what only came late. `None`: ask again.
pub(super) fn take_if_current<T>(
    shared: &Shared,
    asked: &Asked,
    before: &Standing,
    take: impl FnOnce(&mut Core) -> Result<T>,
) -> Result<Option<T>> {
    shared.core().step(|core| match core.standing(asked)? == *before {
        true => take(core).map(Some),
        false => Ok(None),
    })
}

/// Their devices changed in every moment between asking and taking.
pub(super) fn unsteady() -> Error {
    Error::protocol("looking up a person", "their devices change faster than they can be read")
}

/// The service shows, again and again, an older root than we have seen.
fn went_back(shared: &Shared, answer: &[u8], root: Option<&v1::SignedRoot>) -> Result<Error> {
    let seen = shared.core().latest_root()?.map_or(0, |latest| latest.root.epoch);
    let shown = root.and_then(|root| SignedRoot::try_from(root).ok()).map(|root| root.seen());
    let lie = Lie::Rollback { seen, shown: shown.as_ref().map_or(0, |shown| shown.epoch) };
    Ok(caught(shared, lie, Exhibits { shown: shown.as_ref(), ..answered(answer) }))
}

/// Raises the alarm about what was said of somebody.
pub(super) fn doubted(shared: &Shared, asked: &Asked, doubt: &Doubt, answer: &[u8]) -> Result<Error> {
    let mut core = shared.core();
    let about = match asked {
        Asked::Handle(handle) => handle.clone(),
        Asked::Account(account) => core.db.handle_of(&account.0)?.unwrap_or_else(|| account.to_hex()),
    };
    // A promise that was not kept may have come with an earlier answer.
    let promise = core.standing(asked)?.and_then(|(_, trust)| trust.promise);
    let exhibits = Exhibits { promise: promise.as_ref(), ..answered(answer) };
    let evidence = evidence(core.view()?, exhibits);
    core.raise(&about, doubt, &evidence)
}

/// The newest `most_recent` entries of a handle (0: all), newest first, proven under our newest root.
pub(crate) async fn history<L: Link>(
    shared: &Shared,
    link: &L,
    handle: &str,
    most_recent: u32,
) -> Result<Vec<Found>> {
    let doing = "reading a history";
    shared.core().check_trusted(doing)?;
    let mut tries = 0;
    loop {
        let fetch = v1::FetchHistory { handle: handle.into(), most_recent };
        let Answer::History(answer) = link.call(doing, Call::FetchHistory(fetch)).await? else {
            return unexpected(doing);
        };
        let bytes = answer.encode_to_vec();
        let Some(view) = meet_root(shared, link, answer.root.as_ref(), &bytes).await? else {
            tries += 1;
            if tries == TRIES {
                return Err(went_back(shared, &bytes, answer.root.as_ref())?);
            }
            continue;
        };
        let most_recent = (most_recent > 0).then_some(most_recent as usize);
        return match view.history(handle, most_recent, &answer.history) {
            Ok(found) => Ok(found),
            Err(lie) => Err(doubted(shared, &Asked::Handle(handle.into()), &lie.into(), &bytes)?),
        };
    }
}
