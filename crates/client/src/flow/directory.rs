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
        directory::{Asked, Attested, Doubt, Standing, evidence},
    },
};

const DOING: &str = "asking the directory";
/// How often an answer that is older than what we know is asked for again.
pub(super) const TRIES: usize = 5;
/// Raises the alarm about a lie of the directory itself.
pub(super) fn caught(
    shared: &Shared,
    lie: Lie,
    shown: Option<&SeenRoot>,
    path: &[Root],
    answer: &[u8],
) -> Error {
    let mut core = shared.core();
    let view = match core.view() {
        Ok(view) => view.cloned(),
        Err(error) => return error,
    };
    let evidence = evidence(view.as_ref(), shown, path, Some(answer));
    core.raise("", &Doubt::Directory(lie), &evidence).unwrap_or_else(|error| error)
}

/// A root of the directory, the way down to an earlier one, and the keys.
pub(super) struct Roots {
    pub root: SignedRoot,
    pub path: Vec<Root>,
    pub signers: Vec<SignerLink>,
    pub answer: Vec<u8>,
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
            read_roots(&answer).map_err(|lie| caught(shared, lie, None, &[], &answer.encode_to_vec()))
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
    begun.map_err(|lie| caught(shared, lie, None, &[], &roots.answer))?;
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
    let shown = shown.map_err(|lie| caught(shared, lie, None, &[], answer))?;
    loop {
        let view = our_view(shared, link).await?;
        let (ours, theirs) = (view.latest().root.epoch, shown.root.epoch);
        if theirs < ours {
            return Ok(None);
        }
        if theirs == ours {
            return match same_root(&view, &shown.seen()) {
                Ok(()) => Ok(Some(view)),
                Err(lie) => Err(caught(shared, lie, Some(&shown.seen()), &[], answer)),
            };
        }
        match advance(shared, link, &view, &shown.seen()).await {
            // It has just shown that epoch itself.
            Err(Error::Refused { code: Code::NotFound, .. }) => {
                return Err(caught(shared, Lie::Hidden(theirs), Some(&shown.seen()), &[], answer));
            }
            other => other?,
        }
    }
}

/// Another root of the epoch that we are at.
pub(super) fn same_root(view: &View, shown: &SeenRoot) -> std::result::Result<(), Lie> {
    match view.latest().seen().hash == shown.hash {
        true => Ok(()),
        false if view.believes(shown) => Err(Lie::Fork(shown.epoch)),
        false => Err(Lie::Signature),
    }
}

/// Advances our view to a newer root that was shown, by the service or by somebody else.
pub(super) async fn advance<L: Link>(shared: &Shared, link: &L, view: &View, shown: &SeenRoot) -> Result<()> {
    let ours = view.latest().root.epoch;
    let roots = fetch_roots(shared, link, shown.epoch, Some(ours)).await?;
    let seen = roots.root.seen();
    if seen.epoch != shown.epoch {
        let lie = Lie::Form("the root of another epoch than was asked for");
        return Err(caught(shared, lie, Some(shown), &roots.path, &roots.answer));
    }
    let advanced =
        shared.core().step(|core| core.advance_view(ours, &roots.signers, roots.root, &roots.path))?;
    if let Err(lie) = advanced {
        return Err(caught(shared, lie, Some(&seen), &roots.path, &roots.answer));
    }
    if seen.hash != shown.hash {
        let lie = same_root(&our_view(shared, link).await?, shown).err().unwrap_or(Lie::Signature);
        return Err(caught(shared, lie, Some(shown), &roots.path, &roots.answer));
    }
    Ok(())
}

/// Learns keys of the directory that came after those we know.
pub(super) async fn learn_signers<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let roots = fetch_roots(shared, link, 0, None).await?;
    let learnt = shared.core().step(|core| core.learn_signers(&roots.signers))?;
    learnt.map_err(|lie| caught(shared, lie, None, &[], &roots.answer))
}

pub(super) fn knows_key(view: &View, signer: u32) -> bool {
    view.signers().keys().len() > signer as usize
}

/// What the service says about somebody, held against the directory, and the answer itself.
pub(super) async fn ask<L: Link>(shared: &Shared, link: &L, asked: &Asked) -> Result<(Attested, Vec<u8>)> {
    let doing = "looking up a person";
    shared.core().check_trusted(doing)?;
    let mut older = (0, 0);
    for _ in 0..TRIES {
        let Answer::Account(answer) = link.call(doing, Call::FetchAccount(asked.into())).await? else {
            return unexpected(doing);
        };
        let bytes = answer.encode_to_vec();
        let Some(mut view) = meet_root(shared, link, answer.root.as_ref(), &bytes).await? else {
            older = ages(shared, answer.root.as_ref())?;
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
    Err(caught(shared, Lie::Rollback { seen: older.0, shown: older.1 }, None, &[], &[]))
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

/// The epochs of our view, and of a root that is older.
fn ages(shared: &Shared, root: Option<&v1::SignedRoot>) -> Result<(u64, u64)> {
    let ours = shared.core().latest_root()?.map_or(0, |latest| latest.root.epoch);
    let shown = root.and_then(|root| SignedRoot::try_from(root).ok()).map_or(0, |root| root.root.epoch);
    Ok((ours, shown))
}

/// Raises the alarm about what was said of somebody.
pub(super) fn doubted(shared: &Shared, asked: &Asked, doubt: &Doubt, answer: &[u8]) -> Result<Error> {
    let mut core = shared.core();
    let about = match asked {
        Asked::Handle(handle) => handle.clone(),
        Asked::Account(account) => core.db.handle_of(&account.0)?.unwrap_or_else(|| account.to_hex()),
    };
    let evidence = evidence(core.view()?, None, &[], Some(answer));
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
    let mut older = (0, 0);
    for _ in 0..TRIES {
        let fetch = v1::FetchHistory { handle: handle.into(), most_recent };
        let Answer::History(answer) = link.call(doing, Call::FetchHistory(fetch)).await? else {
            return unexpected(doing);
        };
        let bytes = answer.encode_to_vec();
        let Some(view) = meet_root(shared, link, answer.root.as_ref(), &bytes).await? else {
            older = ages(shared, answer.root.as_ref())?;
            continue;
        };
        let most_recent = (most_recent > 0).then_some(most_recent as usize);
        return match view.history(handle, most_recent, &answer.history) {
            Ok(found) => Ok(found),
            Err(lie) => Err(doubted(shared, &Asked::Handle(handle.into()), &lie.into(), &bytes)?),
        };
    }
    Err(caught(shared, Lie::Rollback { seen: older.0, shown: older.1 }, None, &[], &[]))
}
