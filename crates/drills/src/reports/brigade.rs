//! Many against one.

use zegel_proto::v1;

use super::scene::{about, tells};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Keys, Seat, Stage, Stranger, account_of, befriend},
};

/// Thirty accounts of today.
pub const BRIGADE: Drill = Drill {
    name: "brigade",
    attacker: Attacker::Stranger,
    attempt: "Thirty accounts that were made today report Bob for the worst there is, so that the service takes him out by itself.",
    defence: "No number of reports changes an account: only a person's decision does. They come to one case, which says how many came at once and from how young accounts.",
    caught: "at once: nothing happens to Bob, and the case shows the cluster",
    run: |stage| Box::pin(brigade(stage)),
};

const MANY: usize = 30;

async fn brigade(stage: &Stage) -> Verdict {
    let alice = stage.person("alice").await?;
    let mut bob = stage.person("bob").await?;
    befriend(&alice, &bob).await?;
    let account = account_of(&bob)?;
    let mut cases = std::collections::BTreeSet::new();
    for number in 0..MANY {
        let mut somebody = Stranger::member(stage.address(), &Keys::new(&format!("crowd{number}"))).await?;
        let mut report = about(&account, Vec::new());
        report.category = v1::ReportCategory::ChildAbuse.into();
        cases.insert(tells(&mut somebody, report).await?.case_number);
    }
    // What a suspension or a restriction would take from him.
    bob.closes().await;
    held(bob.connects().await.is_ok(), "Bob can no longer connect")?;
    held(bob.sends("still here", "alice").await.is_ok(), "Bob can no longer write")?;
    alice.still_reads("still here").await?;
    let carol = stage.person("carol").await?;
    held(bob.sends("we have not met", "carol").await.is_ok(), "Bob can no longer write to strangers")?;
    carol.accepts("bob").await?;
    let told = bob.client()?.statements().await?;
    held(told.is_empty(), format!("Bob was told of {} decisions", told.len()))?;

    let mia = Seat::takes(stage, "moderator", "mia").await?;
    let case = cases.first().ok_or("no report was taken")?;
    let page = mia.gets(&format!("/desk/case/{case}")).await?.text();
    carried_out(page.contains("proven 0 of 0 disclosed"), "a case without a message")?;
    let cluster = format!("{MANY} reports within an hour, {MANY} from accounts younger than a week");
    held(
        cases.len() == 1 && page.contains(&cluster),
        format!("the cluster is not shown, in {} cases", cases.len()),
    )?;
    Ok(format!("Bob connects, writes and is found as before; one case says \"{cluster}\""))
}
