//! One epoch after the other: its root, then the proof that it only added.

use std::fs;

use zegel_directory::{Lie, SeenRoot, SignerLink, View, skip_of, verify_append_only};

use crate::{
    Auditor, Exhibit, Failure, Finding, check,
    source::{LARGE, SMALL, Shown, proof_name, read_root, root_path},
    state::{State, beside},
};

/// How many roots are asked for, checked and saved together.
const WINDOW: u64 = 64;
/// The longest root that is asked for together with others, bytes.
const SHORT_ROOT: u64 = 64 << 10;
/// How many proofs are asked for together.
const PROOFS: usize = 8;
/// The longest of them, bytes.
const SHORT_PROOF: u64 = 1 << 20;

/// The next roots, as far as they are in order.
#[derive(Default)]
struct Next {
    /// The view after each of them.
    views: Vec<View>,
    /// The longest list of keys that came with them.
    signers: Vec<SignerLink>,
    /// Why there are not more.
    failed: Option<Failure>,
}

impl Auditor {
    /// Checks the next roots, up to `to`, and their proofs; saves what is in order, whatever came after it.
    pub(crate) fn window(&mut self, state: &mut State, to: u64) -> Result<(), Failure> {
        let Next { views, signers, failed } = self.next_roots(&state.view, to);
        let (proven, proofs_failed) = self.proofs(&state.view, &views);
        let seen: Vec<SeenRoot> = views[..proven].iter().map(|view| view.latest().seen()).collect();
        if let Some(view) = views.into_iter().take(proven).next_back() {
            self.seen.put(&seen)?;
            state.view = view;
            // They go on from the keys of any of these views.
            state.learn(&signers);
            state.save(&self.options.state)?;
        }
        proofs_failed.or(failed).map_or(Ok(()), Err)
    }

    fn next_roots(&self, view: &View, to: u64) -> Next {
        let begun = view.latest().root.epoch;
        let epochs = begun + 1..=to.min(begun + WINDOW);
        let paths: Vec<String> = epochs.clone().map(|epoch| root_path(Some(epoch))).collect();
        let answers = self.source.get_all(&paths, SHORT_ROOT);
        let mut next = Next::default();
        for ((epoch, path), answer) in epochs.zip(&paths).zip(answers) {
            match self.next_root(view, &next.views, epoch, path, answer) {
                Ok((view, signers)) => {
                    next.views.push(view);
                    if signers.len() > next.signers.len() {
                        next.signers = signers;
                    }
                }
                Err(failure) => {
                    next.failed = Some(failure);
                    break;
                }
            }
        }
        next
    }

    /// The view after the root of `epoch`, and the keys that came with it. `views` are those after `view`.
    fn next_root(
        &self,
        view: &View,
        views: &[View],
        epoch: u64,
        path: &str,
        answer: Option<Result<Option<Vec<u8>>, Failure>>,
    ) -> Result<(View, Vec<SignerLink>), Failure> {
        let before = views.last().unwrap_or(view);
        let skip = skip_of(epoch);
        let skipped = match skip.checked_sub(view.latest().root.epoch + 1) {
            Some(at) => views[at as usize].latest().seen(),
            None => self.seen.get(skip)?,
        };
        let body = answer.unwrap_or_else(|| self.source.get(path, SMALL))?;
        let mut exhibits = vec![Exhibit::root("the service, for the epoch before", before.latest())];
        let Some(bytes) = body else {
            exhibits.push(Exhibit::answer(path, None));
            return Err(Failure::caught(Lie::Hidden(epoch), epoch, exhibits));
        };
        let caught = |lie: Lie, shown: Option<&Shown>| {
            if let Some(shown) = shown {
                exhibits.push(Exhibit::root("the service, for this epoch", &shown.root));
                exhibits.push(Exhibit::keys("the service, for this epoch", &shown.signers));
            }
            exhibits.push(Exhibit::seen("the service, for the epoch that it names as skip", &skipped));
            exhibits.push(Exhibit::answer(path, Some(&bytes)));
            let forked = shown.is_some_and(|shown| check::keys_forked(before, &shown.signers));
            Failure::caught(lie, epoch, exhibits).signed_twice_if(forked)
        };
        let shown = match read_root(&bytes) {
            Ok(shown) => shown,
            Err(lie) => return Err(caught(lie, None)),
        };
        match check::next(before, &shown, &skipped) {
            Ok(view) => Ok((view, shown.signers)),
            Err(lie) => Err(caught(lie, Some(&shown))),
        }
    }

    /// How many of these views, each one epoch after the other, have a proof that they only added.
    fn proofs(&self, view: &View, views: &[View]) -> (usize, Option<Failure>) {
        let mut proven = 0;
        let steps: Vec<(&View, &View)> = std::iter::once(view).chain(views).zip(views).collect();
        for some in steps.chunks(PROOFS) {
            let names: Vec<String> = some
                .iter()
                .map(|(before, after)| {
                    let after = &after.latest().root;
                    proof_name(after.epoch, &before.latest().root.tree, &after.tree)
                })
                .collect();
            let paths: Vec<String> = names.iter().map(|name| format!("/v1/directory/audit/{name}")).collect();
            let answers = self.source.get_all(&paths, SHORT_PROOF);
            for (((step, name), path), answer) in some.iter().zip(&names).zip(&paths).zip(answers) {
                let body = answer.unwrap_or_else(|| self.source.get(path, LARGE));
                let checked = body.and_then(|body| self.proof(*step, path, body));
                match checked.and_then(|proof| self.keep(name, &proof)) {
                    Ok(()) => proven += 1,
                    Err(failure) => return (proven, Some(failure)),
                }
            }
        }
        (proven, None)
    }

    fn proof(&self, step: (&View, &View), path: &str, body: Option<Vec<u8>>) -> Result<Vec<u8>, Failure> {
        let (before, after) = (step.0.latest(), step.1.latest());
        let epoch = after.root.epoch;
        let finding = match &body {
            None => Finding::Unproven(epoch),
            Some(proof) => match verify_append_only(epoch, &before.root.tree, &after.root.tree, proof) {
                Ok(()) => return Ok(body.unwrap_or_default()),
                Err(why) => Lie::Rewritten { epoch, why }.into(),
            },
        };
        let exhibits = vec![
            Exhibit::root("the service, for the epoch before", before),
            Exhibit::root("the service, for this epoch", after),
            Exhibit::answer(path, body.as_deref()),
        ];
        Err(Failure::caught(finding, epoch, exhibits))
    }

    /// Keeps a proof that holds, for those who check folders.
    fn keep(&self, name: &str, proof: &[u8]) -> Result<(), Failure> {
        let Some(folder) = &self.options.keep else { return Ok(()) };
        let path = folder.join(name);
        let new = beside(&path, ".new");
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(&new, proof)?;
            fs::rename(&new, &path)
        };
        write().map_err(|error| {
            Failure::own(format!("keeping the proof {}", path.display()), error, "another --keep")
        })
    }
}
