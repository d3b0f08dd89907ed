//! Two newest entries of one handle.

use zegel_directory::{Entry, Label};
use zegel_identity::Chain;

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Keys, Operator, Person, Second, Shown, Stage, Versions, device_of, mls::own_package},
};

/// See the module.
pub const GHOST_VERSION: Drill = Drill {
    name: "ghost-version",
    attacker: Attacker::Operator,
    attempt: "One tree and one root for all: in it a ghost is the second version of Bob's entry. Bob is shown proofs that the first one is the newest, everyone else that the second is: in a tree in which nothing is ever struck out, and in a sound one by a proof that claims the root of the tree as the place where the second is not.",
    defence: "A proof must show all that leads to its version, and that nothing leads on from it; a node from which something leads on proves nothing absent. Of two newest versions at most one can be proven.",
    caught: "at once by whom the false proof is shown",
    run: |stage| Box::pin(ghost_version(stage)),
};

async fn ghost_version(stage: &Stage) -> Verdict {
    let unstruck = attempt(stage, true, ("alice", "bob")).await?;
    let hidden = attempt(stage, false, ("carol", "dave")).await?;
    Ok(format!("nothing struck out: {unstruck}; the second one hidden: {hidden}"))
}

async fn attempt(stage: &Stage, short: bool, (friend, owner): (&str, &str)) -> Verdict {
    let proxy = stage.proxy().await?;
    let operator = Operator::of(stage)?;
    let ghost = Keys::new(owner);
    let link = ghost.first_link(&operator.domain);
    let entry = Entry::of(&Chain::verify(std::slice::from_ref(&link))?);
    let label = Label::of(&operator.domain, owner);
    let shown = Shown::new(stage, Second::with(operator, !short).await?);
    proxy.rule(shown.clone()).await;
    let alice = Person::registers(friend, &proxy.url()).await?;
    let mut bob = Person::registers(owner, &proxy.url()).await?;
    for person in [&alice, &bob] {
        person.looks().await?;
        let alarms = person.directory_alarms();
        carried_out(alarms.is_empty(), format!("a tree of one version each: {alarms:?}"))?;
    }
    {
        let mut second = shown.lock().await;
        second.lies.insert(owner.into(), vec![link]);
        second.packages.insert(ghost.account, vec![own_package(&ghost)?]);
        second.publish(label, entry).await?;
        let device = device_of(&bob)?;
        second.versions = Some(Versions { handle: owner.into(), owner: device, short, shown: [0, 0] });
    }
    bob.closes().await;
    bob.connects().await?;
    let sent = alice.client()?.send(owner, "for bob alone").await;
    bob.looks().await?;
    let counts = shown.lock().await.versions.as_ref().map(|of| of.shown).unwrap_or_default();
    carried_out(counts.iter().all(|count| *count > 0), format!("showing both versions: {counts:?}"))?;
    let (bobs, alices) = (bob.directory_alarms(), alice.directory_alarms());
    let harm = format!("{friend} wrote to the ghost ({sent:?}), and neither has an alarm");
    held(!bobs.is_empty() || !alices.is_empty(), harm)?;
    let told = |person: &Person, alarms: &[zegel_client::Alarm]| match alarms.first() {
        Some(alarm) => format!("{} has the alarm {:?}", person.handle, alarm.kind),
        None => format!("{} has none", person.handle),
    };
    Ok(format!("{}, {}", told(&bob, &bobs), told(&alice, &alices)))
}
