//! Reports that make somebody look worse than what was proven.

use zegel_proto::{Code, v1::client_frame as ask};

use super::scene::{about, found, quarrel, reports, says};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Seat, Stage, account_of, befriend},
};

/// The same again.
pub const REPLAYED: Drill = Drill {
    name: "replayed-report",
    attacker: Attacker::Member,
    attempt: "Bob reports the same messages again and again, so that the case grows.",
    defence: "The service keeps a tag of who reported which stamp: the same again from the same person is refused, and beside new messages it is not counted twice.",
    caught: "at once: he is told in which case he reported it",
    run: |stage| Box::pin(replayed(stage)),
};

async fn replayed(stage: &Stage) -> Verdict {
    let (mallory, bob) = quarrel(stage).await?;
    let first = says(&mallory, "bob", "I will hurt you").await?;
    let state = reports(&bob, &mallory, vec![first.shown()?]).await?;
    found("the first report", &state, &[""])?;
    let again = ask::Body::Report(about(&account_of(&mallory)?, vec![first.shown()?]));
    match bob.client()?.rogue_call(again).await {
        Err(zegel_client::Error::Refused { code: Code::BadRequest, message, .. }) => {
            held(message.contains(&state.case_number), format!("he is only told {message:?}"))?;
        }
        Err(other) => return Err(other.into()),
        Ok(_) => return Err(Failure::Succeeded("the same message is reported twice".into())),
    }
    let second = says(&mallory, "bob", "tonight").await?;
    let state = reports(&bob, &mallory, vec![first.shown()?, second.shown()?]).await?;
    found("along with another", &state, &["", ""])?;
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    let page = mia.gets(&format!("/desk/case/{}", state.case_number)).await?.text();
    held(page.contains("2; proven 2 of 2 disclosed"), "a message that was reported twice counts twice")?;
    Ok("refused, with the case's number; beside a new message it is not counted again".into())
}

/// Somebody else's words.
pub const THIRD_PERSON: Drill = Drill {
    name: "third-person-report",
    attacker: Attacker::Member,
    attempt: "Bob reports Alice, who said nothing, with a real threat: Mallory's, from the group of the three.",
    defence: "The stamp says who sent it: it is shown under Mallory's name, and only what Alice sent counts as proven in a case about Alice.",
    caught: "when it is reported, and when the case is read",
    run: |stage| Box::pin(third_person(stage)),
};

async fn third_person(stage: &Stage) -> Verdict {
    let (mallory, bob) = quarrel(stage).await?;
    let alice = stage.person("alice").await?;
    befriend(&alice, &mallory).await?;
    befriend(&alice, &bob).await?;
    stage.club(&[&alice, &mallory, &bob]).await?;
    let threat = says(&mallory, "club", "I will burn it down").await?;
    let state = reports(&bob, &alice, vec![threat.shown()?]).await?;
    carried_out(state.messages == 1, "reporting Alice")?;
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    let page = mia.gets(&format!("/desk/case/{}", state.case_number)).await?.text();
    let (facts, run) = page.split_once("<h2 id=\"reports\">").ok_or("a page without reports")?;
    carried_out(facts.contains("alice"), "a case about Alice")?;
    let none = facts.contains("proven 0 of 0 disclosed");
    held(none && !facts.contains("proven 1 of"), "what Mallory sent counts as proven against Alice")?;
    let link = run.split("<li class=\"message").nth(1).ok_or("a run without a message")?;
    let link = link.split("</li>").next().unwrap_or_default();
    held(link.contains("mallory") && !link.contains("alice"), "Mallory's words stand under another name")?;
    held(
        !link.contains("the person reported"),
        "Mallory's words are marked as those of the person reported",
    )?;
    Ok("it stands under Mallory's name, and the case about Alice says \"proven 0 of 0 disclosed\"".into())
}
