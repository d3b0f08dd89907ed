//! Rules that change.

use zegel_client::{AgeBand, Policy};
use zegel_proto::v1::{client_frame as ask, server_frame as tell};

use super::friends::is_told;
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Person, Stage, Stranger},
};

/// The operator changes them.
pub const QUIET: Drill = Drill {
    name: "quiet-rules",
    attacker: Attacker::Operator,
    attempt: "The operator lets codes live for four weeks and their nights end at four, says nothing, and starts the service again; and then writes a friendlier sentence above what the program does.",
    defence: "The service names its rules by their hash at each connection; a client that kept others says which changed, in their own sentences, and everybody can ask how they ever changed. A file with another sentence is refused.",
    caught: "at the next connection; another sentence at the start",
    run: |stage| Box::pin(quiet(stage)),
};

const STRANGERS: &str = "A stranger cannot send anything";

async fn quiet(stage: &Stage) -> Verdict {
    let mia = Person::registers_as(AgeBand::Child, "mia", stage.url()).await?;
    let mut bob = stage.person("bob").await?;
    let changed = |who: &Person| {
        who.texts("notice").into_iter().filter(|line| line.contains("safety rules changed")).collect()
    };
    let before: Vec<String> = [changed(&mia), changed(&bob)].concat();
    carried_out(before.is_empty(), "beginning with the rules as they are")?;
    // Bob is away meanwhile.
    bob.closes().await;
    let mut rules = Policy::shipped();
    rules.codes.numbers.days = 28;
    rules.quiet_hours.numbers.to_hour = 4;
    restarts(stage, &rules.to_toml())?;
    let mut somebody = Stranger::connect(stage.address()).await?;
    let answer = match somebody.call(ask::Body::FetchPolicy(Default::default())).await? {
        tell::Body::Policy(answer) => answer,
        other => return Err(Failure::NotRun(format!("the rules were asked for: {other:?}"))),
    };
    carried_out(Policy::read(&answer.toml)? == rules, "putting other rules in force")?;
    bob.connects().await?;
    for who in [&mia, &bob] {
        let told = is_told(who, "safety rules changed").await;
        held(told, format!("nobody tells {} that the rules changed", who.handle))?;
        let lines: Vec<String> = changed(who);
        let once = matches!(&lines[..], [line] if line.contains("codes: days 28 (was 7).")
            && line.contains("quiet-hours: to_hour 4 (was 7).")
            && !line.contains(STRANGERS));
        held(once, format!("{} is told {lines:?}", who.handle))?;
        carried_out(who.client()?.policy() == rules, "keeping the new rules")?;
    }
    let listed = answer.changes.first().map(|change| change.rules.clone()).unwrap_or_default();
    held(
        answer.changes.len() == 2 && listed == ["codes", "quiet-hours"],
        format!("of {} changes the newest says {listed:?}", answer.changes.len()),
    )?;

    let friendlier = rules.to_toml().replace(STRANGERS, "Hardly a stranger sends anything");
    carried_out(friendlier != rules.to_toml(), "writing another sentence")?;
    match restarts(stage, &friendlier) {
        Ok(()) => return Err(Failure::Succeeded("the service begins with another sentence".into())),
        Err(why) => carried_out(
            why.contains("its sentence is not the one that ships"),
            format!("a refusal for its sentence: {why}"),
        )?,
    }
    restarts(stage, &rules.to_toml())?;
    bob.closes().await;
    bob.connects().await?;
    let lines: Vec<String> = changed(&bob);
    held(lines.len() == 1, format!("Bob is told again: {lines:?}"))?;
    Ok("both are told \"codes\" and \"quiet-hours\" with their new numbers, once; another sentence starts nothing".into())
}

/// The server begins again with these rules.
fn restarts(stage: &Stage, rules: &str) -> Result<(), String> {
    stage.server(|server| {
        server.kill();
        server.rules(rules)?;
        server.begin()
    })
}
