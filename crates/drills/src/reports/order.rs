//! Reporters who arrange what was said.

use super::scene::{about, found, quarrel, reports, says, tells};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Keys, Page, Seat, Stage, Stranger, account_of},
};

/// From another conversation.
pub const SPLICED: Drill = Drill {
    name: "spliced-report",
    attacker: Attacker::Member,
    attempt: "Bob reports what Mallory said in one conversation as if she had said it in another, where it is a threat.",
    defence: "Every stamp names its conversation, and so does the content: a run is from one.",
    caught: "when it is reported: \"it is from another conversation\"",
    run: |stage| Box::pin(spliced(stage)),
};

async fn spliced(stage: &Stage) -> Verdict {
    let (mallory, bob) = quarrel(stage).await?;
    stage.club(&[&mallory, &bob]).await?;
    let (dog, rat) = ("the dog is here", "it dies tonight");
    let mut said = [("bob", says(&mallory, "bob", dog).await?), ("club", says(&mallory, "club", rat).await?)];
    // The later place comes second, so that nothing is wrong with it but its conversation.
    if said[0].1.context()?.server_seq > said[1].1.context()?.server_seq {
        said.swap(0, 1);
    }
    let [(_, first), (to, mut second)] = said;
    while second.context()?.server_seq <= first.context()?.server_seq + 1 {
        second = says(&mallory, to, rat).await?;
    }
    let elsewhere = "it is from another conversation";
    let state = reports(&bob, &mallory, vec![first.shown()?, second.shown()?]).await?;
    found("a message from another conversation", &state, &["", elsewhere])?;
    let mut named = about(&account_of(&mallory)?, vec![second.shown()?]);
    named.room = first.context()?.room.to_vec().into();
    let state = tells(&mut Stranger::member(stage.address(), &Keys::new("carol")).await?, named).await?;
    found("a message of another conversation than the report names", &state, &[elsewhere])?;
    found("in its own place", &reports(&bob, &mallory, vec![second.shown()?]).await?, &[""])?;
    Ok(format!("not proven: \"{elsewhere}\"; in a report of its own it is proven"))
}

/// Twice, or the other way round.
pub const REPEATED: Drill = Drill {
    name: "repeated-report",
    attacker: Attacker::Member,
    attempt: "Bob shows one message of Mallory's several times in a report, and others in an order in which they mean something else.",
    defence: "Stamps number the messages of a conversation: in a report each stands after the one before it, or is not proven.",
    caught: "when it is reported: \"it does not come after the message before it\"",
    run: |stage| Box::pin(repeated(stage)),
};

async fn repeated(stage: &Stage) -> Verdict {
    let (mallory, bob) = quarrel(stage).await?;
    let first = says(&mallory, "bob", "no").await?;
    let second = says(&mallory, "bob", "shall I come").await?;
    let place = "it does not come after the message before it";
    let twice = vec![second.shown()?, second.shown()?, second.shown()?];
    found("a message shown again", &reports(&bob, &mallory, twice).await?, &["", place, place])?;
    let turned = vec![second.shown()?, first.shown()?];
    let mut report = about(&account_of(&mallory)?, turned);
    report.note = "she asked, and said no herself".into();
    // Bob may not report the same twice (`replayed-report`): he has Carol send it.
    let mut carol = Stranger::member(stage.address(), &Keys::new("carol")).await?;
    let state = tells(&mut carol, report).await?;
    found("messages the other way round", &state, &["", place])?;
    Ok("what is shown again, and what is moved, is not proven".into())
}

/// The provocation is left out.
pub const WITHHELD: Drill = Drill {
    name: "withheld-provocation",
    attacker: Attacker::Member,
    attempt: "Bob reports Mallory's answer and keeps back what he had said before it: he leaves it out, names it without content, or puts harmless words in its place.",
    defence: "Stamps are numbered and chained, and name their sender: what is left out is a gap, what is named shows its sender, other words are not proven.",
    caught: "when the case is read: the gap, or \"withheld\" with Bob's name, stands before the answer",
    run: |stage| Box::pin(withheld(stage)),
};

async fn withheld(stage: &Stage) -> Verdict {
    let (mallory, bob) = quarrel(stage).await?;
    let first = says(&mallory, "bob", "hello").await?;
    let provoked = says(&bob, "mallory", "your mother is a thief").await?;
    let answer = says(&mallory, "bob", "I will hurt you").await?;
    let mut harmless = bob.client()?.rogue_content("mallory", "how are you")?;
    harmless.salt = provoked.content.salt;

    let left_out = reports(&bob, &mallory, vec![first.shown()?, answer.shown()?]).await?;
    found("leaving it out", &left_out, &["", ""])?;
    // Bob may not report the same twice: he has others send it. All of it comes to one case.
    let runs = [
        ("carol", vec![first.shown()?, provoked.withheld(), answer.shown()?], vec!["", ""]),
        (
            "dave",
            vec![first.shown()?, provoked.shown_as(&harmless)?, answer.shown()?],
            vec!["", "its sender did not commit to this content", ""],
        ),
    ];
    let account = account_of(&mallory)?;
    for (handle, run, expected) in runs {
        let keys = Keys::new(handle);
        let mut other = Stranger::member(stage.address(), &keys).await?;
        let state = tells(&mut other, about(&account, run)).await?;
        carried_out(state.case_number == left_out.case_number, "joining the case")?;
        found("putting other words in its place", &state, &expected)?;
    }
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    let page = mia.gets(&format!("/desk/case/{}", left_out.case_number)).await?;
    carried_out(page.status == 200, format!("reading the case: {}", page.text()))?;
    let text = page.text();
    let gaps = text.matches("1 message between, neither shown nor named").count();
    held(gaps == 1, format!("what was left out is no gap on the page of the case ({gaps})"))?;
    let badges = links(&page);
    let named = badges.iter().find(|link| link.contains("badge withheld"));
    let named = named.ok_or("the page does not show what was named")?;
    held(named.contains("bob") && !named.contains("mallory"), "what is withheld is not shown as Bob's")?;
    Ok("the page of the case has a gap of one message, one that Bob withheld, and words that are not proven"
        .into())
}

/// The links of the runs on a case's page.
fn links(page: &Page) -> Vec<String> {
    page.text().split("<li class=\"message").skip(1).map(str::to_owned).collect()
}
