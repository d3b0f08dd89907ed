//! One epoch after the other: its root, then the proof that it only added.

use std::fs;

use zegel_directory::{Lie, SeenRoot, View, verify_append_only};

use crate::{
    Auditor, Exhibit, Failure, Finding,
    auditor::insist,
    check,
    source::{LARGE, SMALL, proof_name, read_root, root_path},
    state::{State, beside},
};

/// How many roots are asked for, checked and saved together.
const WINDOW: u64 = 64;
/// How many proofs are held in memory together.
const PROOFS: usize = 8;

impl Auditor {
    /// Checks the next roots, up to `to`, and their proofs; saves what is in order, whatever came after it.
    pub(crate) fn window(&mut self, state: &mut State, to: u64) -> Result<(), Failure> {
        let (views, roots_failed) = self.next_roots(&state.view, to);
        let (proven, proofs_failed) = self.proofs(&state.view, &views);
        let seen: Vec<SeenRoot> = views[..proven].iter().map(|view| view.latest().seen()).collect();
        if let Some(view) = views.into_iter().take(proven).next_back() {
            self.seen.put(&seen)?;
            state.view = view;
            state.save(&self.options.state)?;
        }
        proofs_failed.or(roots_failed).map_or(Ok(()), Err)
    }

    /// The views after each of the next roots, as far as they are in order.
    fn next_roots(&self, view: &View, to: u64) -> (Vec<View>, Option<Failure>) {
        let begun = view.latest().root.epoch;
        let epochs = begun + 1..=to.min(begun + WINDOW);
        let paths: Vec<String> = epochs.clone().map(|epoch| root_path(Some(epoch))).collect();
        let answers = self.source.get_all(&paths, SMALL);
        let mut views: Vec<View> = Vec::with_capacity(paths.len());
        for ((epoch, path), answer) in epochs.zip(&paths).zip(answers) {
            let mut first = Some(answer);
            let skip = epoch & (epoch - 1);
            let checked = insist(|| {
                let before = views.last().unwrap_or(view);
                let skipped = match skip.checked_sub(begun + 1) {
                    Some(at) => views[at as usize].latest().seen(),
                    None => self.seen.get(skip)?,
                };
                let body = first.take().unwrap_or_else(|| self.source.get(path, SMALL))?;
                let mut exhibits = vec![Exhibit::root("the service, for the epoch before", before.latest())];
                let Some(bytes) = body else {
                    exhibits.push(Exhibit::answer(path, None));
                    return Err(Failure::caught(Lie::Hidden(epoch), epoch, exhibits));
                };
                let shown = read_root(&bytes);
                let checked = shown
                    .as_ref()
                    .map_err(Clone::clone)
                    .and_then(|shown| check::next(before, shown, &skipped));
                checked.map_err(|lie| {
                    if let Ok(shown) = &shown {
                        exhibits.push(Exhibit::root("the service, for this epoch", &shown.root));
                    }
                    exhibits
                        .push(Exhibit::seen("the service, for the epoch that it names as skip", &skipped));
                    exhibits.push(Exhibit::answer(path, Some(&bytes)));
                    Failure::caught(lie, epoch, exhibits)
                })
            });
            match checked {
                Ok(view) => views.push(view),
                Err(failure) => return (views, Some(failure)),
            }
        }
        (views, None)
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
            let answers = self.source.get_all(&paths, LARGE);
            for (((step, name), path), answer) in some.iter().zip(&names).zip(&paths).zip(answers) {
                let mut first = Some(answer);
                let checked = insist(|| {
                    let body = first.take().unwrap_or_else(|| self.source.get(path, LARGE))?;
                    self.proof(*step, path, body)
                });
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
            Some(proof) => {
                let checked = verify_append_only(epoch, &before.root.tree, &after.root.tree, proof);
                match self.runtime.block_on(checked) {
                    Ok(()) => return Ok(body.unwrap_or_default()),
                    Err(why) => Lie::Rewritten { epoch, why }.into(),
                }
            }
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
