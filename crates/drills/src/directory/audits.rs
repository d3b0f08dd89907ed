//! What nobody looks up is looked after by auditors.

use std::path::Path;

use axum::{Router, extract::State, http::Uri};
use zegel_audit::{Auditor, Failure as AuditFailure, Finding, Options};
use zegel_directory::{Entry, Label, Lie};
use zegel_proto::{AccountId, Message as _};

use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out},
    kit::{Operator, Second, Shown, Stage},
};

/// An entry disappears.
pub const SILENT_REMOVAL: Drill = Drill {
    name: "silent-removal",
    attacker: Attacker::Operator,
    attempt: "The service takes an entry out of the tree that it had published, say the ghost that it used for a day, and signs the next root as if nothing had been.",
    defence: "For each epoch there must be a proof that it only added to the tree before; anyone can ask for it.",
    caught: "next audit",
    run: |stage| Box::pin(silent_removal(stage)),
};

async fn silent_removal(stage: &Stage) -> Verdict {
    // The real one has nothing to hide.
    stage.person("bob").await?;
    stage.proven("bob").await?;
    let folder = tempfile::tempdir()?;
    let epochs = audit(stage.url(), &folder.path().join("real")).await?;
    carried_out(epochs.is_ok_and(|epochs| epochs > 0), "an audit of the real directory")?;

    let entry = |byte| Entry { account: AccountId([byte; 16]), len: 1, head: [byte; 32], ended: false };
    let label = |byte| Label([byte; 32]);
    let mut honest = Second::new(Operator::of(stage)?).await?;
    honest.publish(label(1), entry(1)).await?;
    honest.publish(label(2), entry(2)).await?;
    // The same without the first entry, under the roots of the first.
    let mut without = Second::new(Operator::of(stage)?).await?;
    without.publish(label(2), entry(2)).await?;
    without.publish(label(3), entry(3)).await?;
    let rewritten = {
        let mut second = Second::new(Operator::of(stage)?).await?;
        second.roots = honest.roots[..2].to_vec();
        let mut root = without.roots[2].root.clone();
        root.previous = second.roots[1].root.hash();
        root.skip = second.roots[0].root.hash();
        let signed = Operator::of(stage)?.sign(root)?;
        second.roots.push(signed);
        second.proofs = vec![honest.proofs[0].clone(), without.proofs[1].clone()];
        second
    };
    let honest = serve(Shown::new(stage, honest)).await?;
    let control = audit(&honest, &folder.path().join("control")).await?;
    carried_out(control.is_ok_and(|epochs| epochs == 2), "an audit of a directory that only grew")?;
    let rewritten = serve(Shown::new(stage, rewritten)).await?;
    match audit(&rewritten, &folder.path().join("rewritten")).await? {
        Err(AuditFailure::Caught(charge)) => match charge.finding {
            Finding::Lie(Lie::Rewritten { epoch: 2, .. }) => {
                Ok("the auditor: \"removed or rewrote something in epoch 2\"".into())
            }
            other => Err(Failure::Succeeded(format!("it was called something else: {other}"))),
        },
        Err(other) => Err(other.into()),
        Ok(epochs) => Err(Failure::Succeeded(format!("the auditor followed {epochs} epochs without a word"))),
    }
}

/// How many epochs were new to an auditor who begins, or what it found.
async fn audit(url: &str, state: &Path) -> Verdict<Result<u64, AuditFailure>> {
    let mut options = Options::new(url, state);
    // Nothing restarts here.
    options.patience = std::time::Duration::from_millis(500);
    let followed = move || Auditor::open(options)?.catch_up(|_| {}).map(|progress| progress.new);
    Ok(tokio::task::spawn_blocking(followed).await?)
}

/// A false server that shows a directory to auditors; its URL.
async fn serve(shown: Shown) -> Verdict<String> {
    let router = Router::new().fallback(answer).with_state(shown);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

async fn answer(State(shown): State<Shown>, uri: Uri) -> Result<Vec<u8>, axum::http::StatusCode> {
    let missing = axum::http::StatusCode::NOT_FOUND;
    let second = shown.lock().await;
    let path: Vec<&str> = uri.path().split('/').skip(3).collect();
    let number = |text: &str| text.parse::<u64>().map_err(|_| missing);
    match path.as_slice() {
        ["root"] => second.at(second.newest().root.epoch).map(|answer| answer.encode_to_vec()).ok_or(missing),
        ["root", epoch] => second.at(number(epoch)?).map(|answer| answer.encode_to_vec()).ok_or(missing),
        ["audit", epoch, _, _] => {
            let before = number(epoch)?.checked_sub(1).ok_or(missing)?;
            second.proofs.get(before as usize).cloned().ok_or(missing)
        }
        _ => Err(missing),
    }
}
